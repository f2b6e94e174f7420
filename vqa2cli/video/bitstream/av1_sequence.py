"""AV1: the sequence header, as far as frame headers depend on it (AV1, 5.5)."""

from __future__ import annotations

from dataclasses import dataclass

from vqa2cli.video.bitstream.bits import BitReader

#: Value of seq_force_screen_content_tools and seq_force_integer_mv: each frame says itself.
SELECT = 2


@dataclass(frozen=True)
class Timing:
    """Fields of 5.5.3 to 5.5.5: when frames are decoded and shown.

    `decoder_ops` holds operating_point_idc of each operating point that has a decoder model.
    """

    equal_picture_interval: int = 0
    removal_bits: int = 0  # 0 without decoder_model_info
    presentation_bits: int = 0
    decoder_ops: tuple[int, ...] = ()


@dataclass(frozen=True)
class SequenceHeader:
    """What a frame header needs of its sequence header."""

    reduced: int  # reduced_still_picture_header
    timing: Timing
    width_bits: int
    height_bits: int
    max_width: int
    max_height: int
    frame_id_bits: int  # 0 without frame ids
    delta_frame_id_bits: int
    use_128: int
    ref_frame_mvs: int
    order_hint_bits: int  # 0 without order hints
    screen_content: int
    integer_mv: int
    superres: int


def read_sequence(bits: BitReader) -> SequenceHeader:
    """Return the facts of a sequence header (5.5.1), read up to enable_superres.

    Raises:
        TruncatedError: it ends before that.
    """
    bits.skip(3 + 1)  # seq_profile, still_picture
    reduced = bits.flag()
    if reduced:
        bits.skip(5)  # seq_level_idx
        timing = Timing()
    else:
        timing = _read_timing(bits)
    width_bits, height_bits = bits.u(4) + 1, bits.u(4) + 1
    max_width, max_height = bits.u(width_bits) + 1, bits.u(height_bits) + 1
    delta_bits = id_bits = 0
    if not reduced and bits.flag():  # frame_id_numbers_present_flag
        delta_bits = bits.u(4) + 2
        id_bits = bits.u(3) + 1 + delta_bits
    use_128 = bits.flag()
    bits.skip(2)  # enable_filter_intra, enable_intra_edge_filter
    mvs, hint_bits, screen, integer = (0, 0, SELECT, SELECT) if reduced else _read_tools(bits)
    return SequenceHeader(
        reduced=reduced,
        timing=timing,
        width_bits=width_bits,
        height_bits=height_bits,
        max_width=max_width,
        max_height=max_height,
        frame_id_bits=id_bits,
        delta_frame_id_bits=delta_bits,
        use_128=use_128,
        ref_frame_mvs=mvs,
        order_hint_bits=hint_bits,
        screen_content=screen,
        integer_mv=integer,
        superres=bits.flag(),
    )


def _read_timing(bits: BitReader) -> Timing:
    """Return the timing facts, and leave out the operating points they stand among (5.5.1)."""
    equal_interval = delay_bits = removal_bits = presentation_bits = 0
    if bits.flag():  # timing_info_present_flag
        bits.skip(64)
        equal_interval = bits.flag()
        if equal_interval:
            bits.uvlc()  # num_ticks_per_picture_minus_1
        if bits.flag():  # decoder_model_info_present_flag
            delay_bits = bits.u(5) + 1
            bits.skip(32)
            removal_bits, presentation_bits = bits.u(5) + 1, bits.u(5) + 1
    delays_present = bits.flag()  # initial_display_delay_present_flag
    decoder_ops = []
    for _ in range(bits.u(5) + 1):
        point = bits.u(12)
        bits.skip(1 if bits.u(5) > 7 else 0)  # seq_tier
        if removal_bits and bits.flag():  # decoder_model_present_for_this_op
            decoder_ops.append(point)
            bits.skip(2 * delay_bits + 1)
        if delays_present and bits.flag():
            bits.skip(4)
    return Timing(equal_interval, removal_bits, presentation_bits, tuple(decoder_ops))


def _read_tools(bits: BitReader) -> tuple[int, int, int, int]:
    """Return the tools of a sequence of moving pictures (5.5.1).

    These are enable_ref_frame_mvs, OrderHintBits, and the two that force the use of screen
    content tools and of whole motion vectors.
    """
    bits.skip(4)  # interintra, masked compound, warped motion, dual filter
    order_hint = bits.flag()
    mvs = 0
    if order_hint:
        bits.skip(1)  # enable_jnt_comp
        mvs = bits.flag()
    screen = SELECT if bits.flag() else bits.flag()
    integer = SELECT
    if screen:
        integer = SELECT if bits.flag() else bits.flag()
    return mvs, bits.u(3) + 1 if order_hint else 0, screen, integer
