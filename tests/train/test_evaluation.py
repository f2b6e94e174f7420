"""The evaluation's tables say what the predictions deserve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train.evaluation import by_type_and_level, compare, kadid_trends
from train.evaluation_text import agreement_table, level_table, second_table, trend_table
from train.items import Item
from train.kadid import human_mean
from train.level_agreement import level_agreement
from train.second_encodes import first_of, second_encodes


def item(label: float, source: str = "a@0", distortion: tuple[int, int] | None = None) -> Item:
    return Item(
        name=f"{source}+{label}",
        path="x.mp4",
        split="val",
        content=source.split("@")[0],
        source=source,
        kind="distortion" if distortion else "rendition",
        label=label,
        display=(640, 360),
        codec="h264",
        crf=23,
        scale=1.0,
        distortion=distortion,
    )


ITEMS = [item(label, f"{name}@0") for name in "abc" for label in (20.0, 50.0, 90.0)]
LABELS = np.array([it.label for it in ITEMS])


def test_a_perfect_prediction_scores_one_throughout() -> None:
    row = compare("perfect", LABELS / 2 + 3, ITEMS, resamples=20)
    assert row.agreement.srcc.value == pytest.approx(1.0)
    assert row.agreement.plcc.value == pytest.approx(1.0)
    assert row.ordering.share == 1.0
    assert row.ordering.pairs == 9


def test_what_a_predictor_does_not_know_is_left_out() -> None:
    predicted = LABELS.copy()
    predicted[0] = np.nan
    row = compare("partial", predicted, ITEMS, resamples=20)
    assert row.agreement.n == 8
    assert row.ordering.pairs == 7


def test_contents_apart_do_not_count_as_pairs() -> None:
    offset = {"a": 0.0, "b": 300.0, "c": -500.0}
    predicted = np.array([it.label + offset[it.content] for it in ITEMS])
    row = compare("offset by content", predicted, ITEMS, resamples=20)
    assert row.ordering.share == 1.0
    assert row.agreement.srcc.value < 0.9


def test_a_type_that_falls_with_its_level_has_a_trend_of_minus_one() -> None:
    items = [item(human_mean(1, level), distortion=(1, level)) for level in range(1, 6)]
    (trend,) = kadid_trends(np.array([90.0, 80.0, 50.0, 30.0, 10.0]), items)
    assert trend.trend == pytest.approx(-1.0)
    assert trend.human == tuple(human_mean(1, level) for level in range(1, 6))


def test_the_means_of_types_and_levels_agree_with_people_whatever_contents_add() -> None:
    cells = [(kind, level) for kind in (1, 2, 9) for level in range(1, 6)]
    items = [
        item(human_mean(*cell), f"{name}@0", distortion=cell) for name in "ab" for cell in cells
    ]
    offsets = np.repeat([30.0, -30.0], len(cells))
    found = by_type_and_level(np.array([it.label for it in items]) / 2 + offsets, items)
    assert (found.n, found.contents) == (15, 3)
    assert found.srcc.value == pytest.approx(1.0)
    swapped = by_type_and_level(-np.array([it.label for it in items]), items)
    assert swapped.srcc.value == pytest.approx(-1.0)


def test_tables_hold_a_line_a_predictor_and_a_type() -> None:
    items = [item(human_mean(1, level), distortion=(1, level)) for level in range(1, 6)]
    table = agreement_table([compare("perfect", LABELS, ITEMS, resamples=20)])
    assert table.splitlines()[2].startswith("| perfect | 9 | 1.000 (")
    assert "gaussian blur | 9 8 7 6 5 |" in trend_table(
        kadid_trends(np.array([9.0, 8.0, 7.0, 6.0, 5.0]), items)
    )


def test_levels_agree_where_scores_fall_into_the_bins_of_their_labels() -> None:
    found = level_agreement([95.0, 81.0, 59.0, 5.0], [85.0, 79.0, 10.0, 0.0])
    assert found is not None
    assert (found.n, found.exact, found.within_one) == (4, 0.5, 0.75)
    assert found.by_level["high"] == (1, 1, 0, 0, 0)
    assert found.by_level["fair"] == (0, 0, 0, 0, 1)
    assert "| high | 1 | 1 | 0 | 0 | 0 |" in level_table(found)
    assert level_agreement([], []) is None


def test_second_encodes_are_held_against_the_first_of_the_same_source() -> None:
    first = replace(item(30.0), name="a@0+h264_crf45_s100")
    good = replace(item(28.0), name="a@0+h264_crf45_s100+h264_crf18_s100", kind="twice")
    bad = replace(good, name="a@0+h264_crf45_s100+vp9_crf20_s100")
    stray = replace(good, name="b@0+h264_crf45_s100+h264_crf18_s100")
    firsts = {first.name: (first, 33.0)}
    found = second_encodes("m", [good, bad, stray], [36.0, 60.0, 1.0], firsts)
    assert found is not None
    assert (found.n, found.label, found.score) == (2, 28.0, 48.0)
    assert (found.first_label, found.first_score, found.close) == (30.0, 33.0, 0.5)
    assert "| m | 2 | 28.0 | 48.0 | 30.0 | 33.0 | 0.50 |" in second_table([found])
    assert second_encodes("m", [stray], [1.0], firsts) is None


def test_the_first_encode_is_found_even_where_a_source_has_a_plus_in_its_name() -> None:
    again = replace(item(20.0), name="a+b@0+h264_crf50_s100+h264_crf18_s100", kind="twice")
    assert first_of(again) == "a+b@0+h264_crf50_s100"
