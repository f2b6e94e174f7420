"""AV1: frames of a stream and their base quantizer indices (AV1 specification, clause 5)."""

from __future__ import annotations

from collections.abc import Iterator

from vqa2cli.video.bitstream.av1_frame import FrameHeader, ShownFrame, read_frame_header
from vqa2cli.video.bitstream.av1_references import Reference
from vqa2cli.video.bitstream.av1_sequence import SequenceHeader, read_sequence
from vqa2cli.video.bitstream.bits import BitReader, HeaderError

_SEQUENCE_HEADER, _FRAME_HEADER, _FRAME = 1, 3, 6

#: Bytes that hold a sequence header, or a frame header up to base_q_idx; a grid of tiles of
#: unequal sizes makes the longest.
_HEADER_BYTES = 320

#: OBUs of one packet that are looked at; tile groups may come one a tile.
_MAX_OBUS = 4096

#: Bytes of an av1C box in front of its OBUs, and the bit that no OBU begins with.
_AV1C_BYTES, _AV1C_MARKER = 4, 0x80


class Av1Reader:
    """Reads base_q_idx of the frames of one AV1 stream, hidden ones included."""

    def __init__(self, extradata: bytes) -> None:
        self._sequence: SequenceHeader | None = None
        self._references: list[Reference | None] = [None] * 8
        boxed = extradata and extradata[0] & _AV1C_MARKER
        self.quantizers(extradata[_AV1C_BYTES if boxed else 0 :])

    def quantizers(self, packet: bytes) -> list[float]:
        """Return base_q_idx, 0 to 255, of every frame coded in `packet`."""
        indices = []
        for kind, layer, payload in _obus(packet):
            try:
                if kind == _SEQUENCE_HEADER:
                    self._sequence = read_sequence(BitReader(payload))
                elif kind in (_FRAME_HEADER, _FRAME):
                    indices += self._read_frame(BitReader(payload), layer)
            except HeaderError:
                continue  # this OBU tells nothing; the packet's others may
        return indices

    def _read_frame(self, bits: BitReader, layer: tuple[int, int]) -> list[float]:
        if self._sequence is None:
            raise HeaderError("a frame before its sequence header")
        header = read_frame_header(bits, self._sequence, self._references, layer)
        if isinstance(header, ShownFrame):
            self._refresh_from(header.slot)
            return []
        self._refresh(header)
        return [float(header.base_q_idx)]

    def _refresh(self, header: FrameHeader) -> None:
        """Let a decoded frame replace references (7.20)."""
        for slot in range(8):
            if header.refresh >> slot & 1:
                self._references[slot] = header.reference

    def _refresh_from(self, slot: int) -> None:
        """Let a key frame that is shown late replace all references (7.21)."""
        shown = self._references[slot]
        if shown and shown.key:
            self._references = [shown] * 8


def _obus(data: bytes) -> Iterator[tuple[int, tuple[int, int], bytes]]:
    """Yield type, (temporal_id, spatial_id) and the payload's beginning of each OBU (5.3)."""
    at = 0
    for _ in range(_MAX_OBUS):
        if at >= len(data):
            return
        head, extension = data[at], 0
        if head & 0x80:  # obu_forbidden_bit
            return
        at += 1
        if head & 4:  # obu_extension_flag
            extension = data[at] if at < len(data) else 0
            at += 1
        size = len(data) - at
        if head & 2:  # obu_has_size_field
            size, at = _leb128(data, at)
        layer = extension >> 5, extension >> 3 & 3
        yield head >> 3 & 15, layer, data[at : at + min(size, _HEADER_BYTES)]
        at += size


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of little-endian 7-bit groups at `at`, and where it ends (4.10.5)."""
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * index
        if not byte & 128:
            return value, at + index + 1
    return len(data), len(data)
