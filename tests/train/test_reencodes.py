"""Second encodes are held against the bad first ones they came from."""

from __future__ import annotations

import numpy as np
import pytest

from train.corpus import Item
from train.reencodes import first_of, reencode_gaps


def again(source: str, first: str) -> Item:
    """Return a second encode of `first`."""
    return Item(
        name=f"{source}+{first}+h264_crf18_s100",
        path="",
        split="val",
        content=source,
        source=source,
        kind="twice",
        label=20.0,
        display=(640, 360),
        codec="h264",
        crf=18,
        scale=1.0,
    )


def test_the_first_encode_is_found_even_where_a_source_has_a_plus_in_its_name() -> None:
    assert first_of(again("a+b@0", "h264_crf50_s100")) == "a+b@0+h264_crf50_s100"


def test_gaps_are_second_less_first_and_those_without_a_first_are_left_out() -> None:
    items = [again("a@0", "h264_crf41_s100"), again("b@0", "h264_crf50_s100"), again("c@0", "x")]
    firsts = {"a@0+h264_crf41_s100": 30.0, "b@0+h264_crf50_s100": 10.0}
    gaps = reencode_gaps(np.array([33.0, 40.0, 90.0]), items, firsts)
    assert gaps is not None
    assert (gaps.clips, gaps.within) == (2, 0.5)
    assert gaps.mean_gap == pytest.approx(16.5)
    assert gaps.largest_gap == pytest.approx(30.0)


def test_without_any_first_there_is_nothing_to_say() -> None:
    assert reencode_gaps(np.array([50.0]), [again("a@0", "x")], {}) is None
