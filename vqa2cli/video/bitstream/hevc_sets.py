"""HEVC: the fields of parameter sets that a slice header depends on (ITU-T H.265, 7.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vqa2cli.video.bitstream.bits import BitReader, HeaderError, bits_for, bounded

#: Profiles of screen content, whose slice headers have fields of their own (A.3.7, A.3.8).
_SCREEN_PROFILES = (9, 11)

#: A short-term reference picture set: per picture its distance in output order, and whether
#: the current picture refers to it; the nearest earlier first, then the nearest later.
ShortTermSet = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Sps:
    """What a slice header needs of its sequence parameter set."""

    chroma_array_type: int
    separate_planes: int
    lowest_qp: int  # -QpBdOffsetY
    poc_lsb_bits: int
    address_bits: int
    sao: int
    short_term_sets: tuple[ShortTermSet, ...]
    long_term_present: int
    long_term_used: tuple[int, ...]
    temporal_mvp: int


@dataclass(frozen=True)
class Pps:
    """What a slice header needs of its picture parameter set."""

    sps_id: int
    dependent_slices: int
    output_flag_present: int
    extra_bits: int
    cabac_init_present: int
    ref_counts: tuple[int, int]
    init_qp: int
    weighted_pred: int
    weighted_bipred: int
    lists_modification: int


def read_sps(bits: BitReader) -> tuple[int, Sps]:
    """Return the id and the facts of a sequence parameter set (7.3.2.2.1).

    Raises:
        HeaderError: it is truncated, out of range, or of a screen content profile.
    """
    bits.skip(16 + 4)
    sub_layers = bits.u(3)
    bits.skip(1)
    _skip_profile_tier_level(bits, sub_layers)
    sps_id = bounded(bits.ue(), 15, "sps_seq_parameter_set_id")
    chroma = bounded(bits.ue(), 3, "chroma_format_idc")
    separate = bits.flag() if chroma == 3 else 0
    width, height = bits.ue(), bits.ue()
    bits.skip_ue(4 * bits.flag())  # conformance window
    depth = bounded(bits.ue(), 8, "bit_depth_luma_minus8")
    bits.skip_ue(1)  # bit_depth_chroma_minus8
    poc_lsb_bits = bounded(bits.ue(), 12, "log2_max_pic_order_cnt_lsb_minus4") + 4
    bits.skip_ue(3 * (sub_layers + 1 if bits.flag() else 1))  # buffering of the sub-layers
    log2_ctb = bounded(bits.ue() + 3 + bits.ue(), 6, "log2 of the coding tree block")
    bits.skip_ue(4)  # transform blocks
    if bits.flag() and bits.flag():  # scaling_list_enabled_flag, sps_scaling_list_data_present_flag
        skip_scaling_lists(bits)
    bits.skip(1)  # amp_enabled_flag
    sao = bits.flag()
    if bits.flag():  # pcm_enabled_flag
        bits.skip(8)
        bits.skip_ue(2)
        bits.skip(1)
    sets: list[ShortTermSet] = []
    for index in range(bounded(bits.ue(), 64, "num_short_term_ref_pic_sets")):
        sets.append(_next_set(bits, sets[index - 1] if index and bits.flag() else None))
    long_term = bits.flag()
    long_term_used = _read_long_term_used(bits, poc_lsb_bits) if long_term else ()
    blocks = -(-width >> log2_ctb) * -(-height >> log2_ctb)
    return sps_id, Sps(
        chroma_array_type=0 if separate else chroma,
        separate_planes=separate,
        lowest_qp=-6 * depth,
        poc_lsb_bits=poc_lsb_bits,
        address_bits=bits_for(blocks),
        sao=sao,
        short_term_sets=tuple(sets),
        long_term_present=long_term,
        long_term_used=long_term_used,
        temporal_mvp=bits.flag(),
    )


def _skip_profile_tier_level(bits: BitReader, sub_layers: int) -> None:
    """Leave out profile_tier_level( 1, `sub_layers` ) (7.3.3)."""
    bits.skip(3)
    if bits.u(5) in _SCREEN_PROFILES:
        raise HeaderError("a screen content profile")
    bits.skip(32 + 4 + 43 + 1 + 8)
    present = [bits.u(2) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for flags in present:
        bits.skip(88 * (flags >> 1) + 8 * (flags & 1))


def skip_scaling_lists(bits: BitReader) -> None:
    """Leave out scaling_list_data (7.3.4)."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if bits.flag():
                bits.skip_ue((1 if size > 1 else 0) + min(64, 16 << 2 * size))
            else:
                bits.skip_ue(1)  # scaling_list_pred_matrix_id_delta


def _read_long_term_used(bits: BitReader, poc_lsb_bits: int) -> tuple[int, ...]:
    """Return used_by_curr_pic_lt_sps_flag of the candidates in the SPS (7.3.2.2.1)."""
    used = []
    for _ in range(bounded(bits.ue(), 32, "num_long_term_ref_pics_sps")):
        bits.skip(poc_lsb_bits)
        used.append(bits.flag())
    return tuple(used)


def read_own_set(bits: BitReader, sets: Sequence[ShortTermSet]) -> ShortTermSet:
    """Return the set that a slice header codes behind the `sets` of its SPS (7.3.7)."""
    if sets and bits.flag():  # inter_ref_pic_set_prediction_flag
        back = 1 + bounded(bits.ue(), len(sets) - 1, "delta_idx_minus1")
        return _next_set(bits, sets[-back])
    return _next_set(bits, None)


def _next_set(bits: BitReader, reference: ShortTermSet | None) -> ShortTermSet:
    """Return a set coded by its difference to `reference`, or on its own (7.3.7)."""
    if reference is not None:
        return _predicted_set(bits, reference)
    negative = bounded(bits.ue(), 16, "num_negative_pics")
    positive = bounded(bits.ue(), 16, "num_positive_pics")
    pictures: list[tuple[int, int]] = []
    for count, sign in ((negative, -1), (positive, 1)):
        distance = 0
        for _ in range(count):
            distance += sign * (bits.ue() + 1)
            pictures.append((distance, bits.flag()))
    return tuple(pictures)


def _predicted_set(bits: BitReader, reference: ShortTermSet) -> ShortTermSet:
    """Return `reference` moved in time and thinned out (equations 7-61 and 7-62)."""
    negative = bits.flag()
    shift = bits.ue() + 1
    shift = -shift if negative else shift
    kept = []
    for distance in (*(distance for distance, _ in reference), 0):
        used = bits.flag()
        if used or bits.flag():  # use_delta_flag
            kept.append((distance + shift, used))
    earlier = sorted((entry for entry in kept if entry[0] < 0), reverse=True)
    return (*earlier, *sorted(entry for entry in kept if entry[0] > 0))


def count_used(pictures: ShortTermSet) -> int:
    """Return how many of `pictures` the current one refers to."""
    return sum(used for _, used in pictures)


def read_pps(bits: BitReader) -> tuple[int, Pps]:
    """Return the id and the facts of a picture parameter set (7.3.2.3.1).

    Raises:
        HeaderError: it is truncated or out of range.
    """
    bits.skip(16)
    pps_id, sps_id = bounded(bits.ue(), 63, "pps_pic_parameter_set_id"), bits.ue()
    dependent_slices, output_flag = bits.flag(), bits.flag()
    extra_bits = bits.u(3)
    bits.skip(1)  # sign_data_hiding_enabled_flag
    cabac_init = bits.flag()
    ref_counts = _ref_count(bits), _ref_count(bits)
    init_qp = 26 + bits.se()
    bits.skip(2)  # constrained_intra_pred_flag, transform_skip_enabled_flag
    bits.skip_ue(bits.flag())  # cu_qp_delta_enabled_flag, diff_cu_qp_delta_depth
    bits.skip_ue(2)  # offsets of the chroma quantizer
    bits.skip(1)  # pps_slice_chroma_qp_offsets_present_flag
    weighted_pred, weighted_bipred = bits.flag(), bits.flag()
    bits.skip(1)  # transquant_bypass_enabled_flag
    tiles = bits.flag()
    bits.skip(1)  # entropy_coding_sync_enabled_flag
    if tiles:
        _skip_tiles(bits)
    bits.skip(1)  # pps_loop_filter_across_slices_enabled_flag
    if bits.flag():  # deblocking_filter_control_present_flag
        bits.skip(1)
        bits.skip_ue(0 if bits.flag() else 2)
    if bits.flag():  # pps_scaling_list_data_present_flag
        skip_scaling_lists(bits)
    return pps_id, Pps(
        sps_id=sps_id,
        dependent_slices=dependent_slices,
        output_flag_present=output_flag,
        extra_bits=extra_bits,
        cabac_init_present=cabac_init,
        ref_counts=ref_counts,
        init_qp=init_qp,
        weighted_pred=weighted_pred,
        weighted_bipred=weighted_bipred,
        lists_modification=bits.flag(),
    )


def _skip_tiles(bits: BitReader) -> None:
    """Leave out the grid of tiles (7.3.2.3.1)."""
    # Both are one less than there are; table A.8 allows 20 by 22 at the most.
    columns = bounded(bits.ue(), 19, "num_tile_columns_minus1")
    rows = bounded(bits.ue(), 21, "num_tile_rows_minus1")
    if not bits.flag():  # uniform_spacing_flag
        bits.skip_ue(columns + rows)
    bits.skip(1)  # loop_filter_across_tiles_enabled_flag


def _ref_count(bits: BitReader) -> int:
    return bounded(bits.ue(), 14, "num_ref_idx_default_active_minus1") + 1
