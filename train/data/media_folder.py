"""Finds the files that a label table names, though names lack suffixes or the first folders."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from vqa2cli.errors import UsageError
from vqa2cli.video.discover import VIDEO_SUFFIXES

#: Files named in a message; the rest are counted.
_NAMED: Final = 3

#: Suffixes a label may have where the file has another: tables of raw video name .yuv.
_SUFFIXES: Final = VIDEO_SUFFIXES | {".yuv"}


class MediaFolder:
    """The files below one folder, by name.

    A label's name is that of a file if one path ends with the other, part by part: a table may
    name folders above the media folder, and the media may lie deeper than the table says. A
    suffix that either lacks or that differs (`.yuv` kept as `.mp4`) matters only where names
    with it compete. Anything else, such as names that begin alike, is no match.
    """

    def __init__(self, folder: Path) -> None:
        """List the folder once; hidden files are passed over.

        Raises:
            UsageError: it is no folder, or part of it cannot be read.
        """
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder of media")
        self.folder = folder
        self._whole, self._bare = (
            defaultdict[str, list[str]](list),
            defaultdict[str, list[str]](list),
        )
        for path in sorted(_files(folder)):
            self._whole[PurePosixPath(path).name].append(path)
            self._bare[PurePosixPath(path).stem].append(path)

    def find(self, media: str) -> str:
        """Return the path below the folder of the file that a label calls `media`.

        Raises:
            LookupError: there is none, or there are several; the message says which.
        """
        name = PurePosixPath(media)
        found = _best(name, self._whole.get(name.name, []), suffix=True)
        found = found or _best(name, self._bare.get(name.name, []), suffix=False)
        if not found and name.suffix.lower() in _SUFFIXES:
            bare = name.with_name(name.stem)
            found = _best(bare, self._bare.get(bare.name, []), suffix=False)
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


def _best(name: PurePosixPath, files: list[str], *, suffix: bool) -> list[str]:
    """Return the files that share the most trailing parts with `name`, all of one of the two."""
    shared: dict[str, int] = {}
    for file in files:
        path = PurePosixPath(file)
        parts = path.parts if suffix else path.with_name(path.stem).parts
        count = min(len(parts), len(name.parts))
        if parts[-count:] == name.parts[-count:]:
            shared[file] = count
    most = max(shared.values(), default=0)
    return [file for file, count in shared.items() if count == most]
