"""Replies of an endpoint on disk, so that none is asked for twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from train.data.endpoint import Answered
from train.data.files import read_text, write_whole
from vqa2cli.errors import UsageError


class ReplyCache:
    """Replies on disk, one file each, under the hash of the request and the attempt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, request: Mapping[str, Any], attempt: int) -> Path:
        """Return the file of a reply. The endpoint's address is no part of its name."""
        named = json.dumps([request, attempt], sort_keys=True)
        digest = hashlib.sha256(named.encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest}.json"

    def get(self, request: Mapping[str, Any], attempt: int) -> Answered | None:
        """Return a kept reply, None if there is none.

        Raises:
            UsageError: its file cannot be read or is none of ours.
        """
        path = self.path(request, attempt)
        if not path.exists():
            return None
        try:
            return Answered(**json.loads(read_text(path))["reply"])
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{path}: not a kept reply; remove it to ask again") from error

    def put(self, request: Mapping[str, Any], attempt: int, reply: Answered) -> None:
        """Keep a reply with its request; the file appears whole or not at all.

        Raises:
            UsageError: it cannot be written.
        """
        path = self.path(request, attempt)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write {path.parent}: {error.strerror or error}") from error
        kept = {"request": request, "attempt": attempt, "reply": asdict(reply)}
        write_whole(path, json.dumps(kept, indent=1) + "\n")
