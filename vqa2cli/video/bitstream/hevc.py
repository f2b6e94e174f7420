"""HEVC: slice segment headers up to the slice's quantizer (ITU-T H.265, clause 7.3)."""

from __future__ import annotations

from collections.abc import Iterator

from vqa2cli.video.bitstream.bits import BitReader, HeaderError, bits_for, bounded
from vqa2cli.video.bitstream.hevc_sets import (
    Pps,
    Sps,
    count_used,
    read_own_set,
    read_pps,
    read_sps,
)
from vqa2cli.video.bitstream.nal import NalReader, read_header

_SPS, _PPS = 33, 34
_B, _P = 0, 1

#: Slice segments of pictures: trailing to RASL, and the random access ones (table 7-1).
_SLICES = frozenset((*range(10), *range(16, 22)))
_RANDOM_ACCESS = range(16, 24)
_IDR = (19, 20)


class HevcReader(NalReader):
    """Reads SliceQpY of the pictures of one HEVC stream, hvcC or Annex B."""

    length_at = 21

    def __init__(self, extradata: bytes) -> None:
        self._sps: dict[int, Sps] = {}
        self._pps: dict[int, Pps] = {}
        super().__init__(extradata)

    @staticmethod
    def configured_units(box: bytes) -> Iterator[bytes]:
        """Yield the parameter sets of an hvcC box (ISO/IEC 14496-15, 8.3.3.1.2)."""
        at = 23
        for _ in range(box[22] if len(box) > 22 else 0):
            count = int.from_bytes(box[at + 1 : at + 3], "big")
            at += 3
            for _ in range(count):
                if at >= len(box):
                    return
                size = int.from_bytes(box[at : at + 2], "big")
                yield box[at + 2 : at + 2 + size]
                at += 2 + size

    def slice_qp(self, unit: bytes) -> int | None:
        """Return the quantizer of a slice; keep a parameter set; pass over all else."""
        if len(unit) < 3 or unit[0] & 0x81 or unit[1] >> 3:
            return None  # nothing in it, damaged, or of another layer (nuh_layer_id)
        kind = unit[0] >> 1
        try:
            if kind in _SLICES:
                return read_header(unit, self._read_slice)
            if kind == _SPS:
                self._sps.update([read_header(unit, read_sps)])
            elif kind == _PPS:
                self._pps.update([read_header(unit, read_pps)])
        except HeaderError:
            pass  # this unit tells nothing; the picture's other slices may
        return None

    def _read_slice(self, bits: BitReader) -> int | None:
        """Return SliceQpY, 26 + init_qp_minus26 + slice_qp_delta (7.3.6.1 and 7.4.7.1).

        A dependent slice segment has none of its own: None.
        """
        kind = bits.u(16) >> 9
        first = bits.flag()
        if kind in _RANDOM_ACCESS:
            bits.skip(1)  # no_output_of_prior_pics_flag
        pps = self._pps.get(bits.ue())
        sps = self._sps.get(pps.sps_id) if pps else None
        if pps is None or sps is None:
            raise HeaderError("a slice before its parameter sets")
        if not first:
            dependent = pps.dependent_slices and bits.flag()
            bits.skip(sps.address_bits)  # slice_segment_address
            if dependent:
                return None
        bits.skip(pps.extra_bits)
        slice_type = bounded(bits.ue(), 2, "slice_type")
        bits.skip(pps.output_flag_present + 2 * sps.separate_planes)
        used, temporal_mvp = (0, 0) if kind in _IDR else _read_picture_order(bits, sps)
        if sps.sao:
            bits.skip(2 if sps.chroma_array_type else 1)
        if slice_type in (_B, _P):
            _skip_prediction(bits, sps, pps, slice_type, used, temporal_mvp)
        qp = pps.init_qp + bits.se()
        if not sps.lowest_qp <= qp <= 51:
            raise HeaderError(f"SliceQpY of {qp}")
        return qp


def _read_picture_order(bits: BitReader, sps: Sps) -> tuple[int, int]:
    """Return NumPicTotalCurr and slice_temporal_mvp_enabled_flag (7.3.6.1, equation 7-55)."""
    bits.skip(sps.poc_lsb_bits)
    sets = sps.short_term_sets
    if not bits.flag():  # short_term_ref_pic_set_sps_flag
        current = read_own_set(bits, sets)
    else:
        index = bits.u(bits_for(len(sets)))
        current = sets[index] if index < len(sets) else ()
    used = count_used(current)
    if sps.long_term_present:
        used += _read_long_term(bits, sps)
    return used, bits.flag() if sps.temporal_mvp else 0


def _read_long_term(bits: BitReader, sps: Sps) -> int:
    """Return how many long-term pictures the current one refers to (7.3.6.1)."""
    known = sps.long_term_used
    from_sps = bounded(bits.ue(), 33, "num_long_term_sps") if known else 0
    total = from_sps + bounded(bits.ue(), 33, "num_long_term_pics")
    used = 0
    for index in range(total):
        if index < from_sps:
            entry = bits.u(bits_for(len(known)))
            used += known[entry] if entry < len(known) else 0
        else:
            bits.skip(sps.poc_lsb_bits)
            used += bits.flag()
        if bits.flag():  # delta_poc_msb_present_flag
            bits.skip_ue(1)
    return used


def _skip_prediction(
    bits: BitReader, sps: Sps, pps: Pps, slice_type: int, used: int, temporal_mvp: int
) -> None:
    """Leave out what a P or B slice says of its references (7.3.6.1 to 7.3.6.3)."""
    lists = 2 if slice_type == _B else 1
    counts = pps.ref_counts[:lists]
    if bits.flag():  # num_ref_idx_active_override_flag
        counts = tuple(bounded(bits.ue(), 14, "num_ref_idx") + 1 for _ in range(lists))
    if pps.lists_modification and used > 1:
        for count in counts:
            if bits.flag():  # ref_pic_list_modification_flag
                bits.skip(count * bits_for(used))
    if slice_type == _B:
        bits.skip(1)  # mvd_l1_zero_flag
    if pps.cabac_init_present:
        bits.skip(1)  # cabac_init_flag
    if temporal_mvp:
        from_l0 = bits.flag() if slice_type == _B else 1
        if counts[0 if from_l0 else 1] > 1:
            bits.skip_ue(1)  # collocated_ref_idx
    if pps.weighted_bipred if slice_type == _B else pps.weighted_pred:
        _skip_weights(bits, counts, bool(sps.chroma_array_type))
    bits.skip_ue(1)  # five_minus_max_num_merge_cand


def _skip_weights(bits: BitReader, counts: tuple[int, ...], chroma: bool) -> None:
    """Leave out the weighted prediction table (7.3.6.3)."""
    bits.skip_ue(2 if chroma else 1)
    for count in counts:
        numbers = [2 * flag for flag in bits.flags(count)]
        if chroma:
            numbers += [4 * flag for flag in bits.flags(count)]
        bits.skip_ue(sum(numbers))
