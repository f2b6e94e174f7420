"""Reads which shared libraries a library links, without loading it.

Source: System V ABI, "Object Files" and "Dynamic Linking"; 64-bit little-endian files only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_LOAD, _DYNAMIC = 1, 2  # program header types
_NULL, _NEEDED, _STRING_TABLE = 0, 1, 5  # dynamic entry tags


@dataclass(frozen=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def needed_libraries(path: Path) -> list[str]:
    """Return the names of the libraries that the file at `path` links, in order.

    Raises:
        ValueError: the file is no 64-bit little-endian ELF library, or it is cut short.
        OSError: the file cannot be read.
    """
    data = path.read_bytes()
    if not data.startswith(_MAGIC):
        raise ValueError(f"{path.name} is no 64-bit little-endian ELF file")
    try:
        segments = _segments(data)
        entries = _dynamic(data, segments)
        table = _file_offset(
            segments, next(value for tag, value in entries if tag == _STRING_TABLE)
        )
        return [_string(data, table + value) for tag, value in entries if tag == _NEEDED]
    except (struct.error, StopIteration, ValueError) as error:
        raise ValueError(f"{path.name} has no readable dynamic section") from error


def _segments(data: bytes) -> list[_Segment]:
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    found = []
    for index in range(count):
        kind, _, offset, address, _, length = struct.unpack_from(
            "<IIQQQQ", data, start + index * size
        )
        found.append(_Segment(kind, offset, address, length))
    return found


def _dynamic(data: bytes, segments: list[_Segment]) -> list[tuple[int, int]]:
    section = next(segment for segment in segments if segment.kind == _DYNAMIC)
    entries: list[tuple[int, int]] = []
    for offset in range(section.offset, section.offset + section.size, 16):
        tag, value = struct.unpack_from("<qQ", data, offset)
        if tag == _NULL:
            break
        entries.append((tag, value))
    return entries


def _file_offset(segments: list[_Segment], address: int) -> int:
    for segment in segments:
        if segment.kind == _LOAD and 0 <= address - segment.address < segment.size:
            return segment.offset + address - segment.address
    raise ValueError("an address outside the file")


def _string(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode()
