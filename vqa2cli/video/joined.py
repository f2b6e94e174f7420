"""Several local files, or parts of them, read as one."""

from __future__ import annotations

import io
from bisect import bisect_right
from itertools import accumulate
from typing import BinaryIO

from vqa2cli.errors import VideoError
from vqa2cli.video.sources import Joined


class JoinedFile(io.RawIOBase):
    """A readable, seekable view of extents end to end; one file is open at a time."""

    #: FFmpeg takes the name for a hint at the format; this one hints at nothing.
    name = "segments"

    def __init__(self, joined: Joined) -> None:
        """Check that every extent is there.

        Raises:
            VideoError: a segment has gone or shrunk since the playlist was read.
        """
        super().__init__()
        for extent in joined.extents:
            try:
                size = extent.path.stat().st_size
            except OSError as error:
                raise VideoError(
                    "unreadable", f"{joined.name}: {extent.path.name}: {error.strerror}"
                ) from error
            if size < extent.start + extent.length:
                raise VideoError(
                    "unreadable", f"{joined.name}: {extent.path.name} ends before byte "
                    f"{extent.start + extent.length}; write it again",
                )  # fmt: skip
        self._extents = joined.extents
        self._ends = list(accumulate(extent.length for extent in joined.extents))
        self._position = 0
        self._open: tuple[int, BinaryIO] | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, bytes from the start of the first extent."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to `offset` and return the new position."""
        size = self._ends[-1] if self._ends else 0
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: size}[whence]
        self._position = max(origin + offset, 0)
        return self._position

    def readall(self) -> bytes:
        """Return everything from the position on."""
        return b"".join(iter(lambda: self.read(2**20), b""))

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, less where an extent ends; none at the very end."""
        if size < 0:
            return self.readall()
        index = bisect_right(self._ends, self._position)
        if index == len(self._ends):
            return b""
        left = self._ends[index] - self._position
        extent = self._extents[index]
        file = self._file(index)
        file.seek(extent.start + extent.length - left)
        data = file.read(min(size, left))
        self._position += len(data)
        return data

    def _file(self, index: int) -> BinaryIO:
        if self._open is None or self._open[0] != index:
            self._close_current()
            self._open = (index, self._extents[index].path.open("rb"))
        return self._open[1]

    def _close_current(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def close(self) -> None:
        """Close the file that is open, if any."""
        self._close_current()
        super().close()
