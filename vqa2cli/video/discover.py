"""From what a user names - files, folders, patterns, lists - to the files to score."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from vqa2cli.errors import UsageError
from vqa2cli.video.playlists.expand import is_playlist

#: Suffixes taken for video when a folder is walked. Still images are not among them, because
#: folders of clips hold thumbnails; named outright, an image scores as a clip of one frame.
VIDEO_SUFFIXES = frozenset(
    f".{name}"
    for names in (
        "mp4 m4v mov qt 3gp 3g2 mj2 cmfv m4s mkv webm avi flv f4v wmv asf ogv ogg",
        "ts mts m2ts m2t mpg mpeg mpe m1v m2v vob mxf gxf rm rmvb wtv nut dv",
        "y4m ivf obu av1 264 h264 avc 265 h265 hevc 266 h266 vvc drc mjpeg mjpg",
    )
    for name in names.split()
)

#: Lists may name lists; deeper than this they name each other in a circle.
MAX_LIST_DEPTH = 8


@dataclass(frozen=True)
class Discovery:
    """Files to score, in the order given, and what a walk left out with the reason.

    A path that does not exist stays in `files`, to become an error row of its own.
    """

    files: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]


def discover(inputs: Sequence[str], stdin: TextIO | None = None) -> Discovery:
    """Return the files that `inputs` name, each once.

    Args:
        inputs: files; folders, walked in sorted order without following links out of them;
            patterns with `*`, `?`, `[...]` and `**`, where no file has that very name;
            `@list.txt`, a path a line relative to the list; `-`, such a list on `stdin`.
        stdin: where `-` reads.

    Raises:
        UsageError: a pattern or a list names nothing, a list cannot be read, or there is
            no `stdin` for `-`.
    """
    files: dict[Path, None] = {}
    skipped: dict[Path, str] = {}
    for text in inputs:
        for path in _expand(text, stdin):
            if path.is_dir():
                _walk(path, files, skipped)
            else:
                files[_tidy(path)] = None
    left_out = tuple((path, why) for path, why in skipped.items() if path not in files)
    return Discovery(tuple(files), left_out)


def _tidy(path: Path) -> Path:
    """Return `path` without `.` and doubled slashes, so that one file counts once."""
    return Path(os.path.normpath(path)) if ".." not in path.parts else path


def _expand(text: str, stdin: TextIO | None) -> Iterator[Path]:
    """Yield the files and folders that one input names."""
    if text == "-":
        if stdin is None:
            raise UsageError("-: there is no standard input to read a list from")
        yield from _listed(stdin.read(), Path(), "standard input", 0)
    elif text.startswith("@") and not os.path.lexists(text):
        yield from _list_file(Path(text[1:]), 0)
    else:
        yield from _matches(text)


def _matches(text: str) -> Iterator[Path]:
    """Yield `text` itself, or what it matches if it is a pattern and no such file exists."""
    if os.path.lexists(text) or not glob.has_magic(text):
        yield Path(text)
        return
    found = sorted(glob.glob(text, recursive=True))
    if not found:
        raise UsageError(f"{text}: nothing matches this pattern; check the folder and the quotes")
    yield from map(Path, found)


def _list_file(path: Path, depth: int) -> Iterator[Path]:
    if depth >= MAX_LIST_DEPTH:
        raise UsageError(
            f"@{path}: lists nest deeper than {MAX_LIST_DEPTH}; do they name each other?"
        )
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"@{path}: the list cannot be read ({error.strerror})") from error
    yield from _listed(text, path.parent, f"@{path}", depth)


def _listed(text: str, folder: Path, name: str, depth: int) -> Iterator[Path]:
    """Yield what the lines of a list name; blank lines and those that start with # do not."""
    lines = [line.strip() for line in text.splitlines()]
    entries = [line for line in lines if line and not line.startswith("#")]
    if not entries:
        raise UsageError(f"{name}: the list names no file")
    for entry in entries:
        if entry.startswith("@") and not os.path.lexists(folder / entry):
            yield from _list_file(folder / entry[1:], depth + 1)
        else:
            yield from _matches(str(folder / entry))


def _walk(folder: Path, files: dict[Path, None], skipped: dict[Path, str]) -> None:
    """Add the video files under `folder`: each folder's own first, then its folders' in turn."""
    root = folder.resolve()

    def unreadable(error: OSError) -> None:
        skipped[Path(error.filename)] = f"cannot be opened ({error.strerror})"

    for here, folders, names in os.walk(folder, onerror=unreadable):
        for path in (_tidy(Path(here, name)) for name in folders):
            if path.is_symlink():
                skipped[path] = "a link to a folder"
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=_natural)
        for path in (_tidy(Path(here, name)) for name in sorted(names, key=_natural)):
            why = _why_not(path, root)
            if why is None:
                files[path] = None
            else:
                skipped[path] = why


def _why_not(path: Path, root: Path) -> str | None:
    """Return why a file met on a walk is not taken, None if it is."""
    if path.name.startswith("."):
        return "a hidden file"
    if is_playlist(path):
        return "a playlist; name it to have its rungs"
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        return "not a video by its name"
    if path.is_symlink() and not _is_within(path, root):
        return "a link out of the folder"
    return None


def _is_within(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):  # a dangling link, or a loop of them
        return False


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts clip2 before clip10."""
    parts = [*re.split("([0-9]+)", name), "0"]
    return [(text, int(number)) for text, number in zip(parts[::2], parts[1::2], strict=True)]
