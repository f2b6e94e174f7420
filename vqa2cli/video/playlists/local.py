"""From what a playlist names to local files: inside its own folder, or not at all."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from vqa2cli.errors import VideoError
from vqa2cli.video.probe import check_regular_file
from vqa2cli.video.sources import Extent

#: Longest playlist read, bytes: a day of two-second segments is a third of it.
MAX_PLAYLIST_BYTES = 8 * 2**20
#: Most segments of one rung: a day of one-second segments.
MAX_SEGMENTS = 100_000


class Folder:
    """The folder of the playlist a user named; no file outside it is ever opened."""

    def __init__(self, playlist: Path) -> None:
        self.name = playlist.name
        self.root = playlist.absolute().parent.resolve()
        self._playlists: set[Path] = set()

    def refuse(self, what: str) -> VideoError:
        """Return the error of a playlist that `what` is wrong with."""
        return VideoError("playlist", f"{self.name}: {what}")

    def check_relative(self, uri: str) -> None:
        """Check that `uri` has neither a scheme, nor a host, nor a root.

        Raises:
            VideoError: it does.
        """
        if re.match("[A-Za-z][A-Za-z0-9+.-]*:", uri) or uri.startswith("//"):
            raise self.refuse(f"names {_shown(uri)}; only local files beside it are read")
        if uri.startswith(("/", "\\")) or "\0" in uri or not uri.strip():
            raise self.refuse(f"names {_shown(uri)!r}; only addresses relative to it are read")

    def file(self, uri: str, base: Path) -> Path:
        """Return the file that `uri` names, seen from the folder `base`.

        Raises:
            VideoError: it is no relative address, leaves the folder, is the playlist itself
                or a link out, or is no regular file that can be read.
        """
        self.check_relative(uri)
        shown = _shown(uri)
        path = base / uri
        plain = base / unquote(re.split("[?#]", uri, maxsplit=1)[0])
        try:
            path = plain if not path.exists() and plain.exists() else path
            real = path.resolve()
        except (OSError, ValueError, RuntimeError) as error:  # too long, or links in a circle
            raise self.refuse(f"names {shown!r}, which cannot be reached") from error
        if not real.is_relative_to(self.root):
            raise self.refuse(f"names {shown}, which leaves the folder of the playlist")
        if real in self._playlists:
            raise self.refuse(f"names itself or a playlist above it ({shown})")
        try:
            check_regular_file(path)
        except VideoError as error:
            what = "is missing" if error.kind == "not_found" else "is no readable file"
            raise VideoError(error.kind, f"{self.name}: {shown} {what}") from error
        return path

    def text(self, path: Path) -> str:
        """Return the text of a playlist, which from then on is no segment.

        Raises:
            VideoError: it is too long, cannot be read, or is no UTF-8 text.
        """
        check_regular_file(path)
        self._playlists.add(path.resolve())
        try:
            with path.open("rb") as file:
                data = file.read(MAX_PLAYLIST_BYTES + 1)
        except OSError as error:
            raise VideoError("unreadable", f"{path.name}: {error.strerror}") from error
        if len(data) > MAX_PLAYLIST_BYTES:
            raise self.refuse(f"is longer than {MAX_PLAYLIST_BYTES >> 20} MiB")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self.refuse("is no UTF-8 text") from error

    def extent(self, path: Path, span: tuple[int, int] | None) -> Extent:
        """Return bytes [start, start + length) of `path`, or all of it without a span.

        Raises:
            VideoError: the file ends before the span does.
        """
        size = path.stat().st_size
        start, length = span or (0, size)
        if start < 0 or length <= 0 or start + length > size:
            raise self.refuse(
                f"takes bytes {start} to {start + length} of {path.name}, which has {size}"
            )
        return Extent(path, start, length)


def _shown(uri: str) -> str:
    return uri if len(uri) <= 80 else f"{uri[:77]}..."
