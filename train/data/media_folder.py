"""Finds the files that a label table names, though names lack suffixes or the first folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from train.names import NameIndex
from vqa2cli.errors import UsageError

#: Files named in a message; the rest are counted.
_NAMED: Final = 3


class MediaFolder:
    """The files below one folder, by name.

    A table may name folders above the media folder, and the media may lie deeper than the table
    says; see `NameIndex`.
    """

    def __init__(self, folder: Path) -> None:
        """List the folder once; hidden files are passed over.

        Raises:
            UsageError: it is no folder, or part of it cannot be read.
        """
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder of media")
        self.folder = folder
        self._index = NameIndex(sorted(_files(folder)))

    def find(self, media: str) -> str:
        """Return the path below the folder of the file that a label calls `media`.

        Raises:
            LookupError: there is none, or there are several; the message says which.
        """
        found = self._index.find(media)
        if not found:
            raise LookupError("no such file")
        if len(found) > 1:
            shown = ", ".join(found[:_NAMED])
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            raise LookupError(f"{len(found)} files fit: {shown}{more}")
        return found[0]


def _files(folder: Path) -> Iterator[str]:
    def unreadable(error: OSError) -> None:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from error

    for root, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(root).relative_to(folder)
        yield from ((below / name).as_posix() for name in files if not name.startswith("."))
