"""Finished rows on disk, so that a run that was stopped goes on where it was.

A row is kept under what it depends on: the bytes of its clip, the weights, the options, and what
is known of the clip beside them. Another name for the same clip finds it; a clip that changed
does not. SQLite makes each row appear whole or not at all, also under kill -9, and lets several
processes share one journal.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields, make_dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError

from vqa2cli.assessment import Assessment, ModelInfo
from vqa2cli.clip_facts import ClipFacts
from vqa2cli.config import VERSION, RunConfig
from vqa2cli.errors import UsageError
from vqa2cli.video.media import Sampling
from vqa2cli.video.sources import Source

#: Options on which no row depends: how the work is spread, and what becomes of its result.
_NO_MATTER: Final = (
    "model", "jobs", "max_seconds", "keep_going", "stalls", "same_content", "resume",
)  # fmt: skip

#: What is not kept of a row: its name, because clips are known by their bytes, and the measures
#: behind its findings, which no report holds.
_NOT_KEPT: Final = ("file", "measures")

#: Marks a file as ours ("vqa2" in ASCII), SQLite's `application_id`.
_APPLICATION: Final = 0x76716132

#: Seconds to wait for another process that is writing.
_PATIENCE_S: Final = 60.0


class Journal:
    """Rows by key. `context` is what all rows of a run have in common."""

    def __init__(self, path: Path, context: str) -> None:
        """Open or make the journal at `path`.

        Raises:
            UsageError: it cannot be written, or is another kind of file.
        """
        self._path, self._context = path, context
        with self._saying():
            self._rows = sqlite3.connect(path, timeout=_PATIENCE_S)
            found = self._rows.execute("PRAGMA application_id").fetchone()[0]
            if found not in (0, _APPLICATION) or (found == 0 and self._tables()):
                raise UsageError(f"{path}: another program's database; name a new file")
            self._rows.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._rows.execute("CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, row TEXT)")
            self._rows.commit()

    def close(self) -> None:
        """Close the file; every row is in it already."""
        self._rows.close()

    def key(self, clip: Source, facts: ClipFacts) -> str:
        """Return the key of a clip's row.

        Raises:
            OSError: the clip cannot be read.
        """
        parts = [self._context, _content(clip), repr(facts)]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()

    def row(self, key: str, file: str) -> Assessment | None:
        """Return the row under `key` as that of `file`, None if there is none."""
        with self._saying():
            found = self._rows.execute("SELECT row FROM rows WHERE key = ?", (key,)).fetchone()
        if found is None:
            return None
        try:
            kept = _adapter().validate_json(found[0])
        except ValidationError:  # kept by a version with other records: it is made again
            return None
        return Assessment(file=file, **{name: getattr(kept, name) for name in _kept_fields()})

    def keep(self, key: str, row: Assessment) -> None:
        """Keep a scored row, at once and for good.

        One that JSON does not give back as it was, because a number is not finite, is not kept.
        """
        kept = _kept_type()(**{name: getattr(row, name) for name in _kept_fields()})
        text = _adapter().dump_json(kept).decode("utf-8")
        try:
            if _adapter().validate_json(text) != kept:
                return
        except ValidationError:
            return
        with self._saying(), self._rows:
            self._rows.execute("INSERT OR REPLACE INTO rows VALUES (?, ?)", (key, text))

    def _tables(self) -> int:
        count: int = self._rows.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return count

    @contextmanager
    def _saying(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UsageError(f"cannot use the journal {self._path}: {error}") from error


@contextmanager
def open_journal(
    config: RunConfig, sampling: Sampling, model: ModelInfo
) -> Iterator[Journal | None]:
    """Give the journal of a run, None where the run keeps none.

    Raises:
        UsageError: it cannot be used.
    """
    if config.resume is None:
        yield None
        return
    options = {key: value for key, value in asdict(config).items() if key not in _NO_MATTER}
    parts = {"version": VERSION, "model": asdict(model), "options": options,
             "sampling": asdict(sampling)}  # fmt: skip
    journal = Journal(config.resume, json.dumps(parts, sort_keys=True, default=str))
    try:
        yield journal
    finally:
        journal.close()


@cache
def _kept_fields() -> dict[str, Any]:
    """Return the fields of a row that are kept, and their types."""
    types = get_type_hints(Assessment)
    return {field.name: types[field.name] for field in fields(Assessment)
            if field.name not in _NOT_KEPT}  # fmt: skip


@cache
def _kept_type() -> type[Any]:
    return make_dataclass("Kept", list(_kept_fields().items()), frozen=True)


@cache
def _adapter() -> TypeAdapter[Any]:
    return TypeAdapter(_kept_type())


def _content(clip: Source) -> str:
    """Return the SHA-256 of a file, or of the segments of a rendition, run by run."""
    if isinstance(clip, Path):
        with clip.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for run in clip.runs:
        digest.update(b"run")
        for extent in run.extents:
            with extent.path.open("rb") as file:
                file.seek(extent.start)
                _feed(digest, file, extent.length)
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, file: BinaryIO, length: int) -> None:
    while length > 0:
        piece = file.read(min(length, 2**20))
        if not piece:
            return
        digest.update(piece)
        length -= len(piece)
