"""From the files a user names to clips: playlists become their rungs, all else stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vqa2cli.errors import VideoError
from vqa2cli.video.sources import Source

#: Suffixes of playlists.
HLS_SUFFIXES = frozenset({".m3u8", ".m3u"})
DASH_SUFFIXES = frozenset({".mpd"})


@dataclass(frozen=True)
class Refused:
    """A playlist that cannot be read, to become an error row of its own."""

    path: Path
    error: VideoError

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    def __str__(self) -> str:
        """Path of the file."""
        return str(self.path)


def is_playlist(path: Path) -> bool:
    """Return whether a file is taken for a playlist, by its suffix."""
    return path.suffix.lower() in HLS_SUFFIXES | DASH_SUFFIXES


def clips_of(files: Iterable[Source | Refused]) -> Iterator[Source | Refused]:
    """Yield each file, and in the place of each playlist its rungs, or why it has none."""
    for file in files:
        if not isinstance(file, Path) or not is_playlist(file):
            yield file
            continue
        try:
            yield from playlist_rungs(file)
        except VideoError as error:
            yield Refused(file, error)


def playlist_rungs(path: Path) -> list[Source]:
    """Return the rungs of a playlist in the order it lists them (DASH: by bandwidth).

    Raises:
        VideoError: it cannot be read; `kind` and message say why.
    """
    if path.suffix.lower() in DASH_SUFFIXES:
        from vqa2cli.video.playlists.dash import dash_renditions

        return list(dash_renditions(path))
    from vqa2cli.video.playlists.hls import hls_renditions

    return list(hls_renditions(path))
