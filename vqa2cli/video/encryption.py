"""Tell from a file's boxes whether its video track is encrypted (ISO/IEC 14496-12, 23001-7).

Decoders turn some encrypted samples into clean-looking noise without any error, so the
sample entry has to be looked at: `encv` holding `sinf` stands in the place of `avc1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

#: Boxes looked at, and bytes read of one movie header: real ones are far smaller.
_MAX_BOXES = 4096
_MAX_MOOV_BYTES = 64 * 2**20


def has_encrypted_video_track(file: BinaryIO) -> bool:
    """Return whether an ISO base media file declares an encrypted video sample entry.

    False for every other kind of file, and for what lies behind a damaged box.
    """
    for kind, size in _top_level_boxes(file):
        if kind == b"moov":
            header = file.read(min(size, _MAX_MOOV_BYTES))
            entry = header.find(b"encv")
            if entry >= 0 and header.find(b"sinf", entry) >= 0:
                return True
    return False


def _top_level_boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield type and payload size of each top-level box, the file standing at its payload."""
    position, end = 0, file.seek(0, 2)
    for _ in range(_MAX_BOXES):
        if position >= end:
            return
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind, used = int.from_bytes(head[:4], "big"), head[4:], 8
        if not kind.isascii():
            return  # not an ISO base media file
        if size == 1:
            size, used = int.from_bytes(file.read(8), "big"), 16
        if size == 0:  # to the end of the file
            size = _MAX_MOOV_BYTES
        if size < used:
            return
        yield kind, size - used
        position += size
