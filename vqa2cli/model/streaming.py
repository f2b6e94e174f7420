"""Hands text on while it is generated."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from transformers.generation.streamers import BaseStreamer

from vqa2cli.model.prompts import Prompter

#: What stands for bytes that are not a whole character yet.
_PARTIAL = "\ufffd"


class TextStream(BaseStreamer):  # type: ignore[misc,unused-ignore]  # untyped in some versions
    """Takes the ids that `generate` makes and gives `on_text` every new bit of their text."""

    def __init__(self, prompter: Prompter, on_text: Callable[[str], None]) -> None:
        self._prompter, self._on_text = prompter, on_text
        self._ids: list[int] = []
        self._given = ""

    def put(self, value: Tensor) -> None:
        """Take new ids; the prompt, which comes first, has none here: it is embeddings."""
        self._ids += [int(token) for token in value.reshape(-1)]
        text = self._prompter.decode(self._ids)
        if not text.endswith(_PARTIAL):
            self._give(text)

    def end(self) -> None:
        """Give what was held back."""
        self._give(self._prompter.decode(self._ids))

    def _give(self, text: str) -> None:
        if len(text) > len(self._given):
            self._on_text(text[len(self._given) :])
            self._given = text
