"""Scales are told apart, and two of them in one set are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from train.data.rating_files import read_ratings
from train.data.ratings import StallTrace
from train.data.scales import crowded_top, guessed_scale, named_scale
from vqa2cli.errors import UsageError


def table(path: Path, *scores: float, header: str = "video,mos", tail: str = "") -> Path:
    rows = [f"{n}.mp4,{mos}{tail}" for n, mos in enumerate(scores)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("scores", "name"),
    [
        ((0.1, 0.9), "0-1"),
        ((1.2, 4.6), "1-5"),
        ((0.3, 4.6), "0-5"),
        ((1.2, 8.0), "0-10"),
        ((3.0, 97.0), "0-100"),
        ((-1.6, 1.5), "z-score"),
    ],
)
def test_the_scale_of_an_unnamed_column_is_found(
    tmp_path: Path, scores: tuple[float, ...], name: str
) -> None:
    assert {clip.scale.name for clip in read_ratings(table(tmp_path / "t.csv", *scores))} == {name}


def test_scores_that_fit_no_scale_ask_for_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"from -20 to 130, which fits no usual scale"):
        read_ratings(table(tmp_path / "t.csv", -20, 130))
    stated = table(tmp_path / "u.csv", -20, 130, header="video,mos,lo,hi", tail=",-50,150")
    assert read_ratings(stated)[0].scale.name == "-50-150"


def test_a_file_that_mixes_two_scales_is_refused_with_the_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    five, hundred = rng.uniform(1, 5, 40).round(2), rng.uniform(20, 90, 60).round(1)
    with pytest.raises(UsageError, match=r"mixes scales: 40 scores up to 5 \(line 2: .*line 42"):
        read_ratings(table(tmp_path / "t.csv", *five, *hundred))


def test_a_known_set_does_not_hide_a_mixture(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    scores = [*rng.uniform(1, 5, 40).round(2), *rng.uniform(20, 90, 4000).round(1)]
    with pytest.raises(UsageError, match="LIVE-VQC mixes scales"):
        read_ratings(table(tmp_path / "LIVE-VQC.csv", *scores))


def test_two_stated_scales_in_one_set_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("video,mos,scale\na,3,1-5\nb,3,0-100\n")
    with pytest.raises(UsageError, match="line 2 states 1-5, line 3 0-100"):
        read_ratings(file)


def test_two_sets_in_one_file_keep_their_scales(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = [f"one,a{n},{1 + n % 5}" for n in range(20)] + [f"two,b{n},{n * 5}" for n in range(20)]
    file.write_text("\n".join(["dataset,video,mos", *rows]) + "\n")
    found = {clip.dataset: clip.scale.name for clip in read_ratings(file)}
    assert found == {"one": "1-5", "two": "0-100"}


def test_a_score_outside_its_scale_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"line 3: score 5.5 of 1.mp4 lies outside .* 1-5"):
        read_ratings(table(tmp_path / "KoNViD-1k.csv", 3, 5.5))
    stated = table(tmp_path / "mine.csv", 40, 101, header="video,mos,scale", tail=",0-100")
    with pytest.raises(UsageError, match=r"line 3: score 101"):
        read_ratings(stated)


def test_a_plain_hundred_point_scale_is_no_mixture() -> None:
    assert crowded_top(list(np.linspace(0, 100, 2000))) is None
    assert crowded_top(list(np.random.default_rng(3).normal(60, 15, 5000).clip(0, 100))) is None


def test_scales_are_known_by_what_people_call_them() -> None:
    mean = named_scale("0-100 (mean of continuous rating)")
    assert mean is not None
    assert (mean.low, mean.high) == (0, 100)
    assert named_scale("z-score") is guessed_scale([-1.0, 1.0])
    assert named_scale("") is None


def test_a_trace_tells_both_formats() -> None:
    trace = StallTrace(4.0, ((0.0, 1.0), (1.0, 0.5), (3.0, 0.5)))
    assert "".join(map(str, trace.per_frame(2.0))) == "110010000100"[:12]
    assert trace.summary() == (
        "2 stalls, lasting 0.50 s, 0.50 s. Stalled share of the whole length: 33.3 %. "
        "Initial buffering: 1.00 s. From the end of the last stall to the end of the video: 1.00 s."
    )


def test_a_trace_without_stalls_says_so() -> None:
    assert StallTrace(4.0).summary().startswith("No stall")
    assert StallTrace(4.0).per_frame(25).sum() == 0
