"""NAL units of H.264 and HEVC: find them in a packet, undo their escaping."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar, TypeVar

from vqa2cli.video.bitstream.bits import BitReader, TruncatedError

#: Bytes of a NAL unit that a header may reach into; parameter sets and weights are shorter.
MAX_HEADER_BYTES = 4096

#: Bytes that hold nearly every slice header; only a longer one is read again.
SHORT_HEADER_BYTES = 48

#: NAL units of one packet that are looked at; HEVC's highest level has 600 slices a picture.
MAX_UNITS = 1024

_START_CODE = b"\x00\x00\x01"
_LENGTH_OF_ONE = b"\x00\x00\x00\x01"

Header = TypeVar("Header")


class NalReader(ABC):
    """Reads the luma quantizer of the pictures of one stream, in a box's form or Annex B's."""

    #: Where the configuration box tells the bytes of each unit's length, in its last two bits.
    length_at: ClassVar[int]

    def __init__(self, extradata: bytes) -> None:
        """Take the parameter sets of `extradata`: a configuration box, Annex B, or nothing."""
        boxed = bool(extradata) and not is_annex_b(extradata)
        self._prefix = 0
        if boxed:
            told = extradata[self.length_at : self.length_at + 1]
            self._prefix = 1 + (told[0] & 3) if told else 4
        for unit in self.configured_units(extradata) if boxed else units_of(extradata, 0):
            self.slice_qp(unit)

    def quantizers(self, packet: bytes) -> list[float]:
        """Return the mean quantizer of the slices of the packet's picture: one number, or none."""
        units = units_of(packet, self._prefix)
        qps = [qp for unit in units if (qp := self.slice_qp(unit)) is not None]
        return [sum(qps) / len(qps)] if qps else []

    @staticmethod
    @abstractmethod
    def configured_units(box: bytes) -> Iterator[bytes]:
        """Yield the parameter sets of a configuration box."""

    @abstractmethod
    def slice_qp(self, unit: bytes) -> int | None:
        """Return the quantizer of a slice; keep a parameter set; pass over all else."""


def is_annex_b(data: bytes) -> bool:
    """Tell whether `data` begins with a start code (H.264 and HEVC, Annex B)."""
    return data.startswith((_START_CODE, _LENGTH_OF_ONE))


def units_of(data: bytes, prefix: int) -> Iterator[bytes]:
    """Yield the beginning of each NAL unit in `data`, of at most `MAX_UNITS`.

    `prefix` is the bytes of the length before each unit, 0 where start codes part them. A
    first unit of one byte makes no sense, so where one is told it is a start code after all;
    the shorter start code is also the length of a unit of 256 bytes or more.
    """
    if prefix and not data.startswith(_LENGTH_OF_ONE):
        return _length_prefixed(data, prefix)
    return _between_start_codes(data)


def _between_start_codes(data: bytes) -> Iterator[bytes]:
    at = data.find(_START_CODE)
    for _ in range(MAX_UNITS):
        if at < 0:
            return
        end = data.find(_START_CODE, at + 3)
        stop = len(data) if end < 0 else end
        yield data[at + 3 : min(stop, at + 3 + MAX_HEADER_BYTES)]
        at = end


def _length_prefixed(data: bytes, prefix: int) -> Iterator[bytes]:
    at = 0
    for _ in range(MAX_UNITS):
        size = int.from_bytes(data[at : at + prefix], "big")
        at += prefix
        if at >= len(data):
            return
        if data.find(_START_CODE, at, at + min(size, SHORT_HEADER_BYTES)) >= 0:
            # Some phones let one length stand before several units, parted by start codes.
            yield from _between_start_codes(_START_CODE + data[at : at + size])
        else:
            yield data[at : at + min(size, MAX_HEADER_BYTES)]
        at += size


def unescaped(unit: bytes) -> bytes:
    """Return `unit` without its emulation prevention bytes (clause 7.3.1 in both)."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


def read_header(unit: bytes, parse: Callable[[BitReader], Header]) -> Header:
    """Return what `parse` makes of `unit`, which is unescaped only as far as is needed.

    Raises:
        HeaderError: as `parse`, or the unit ends within its header.
    """
    try:
        return parse(BitReader(unescaped(unit[:SHORT_HEADER_BYTES])))
    except TruncatedError:
        if len(unit) <= SHORT_HEADER_BYTES:
            raise
    return parse(BitReader(unescaped(unit)))
