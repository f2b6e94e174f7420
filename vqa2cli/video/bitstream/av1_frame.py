"""AV1: one frame header, up to the base quantizer index (AV1, 5.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vqa2cli.video.bitstream.av1_references import Reference, named_references
from vqa2cli.video.bitstream.av1_sequence import SELECT, SequenceHeader
from vqa2cli.video.bitstream.av1_tiles import skip_tile_info
from vqa2cli.video.bitstream.bits import BitReader, HeaderError

KEY_FRAME, INTER_FRAME, INTRA_ONLY_FRAME, SWITCH_FRAME = range(4)

#: refresh_frame_flags of a frame that replaces every reference.
ALL_REFERENCES = 0xFF


@dataclass(frozen=True)
class FrameHeader:
    """A coded frame: its quantizer, and what it leaves behind as a reference.

    `refresh` has bit i set where the frame becomes reference i.
    """

    base_q_idx: int
    refresh: int
    reference: Reference


@dataclass(frozen=True)
class ShownFrame:
    """show_existing_frame: no picture is coded, the reference `slot` is shown."""

    slot: int


@dataclass(frozen=True)
class _Start:
    """The beginning of a header, up to refresh_frame_flags."""

    frame_type: int
    error_resilient: int
    fixed_cdf: int  # disable_cdf_update
    screen_content: int
    integer_mv: int
    size_override: bool
    order_hint: int
    refresh: int

    @property
    def intra(self) -> bool:
        return self.frame_type in (KEY_FRAME, INTRA_ONLY_FRAME)


def read_frame_header(
    bits: BitReader,
    sequence: SequenceHeader,
    references: Sequence[Reference | None],
    layer: tuple[int, int],
) -> FrameHeader | ShownFrame:
    """Return what uncompressed_header says up to base_q_idx (5.9.2).

    Args:
        bits: the header.
        sequence: the sequence header in force.
        references: the eight reference frames, None where one is not known.
        layer: temporal_id and spatial_id of the OBU.

    Raises:
        HeaderError: it is truncated, or builds on a reference that is not known.
    """
    if not sequence.reduced and bits.flag():  # show_existing_frame
        return ShownFrame(bits.u(3))
    start = _read_start(bits, sequence, layer)
    hints = [reference.order_hint if reference else 0 for reference in references]
    if start.error_resilient and sequence.order_hint_bits and _tells_order_hints(start):
        hints = [bits.u(sequence.order_hint_bits) for _ in range(8)]
    if start.intra:
        size, upscaled = _read_size(bits, sequence, start)
        _skip_render_size(bits)
        if start.screen_content and upscaled == size[0]:
            bits.skip(1)  # allow_intrabc
    else:
        size, upscaled = _read_inter(bits, sequence, start, references, hints)
    if not (sequence.reduced or start.fixed_cdf):
        bits.skip(1)  # disable_frame_end_update_cdf
    skip_tile_info(bits, size, bool(sequence.use_128))
    reference = Reference(upscaled, size[1], start.order_hint, start.frame_type == KEY_FRAME)
    return FrameHeader(bits.u(8), start.refresh, reference)


def _tells_order_hints(start: _Start) -> bool:
    return not start.intra or start.refresh != ALL_REFERENCES


def _read_start(bits: BitReader, sequence: SequenceHeader, layer: tuple[int, int]) -> _Start:
    frame_type, shown, resilient = KEY_FRAME, 1, 1
    if not sequence.reduced:
        frame_type, shown, resilient = _read_type(bits, sequence)
    fixed_cdf = bits.flag()
    screen_content = sequence.screen_content
    if screen_content == SELECT:
        screen_content = bits.flag()
    integer_mv = sequence.integer_mv if screen_content else 0
    if integer_mv == SELECT:
        integer_mv = bits.flag()
    bits.skip(sequence.frame_id_bits)  # current_frame_id
    size_override = frame_type == SWITCH_FRAME or (not sequence.reduced and bits.flag())
    order_hint = bits.u(sequence.order_hint_bits)
    if not (frame_type in (KEY_FRAME, INTRA_ONLY_FRAME) or resilient):
        bits.skip(3)  # primary_ref_frame
    if sequence.timing.removal_bits:
        _skip_removal_times(bits, sequence, layer)
    replaces_all = frame_type == SWITCH_FRAME or (frame_type == KEY_FRAME and shown)
    return _Start(
        frame_type=frame_type,
        error_resilient=resilient,
        fixed_cdf=fixed_cdf,
        screen_content=screen_content,
        integer_mv=integer_mv,
        size_override=bool(size_override),
        order_hint=order_hint,
        refresh=ALL_REFERENCES if replaces_all else bits.u(8),
    )


def _read_type(bits: BitReader, sequence: SequenceHeader) -> tuple[int, int, int]:
    """Return frame_type, show_frame and error_resilient_mode (5.9.2)."""
    frame_type, shown = bits.u(2), bits.flag()
    timing = sequence.timing
    if not shown:
        bits.skip(1)  # showable_frame
    elif timing.removal_bits and not timing.equal_picture_interval:
        bits.skip(timing.presentation_bits)  # temporal_point_info
    if frame_type == SWITCH_FRAME or (frame_type == KEY_FRAME and shown):
        return frame_type, shown, 1
    return frame_type, shown, bits.flag()


def _skip_removal_times(bits: BitReader, sequence: SequenceHeader, layer: tuple[int, int]) -> None:
    if not bits.flag():  # buffer_removal_time_present_flag
        return
    temporal, spatial = layer
    for point in sequence.timing.decoder_ops:
        if not point or (point >> temporal & 1 and point >> (spatial + 8) & 1):
            bits.skip(sequence.timing.removal_bits)


def _read_inter(
    bits: BitReader,
    sequence: SequenceHeader,
    start: _Start,
    references: Sequence[Reference | None],
    hints: Sequence[int],
) -> tuple[tuple[int, int], int]:
    """Return the size of an inter frame as `_read_size`, and leave out its references."""
    named: list[int] | None = None
    if sequence.order_hint_bits and bits.flag():  # frame_refs_short_signaling
        last, golden = bits.u(3), bits.u(3)
        named = named_references(last, golden, hints, start.order_hint, sequence.order_hint_bits)
    slots = []
    for index in range(7):
        slots.append(bits.u(3) if named is None else named[index])
        bits.skip(sequence.delta_frame_id_bits)
    if start.size_override and not start.error_resilient:
        size, upscaled = _read_size_with_refs(bits, sequence, start, [references[i] for i in slots])
    else:
        size, upscaled = _read_size(bits, sequence, start)
        _skip_render_size(bits)
    if not start.integer_mv:
        bits.skip(1)  # allow_high_precision_mv
    if not bits.flag():  # is_filter_switchable
        bits.skip(2)
    bits.skip(1)  # is_motion_mode_switchable
    if sequence.ref_frame_mvs and not start.error_resilient:
        bits.skip(1)  # use_ref_frame_mvs
    return size, upscaled


def _read_size(
    bits: BitReader, sequence: SequenceHeader, start: _Start
) -> tuple[tuple[int, int], int]:
    """Return (FrameWidth, FrameHeight) and UpscaledWidth (5.9.5)."""
    width, height = sequence.max_width, sequence.max_height
    if start.size_override:
        width, height = bits.u(sequence.width_bits) + 1, bits.u(sequence.height_bits) + 1
    return (_superres_width(bits, sequence, width), height), width


def _read_size_with_refs(
    bits: BitReader,
    sequence: SequenceHeader,
    start: _Start,
    references: Sequence[Reference | None],
) -> tuple[tuple[int, int], int]:
    """Return as `_read_size`, where a size may be that of a reference (5.9.7)."""
    for reference in references:
        if bits.flag():  # found_ref
            if reference is None:
                raise HeaderError("the size of a reference that is not known")
            width = reference.upscaled_width
            return (_superres_width(bits, sequence, width), reference.height), width
    size, upscaled = _read_size(bits, sequence, start)
    _skip_render_size(bits)
    return size, upscaled


def _superres_width(bits: BitReader, sequence: SequenceHeader, upscaled: int) -> int:
    """Return FrameWidth, the width before super-resolution (5.9.8)."""
    if not (sequence.superres and bits.flag()):
        return upscaled
    denominator = bits.u(3) + 9
    return (upscaled * 8 + denominator // 2) // denominator


def _skip_render_size(bits: BitReader) -> None:
    bits.skip(32 * bits.flag())
