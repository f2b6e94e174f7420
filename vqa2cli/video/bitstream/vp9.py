"""VP9: frame headers up to the base quantizer index (VP9 bitstream specification, 6.2)."""

from __future__ import annotations

from collections.abc import Iterator

from vqa2cli.video.bitstream.bits import BitReader, HeaderError

#: Bytes that hold every field of an uncompressed header up to base_q_idx.
_HEADER_BYTES = 64

_SYNC_CODE = 0x498342
_KEY_FRAME = 0
_RGB = 7


class Vp9Reader:
    """Reads base_q_idx of the frames of one VP9 stream, hidden ones included."""

    def __init__(self, extradata: bytes) -> None:
        """`extradata` says nothing that frame headers do not."""

    def quantizers(self, packet: bytes) -> list[float]:
        """Return base_q_idx, 0 to 255, of every frame coded in `packet`."""
        indices = []
        for frame in _frames(packet):
            try:
                index = _base_q_idx(BitReader(frame[:_HEADER_BYTES]))
            except HeaderError:
                continue  # this frame tells nothing; the superframe's others may
            if index is not None:
                indices.append(float(index))
        return indices


def _frames(packet: bytes) -> Iterator[bytes]:
    """Yield the frames of a packet, which may be a superframe (annex B)."""
    last = packet[-1] if packet else 0
    if last & 0xE0 == 0xC0:
        count, width = (last & 7) + 1, (last >> 3 & 3) + 1
        index = packet[-(2 + count * width) :]
        if len(index) == 2 + count * width and index[0] == last:
            at = 0
            for start in range(1, 1 + count * width, width):
                size = int.from_bytes(index[start : start + width], "little")
                yield packet[at : at + size]
                at += size
            return
    yield packet


def _base_q_idx(bits: BitReader) -> int | None:
    """Return base_q_idx of a frame, None where it only shows an earlier one (6.2).

    Raises:
        HeaderError: it is truncated or no frame of VP9.
    """
    if bits.u(2) != 2:  # frame_marker
        raise HeaderError("no frame marker")
    profile = bits.flag() | bits.flag() << 1
    if profile == 3:
        bits.skip(1)
    if bits.flag():  # show_existing_frame
        return None
    frame_type, shown, resilient = bits.flag(), bits.flag(), bits.flag()
    if frame_type == _KEY_FRAME:
        _check_sync_code(bits)
        _skip_color_config(bits, profile)
        _skip_frame_size(bits)
    else:
        intra_only = 0 if shown else bits.flag()
        bits.skip(0 if resilient else 2)  # reset_frame_context
        if intra_only:
            _check_sync_code(bits)
            if profile > 0:
                _skip_color_config(bits, profile)
            bits.skip(8)  # refresh_frame_flags
            _skip_frame_size(bits)
        else:
            _skip_references(bits)
    bits.skip(2 if resilient else 4)  # refresh and parallel decoding flags, frame_context_idx
    _skip_loop_filter(bits)
    return bits.u(8)


def _check_sync_code(bits: BitReader) -> None:
    if bits.u(24) != _SYNC_CODE:
        raise HeaderError("no sync code")


def _skip_color_config(bits: BitReader, profile: int) -> None:
    """Leave out color_config (6.2.2); odd profiles say how chroma is sampled."""
    if profile >= 2:
        bits.skip(1)  # ten_or_twelve_bit
    rgb = bits.u(3) == _RGB
    bits.skip((0 if rgb else 1) + (profile & 1) * (1 if rgb else 3))


def _skip_frame_size(bits: BitReader) -> None:
    """Leave out frame_size and render_size (6.2.3 and 6.2.4)."""
    bits.skip(32)
    bits.skip(32 * bits.flag())


def _skip_references(bits: BitReader) -> None:
    """Leave out what an inter frame says of its references (6.2, 6.2.5 and 6.2.7)."""
    bits.skip(8 + 3 * 4)  # refresh_frame_flags; three references and their sign biases
    for _ in range(3):
        if bits.flag():  # found_ref
            break
    else:
        bits.skip(32)
    bits.skip(32 * bits.flag())  # render size
    bits.skip(1)  # allow_high_precision_mv
    if not bits.flag():  # is_filter_switchable
        bits.skip(2)


def _skip_loop_filter(bits: BitReader) -> None:
    """Leave out loop_filter_params (6.2.8)."""
    bits.skip(6 + 3)
    if bits.flag() and bits.flag():  # loop_filter_delta_enabled, loop_filter_delta_update
        for _ in range(4 + 2):
            bits.skip(7 * bits.flag())
