"""Bits, NAL units and reference lists, each on data small enough to follow by hand."""

from __future__ import annotations

import pytest

from vqa2cli.video.bitstream.av1_references import named_references
from vqa2cli.video.bitstream.bits import BitReader, HeaderError, TruncatedError, bits_for
from vqa2cli.video.bitstream.nal import unescaped, units_of
from vqa2cli.video.bitstream.vp9 import Vp9Reader


def bits(text: str) -> BitReader:
    """Return a reader of these bits, padded with zeros to whole bytes."""
    text = text.replace(" ", "")
    text += "0" * (-len(text) % 8)
    return BitReader(int(text, 2).to_bytes(len(text) // 8, "big"))


def test_exponential_golomb_numbers_are_those_of_the_standards_table() -> None:
    reader = bits("1 010 011 00100 00101 00110 00111 0001000")
    assert [reader.ue() for _ in range(8)] == [0, 1, 2, 3, 4, 5, 6, 7]
    reader = bits("1 010 011 00100 00101")
    assert [reader.se() for _ in range(5)] == [0, 1, -1, 2, -2]


def test_skipping_numbers_ends_where_reading_them_does() -> None:
    reader = bits("010 00110 1 1011")
    reader.skip_ue(3)
    assert reader.u(4) == 0b1011


def test_numbers_of_few_values_take_as_few_bits_as_can_be() -> None:
    reader = bits("00 01 10 110 111")
    assert [reader.ns(5) for _ in range(5)] == [0, 1, 2, 3, 4]


def test_reading_over_the_end_is_told() -> None:
    reader = bits("10110010")
    assert reader.u(6) == 0b101100
    with pytest.raises(TruncatedError):
        reader.u(3)
    with pytest.raises(TruncatedError):
        bits("00000000").ue()
    with pytest.raises(HeaderError):
        BitReader(bytes(5) + b"\xff" * 5).ue()


def test_bits_for_is_the_logarithm_rounded_up() -> None:
    assert [bits_for(n) for n in (0, 1, 2, 3, 4, 5, 64, 65)] == [0, 0, 1, 2, 2, 3, 6, 7]


def test_emulation_prevention_is_undone_once() -> None:
    assert unescaped(b"\x00\x00\x03\x01\x00\x00\x03\x00\x00\x03\x03") == (
        b"\x00\x00\x01\x00\x00\x00\x00\x03"
    )


def test_units_are_found_between_start_codes_of_either_length() -> None:
    data = b"\x00\x00\x00\x01\x67ab\x00\x00\x01\x68c\x00\x00\x00\x01\x65d"
    assert [unit.rstrip(b"\0") for unit in units_of(data, 0)] == [b"\x67ab", b"\x68c", b"\x65d"]


def test_a_length_of_256_to_511_is_no_start_code() -> None:
    unit = b"\x41" + b"\xaa" * 299
    data = len(unit).to_bytes(4, "big") + unit
    assert data.startswith(b"\x00\x00\x01")
    assert list(units_of(data, 4)) == [unit]


def test_start_codes_where_lengths_are_declared_are_believed() -> None:
    assert list(units_of(b"\x00\x00\x00\x01\x41ab\x00\x00\x01\x41cd", 4)) == [b"\x41ab", b"\x41cd"]


def test_units_parted_by_start_codes_inside_one_length_are_found() -> None:
    inner = b"\x6e\xc0\x80\x0f\x00\x00\x00\x01\x41ab"
    units = list(units_of(len(inner).to_bytes(4, "big") + inner + b"\x00\x00\x00\x01\x09", 4))
    assert [unit.rstrip(b"\0") for unit in units] == [b"\x6e\xc0\x80\x0f", b"\x41ab", b"\x09"]


def test_a_length_over_the_end_gives_what_is_there() -> None:
    assert list(units_of(b"\x00\x00\x03\xe8\x41abc", 4)) == [b"\x41abc"]
    assert list(units_of(b"\x00\x00\x03\xe8", 4)) == []


def test_seven_references_are_named_by_their_order() -> None:
    # Slots 0 to 3 lie before the current frame 16, slots 4 to 7 behind or at it.
    hints = [4, 8, 12, 14, 18, 20, 24, 32]
    last, last2, last3, golden, bwd, alt2, alt = named_references(3, 0, hints, 16, 7)
    assert (last, golden) == (3, 0)
    assert (last2, last3) == (2, 1)
    assert (bwd, alt2, alt) == (4, 5, 7)


def test_missing_later_references_are_filled_with_earlier_ones() -> None:
    hints = [10, 10, 11, 12, 13, 14, 15, 15]
    names = named_references(7, 0, hints, 16, 7)
    assert names == [7, 6, 5, 0, 4, 3, 2]


def test_order_hints_wrap_around() -> None:
    # At 5 bits, hint 30 lies four before frame 2, and hint 6 four behind it.
    names = named_references(0, 0, [30] * 4 + [6] * 4, 2, 5)
    assert names[6] == 7
    assert names[4] == 4


def intra_only(profile: str, config: str, base_q_idx: int) -> bytes:
    """Return the header of a hidden VP9 frame that is intra-only, padded to 32 bytes."""
    text = (
        f"10 {profile} 0 1 0 0 1 00 {0x498342:024b} {config} 11111111"  # to refresh_frame_flags
        f"{0:032b} 0 1 0 00 000000 000 1 0 {base_q_idx:08b}"  # size, contexts, loop filter
    )
    return int(text.replace(" ", "").ljust(256, "0"), 2).to_bytes(32, "big")


@pytest.mark.parametrize(
    ("profile", "config"), [("00", ""), ("10", "010 0 000"), ("01", "0 010 0")]
)
def test_an_intra_only_frame_of_vp9_is_read(profile: str, config: str) -> None:
    assert Vp9Reader(b"").quantizers(intra_only(profile, config, 123)) == [123]


def test_a_superframe_of_vp9_holds_its_frames_in_order() -> None:
    index = bytes([0b11000001, 32, 32, 0b11000001])
    frames = intra_only("00", "", 200) + intra_only("00", "", 90)
    assert Vp9Reader(b"").quantizers(frames + index) == [200, 90]


def test_showing_an_earlier_frame_of_vp9_is_no_picture() -> None:
    assert Vp9Reader(b"").quantizers(bytes([0b10001000])) == []
