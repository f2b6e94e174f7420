"""What can be decoded as one clip: a file, or a rendition that a playlist cuts into segments."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vqa2cli.video.media import DeclaredFacts


@dataclass(frozen=True)
class Extent:
    """`length` bytes of a local file from byte `start` on."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True)
class Joined:
    """Extents read one after the other as one file: an init segment and its media segments.

    `name` is what messages call it.
    """

    name: str
    extents: tuple[Extent, ...]


@dataclass(frozen=True)
class Rendition:
    """A rung of a playlist as one clip.

    `playlist` is the file the user named and `rung` its part, empty where that is all of it.
    Each of `runs` has its own clock and header, so a new one begins at every discontinuity;
    `remarks` are sentences on what the playlist made us leave out. `peak_bit_rate` is measured on
    the segments, bits a second of everything in them; None where the playlist has no measure of it.
    """

    playlist: Path
    rung: str
    runs: tuple[Joined, ...]
    declared: DeclaredFacts
    remarks: tuple[str, ...] = ()
    peak_bit_rate: int | None = None

    @property
    def name(self) -> str:
        """Name of the file and of the rung, as in `master.m3u8#720p`."""
        return rung_name(self.playlist.name, self.rung)

    def __str__(self) -> str:
        """Path of the file and name of the rung."""
        return rung_name(str(self.playlist), self.rung)


#: One clip to decode.
Source = Path | Rendition


def rung_name(playlist: str, rung: str) -> str:
    """Return `playlist` with the rung after a `#`, if there is one."""
    return f"{playlist}#{rung}" if rung else playlist


def runs_of(source: Source) -> tuple[Path | Joined, ...]:
    """Return what has to be opened, in order, to read all of `source`."""
    return source.runs if isinstance(source, Rendition) else (source,)


def source_fields(source: Source) -> dict[str, Any]:
    """Return `source` as JSON-able fields; `source_of` reads them back.

    Paths are absolute, and in hex, because their bytes need not be UTF-8.
    """
    if isinstance(source, Path):
        return {"path": _hex(source)}
    runs = [
        [[_hex(extent.path), extent.start, extent.length] for extent in run.extents]
        for run in source.runs
    ]
    return {
        "path": _hex(source.playlist),
        "rung": source.rung,
        "runs": runs,
        "declared": asdict(source.declared),
    }


def source_of(fields: dict[str, Any]) -> Source:
    """Return the source that `source_fields` wrote: all that is needed to decode it."""
    path = _path(fields["path"])
    if "runs" not in fields:
        return path
    name = rung_name(path.name, fields["rung"])
    runs = tuple(
        Joined(name, tuple(Extent(_path(text), start, length) for text, start, length in run))
        for run in fields["runs"]
    )
    return Rendition(path, fields["rung"], runs, DeclaredFacts(**fields["declared"]))


def _hex(path: Path) -> str:
    return os.fsencode(path.absolute()).hex()


def _path(text: str) -> Path:
    return Path(os.fsdecode(bytes.fromhex(text)))
