"""What an engine says when it cannot run here."""

from __future__ import annotations


class EngineUnavailable(RuntimeError):
    """A named engine cannot run on this machine; `remedy` says what to do about it."""

    def __init__(self, engine: str, reason: str, remedy: str) -> None:
        super().__init__(f"engine {engine}: {reason}. {remedy}")
        self.engine = engine
        self.remedy = remedy
