"""H.264: slice headers up to the slice's quantizer (ITU-T H.264, clause 7.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vqa2cli.video.bitstream.bits import BitReader, HeaderError, bits_for, bounded
from vqa2cli.video.bitstream.nal import NalReader, read_header

_SLICE, _PARTITION_A, _IDR_SLICE, _SPS, _PPS = 1, 2, 5, 7, 8
_P, _B, _I, _SP, _SI = range(5)

#: Profiles whose SPS tells the chroma format, the bit depth and scaling lists (7.3.2.1.1).
_HIGH_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))

#: More commands to the reference lists than any slice has: 32 references of fields, twice.
_MAX_COMMANDS = 66


@dataclass(frozen=True)
class _Sps:
    """What a slice header needs of its sequence parameter set."""

    chroma_array_type: int
    separate_planes: int
    lowest_qp: int  # -QpBdOffsetY
    frame_num_bits: int
    poc_type: int
    poc_lsb_bits: int
    delta_poc_always_zero: int
    frame_mbs_only: int


@dataclass(frozen=True)
class _Pps:
    """What a slice header needs of its picture parameter set."""

    sps_id: int
    cabac: int
    field_order_present: int
    ref_counts: tuple[int, int]
    weighted_pred: int
    weighted_bipred: int
    init_qp: int
    redundant_count_present: int


class AvcReader(NalReader):
    """Reads SliceQPY of the pictures of one H.264 stream, avcC or Annex B."""

    length_at = 4

    def __init__(self, extradata: bytes) -> None:
        self._sps: dict[int, _Sps] = {}
        self._pps: dict[int, _Pps] = {}
        super().__init__(extradata)

    @staticmethod
    def configured_units(box: bytes) -> Iterator[bytes]:
        """Yield the parameter sets of an avcC box (ISO/IEC 14496-15, 5.3.3.1.2)."""
        at = 5
        for mask in (31, 255):  # SPS, then PPS
            count = box[at] & mask if at < len(box) else 0
            at += 1
            for _ in range(count):
                size = int.from_bytes(box[at : at + 2], "big")
                yield box[at + 2 : at + 2 + size]
                at += 2 + size

    def slice_qp(self, unit: bytes) -> int | None:
        """Return the quantizer of a slice; keep a parameter set; pass over all else."""
        kind = unit[0] & 31 if unit and unit[0] < 128 else 0  # forbidden_zero_bit
        try:
            if kind in (_SLICE, _PARTITION_A, _IDR_SLICE):
                return read_header(unit, self._read_slice)
            if kind == _SPS:
                self._sps.update([read_header(unit, _read_sps)])
            elif kind == _PPS:
                self._pps.update([read_header(unit, _read_pps)])
        except HeaderError:
            pass  # this unit tells nothing; the picture's other slices may
        return None

    def _read_slice(self, bits: BitReader) -> int:
        """Return SliceQPY, 26 + pic_init_qp_minus26 + slice_qp_delta (7.3.3 and 7.4.3)."""
        reference, kind = bits.u(3), bits.u(5)
        bits.skip_ue(1)  # first_mb_in_slice
        slice_type = bounded(bits.ue(), 9, "slice_type") % 5
        pps = self._pps.get(bits.ue())
        sps = self._sps.get(pps.sps_id) if pps else None
        if pps is None or sps is None:
            raise HeaderError("a slice before its parameter sets")
        _skip_picture_order(bits, sps, pps, kind == _IDR_SLICE)
        if slice_type == _B:
            bits.skip(1)  # direct_spatial_mv_pred_flag
        if slice_type in (_P, _SP, _B):
            _skip_references(bits, sps, pps, slice_type)
        if reference:
            _skip_marking(bits, kind == _IDR_SLICE)
        if pps.cabac and slice_type not in (_I, _SI):
            bits.skip_ue(1)  # cabac_init_idc
        qp = pps.init_qp + bits.se()
        if not sps.lowest_qp <= qp <= 51:
            raise HeaderError(f"SliceQPY of {qp}")
        return qp


def _read_sps(bits: BitReader) -> tuple[int, _Sps]:
    """Return the id and the facts of a sequence parameter set (7.3.2.1.1)."""
    bits.skip(8)
    profile = bits.u(8)
    bits.skip(16)  # constraint flags, level_idc
    sps_id = bounded(bits.ue(), 31, "seq_parameter_set_id")
    chroma, separate, depth = 1, 0, 0
    if profile in _HIGH_PROFILES:
        chroma = bounded(bits.ue(), 3, "chroma_format_idc")
        separate = bits.flag() if chroma == 3 else 0
        depth = bounded(bits.ue(), 6, "bit_depth_luma_minus8")
        bits.skip_ue(1)  # bit_depth_chroma_minus8
        bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
        if bits.flag():
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    frame_num_bits = bounded(bits.ue(), 12, "log2_max_frame_num_minus4") + 4
    poc_type = bounded(bits.ue(), 2, "pic_order_cnt_type")
    poc_lsb_bits = always_zero = 0
    if poc_type == 0:
        poc_lsb_bits = bounded(bits.ue(), 12, "log2_max_pic_order_cnt_lsb_minus4") + 4
    elif poc_type == 1:
        always_zero = bits.flag()
        bits.skip_ue(2)
        bits.skip_ue(bounded(bits.ue(), 255, "num_ref_frames_in_pic_order_cnt_cycle"))
    bits.skip_ue(1)  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    bits.skip_ue(2)  # width and height in macroblocks
    return sps_id, _Sps(
        chroma_array_type=0 if separate else chroma,
        separate_planes=separate,
        lowest_qp=-6 * depth,
        frame_num_bits=frame_num_bits,
        poc_type=poc_type,
        poc_lsb_bits=poc_lsb_bits,
        delta_poc_always_zero=always_zero,
        frame_mbs_only=bits.flag(),
    )


def _skip_scaling_lists(bits: BitReader, lists: int) -> None:
    """Leave out the scaling lists of a parameter set (7.3.2.1.1.1)."""
    for index in range(lists):
        if not bits.flag():
            continue
        last = 8
        for _ in range(16 if index < 6 else 64):
            last = (last + bits.se()) & 255
            if last == 0:
                break


def _read_pps(bits: BitReader) -> tuple[int, _Pps]:
    """Return the id and the facts of a picture parameter set (7.3.2.2)."""
    bits.skip(8)
    pps_id, sps_id = bounded(bits.ue(), 255, "pic_parameter_set_id"), bits.ue()
    cabac, field_order = bits.flag(), bits.flag()
    groups = bounded(bits.ue(), 7, "num_slice_groups_minus1") + 1
    if groups > 1:
        _skip_slice_groups(bits, groups)
    ref_counts = _ref_count(bits), _ref_count(bits)
    weighted_pred, weighted_bipred = bits.flag(), bits.u(2)
    init_qp = 26 + bits.se()
    bits.skip_ue(2)  # pic_init_qs_minus26, chroma_qp_index_offset
    bits.skip(2)  # deblocking_filter_control_present_flag, constrained_intra_pred_flag
    return pps_id, _Pps(
        sps_id=sps_id,
        cabac=cabac,
        field_order_present=field_order,
        ref_counts=ref_counts,
        weighted_pred=weighted_pred,
        weighted_bipred=weighted_bipred,
        init_qp=init_qp,
        redundant_count_present=bits.flag(),
    )


def _skip_slice_groups(bits: BitReader, groups: int) -> None:
    """Leave out the map of slice groups (7.3.2.2)."""
    kind = bounded(bits.ue(), 6, "slice_group_map_type")
    if kind == 0:
        bits.skip_ue(groups)
    elif kind == 2:
        bits.skip_ue(2 * (groups - 1))
    elif kind in (3, 4, 5):
        bits.skip(1)
        bits.skip_ue(1)
    elif kind == 6:
        bits.skip((bits.ue() + 1) * bits_for(groups))


def _ref_count(bits: BitReader) -> int:
    return bounded(bits.ue(), 31, "num_ref_idx_active_minus1") + 1


def _skip_picture_order(bits: BitReader, sps: _Sps, pps: _Pps, idr: bool) -> None:
    """Leave out which picture a slice belongs to: the middle of slice_header (7.3.3)."""
    if sps.separate_planes:
        bits.skip(2)  # colour_plane_id
    bits.skip(sps.frame_num_bits)
    field = 0 if sps.frame_mbs_only else bits.flag()
    bits.skip(field)  # bottom_field_flag
    if idr:
        bits.skip_ue(1)  # idr_pic_id
    both_fields = pps.field_order_present and not field
    bits.skip(sps.poc_lsb_bits)
    if sps.poc_type == 0:
        bits.skip_ue(1 if both_fields else 0)
    elif sps.poc_type == 1 and not sps.delta_poc_always_zero:
        bits.skip_ue(2 if both_fields else 1)
    if pps.redundant_count_present:
        bits.skip_ue(1)  # redundant_pic_cnt


def _skip_references(bits: BitReader, sps: _Sps, pps: _Pps, slice_type: int) -> None:
    """Leave out the reference lists of a slice and their weights (7.3.3.1, 7.3.3.2)."""
    lists = 2 if slice_type == _B else 1
    counts = pps.ref_counts[:lists]
    if bits.flag():  # num_ref_idx_active_override_flag
        counts = tuple(_ref_count(bits) for _ in range(lists))
    for _ in range(lists):
        if bits.flag():  # ref_pic_list_modification_flag
            _skip_commands(bits, end=3, operands=(1, 1, 1))
    if pps.weighted_bipred == 1 if slice_type == _B else pps.weighted_pred:
        bits.skip_ue(2 if sps.chroma_array_type else 1)
        for _ in range(sum(counts)):
            bits.skip_ue(2 * bits.flag())
            if sps.chroma_array_type:
                bits.skip_ue(4 * bits.flag())


def _skip_marking(bits: BitReader, idr: bool) -> None:
    """Leave out the marking of reference pictures (7.3.3.3)."""
    if idr:
        bits.skip(2)
    elif bits.flag():
        _skip_commands(bits, end=0, operands=(0, 1, 1, 2, 1, 0, 1))


def _skip_commands(bits: BitReader, end: int, operands: tuple[int, ...]) -> None:
    """Leave out commands up to the number `end`; command i has `operands[i]` numbers."""
    for _ in range(_MAX_COMMANDS):
        command = bits.ue()
        if command == end:
            return
        bits.skip_ue(operands[bounded(command, len(operands) - 1, "a command")])
    raise HeaderError(f"over {_MAX_COMMANDS} commands")
