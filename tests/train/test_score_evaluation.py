"""A report of scores is matched with a table of labels by name, and measured."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.report.assessments import scored
from train.correlation import agreement
from train.evaluate_cli import evaluate
from train.names import match_names
from train.paper_results import ROWS, paper_note, paper_rows
from train.score_evaluation import evaluate_scores
from train.score_files import FileScore, read_scores
from vqa2cli.errors import UsageError
from vqa2cli.report.rows import record_of
from vqa2cli.report.writers import CsvWriter, JsonWriter, NdjsonWriter

CLIPS = [f"{content}_{rung}p.mp4" for content in "abcde" for rung in (240, 480, 720, 1080)]
LABELS = np.random.default_rng(1).uniform(5, 95, len(CLIPS)).round(2)
SCORES = (LABELS + np.random.default_rng(2).normal(0, 12, len(CLIPS))).round(3)


def table(path: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    rows = [(f"out/{name}", score) for name, score in zip(CLIPS, SCORES, strict=True)]
    return table(tmp_path / "scores.csv", ("file", "score"), rows)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    rows = [(name, mos, name[0]) for name, mos in zip(CLIPS, LABELS, strict=True)]
    return table(tmp_path / "labels.csv", ("video", "mos", "content"), rows)


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(evaluate, [*map(str, arguments), "--resamples", "20"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_whole_and_each_content_are_measured(scores: Path, labels: Path) -> None:
    result = evaluate_scores(scores, labels, resamples=50)
    contents = [name[0] for name in CLIPS]
    assert result.overall == agreement(SCORES, LABELS, groups=contents, resamples=50)
    assert result.overall.contents == 5
    assert [group.rpartition("/")[2] for group in result.contents] == list("abcde")
    assert all(found.n == 4 for found in result.contents.values())
    assert result.matched_by_name_alone == 0
    assert result.scores_without_label == result.labels_without_score == ()


def test_labels_on_another_scale_are_put_on_0_to_100(
    scores: Path, labels: Path, tmp_path: Path
) -> None:
    fives = [(name, mos / 25 + 1) for name, mos in zip(CLIPS, LABELS, strict=True)]
    five = table(tmp_path / "five.csv", ("video", "mos"), fives)
    ours, theirs = (evaluate_scores(scores, path, resamples=10) for path in (labels, five))
    assert theirs.label_scale == "1-5"
    assert theirs.overall.rmse.value == pytest.approx(ours.overall.rmse.value)
    assert theirs.overall.contents == len(CLIPS)  # the table names no contents


def test_what_has_no_partner_is_counted_and_named(
    scores: Path, labels: Path, tmp_path: Path
) -> None:
    text = scores.read_text().replace("out/a_240p.mp4", "out/z.mp4")
    lines = [line if "b_240p" not in line else "out/b_240p.mp4," for line in text.splitlines()]
    scores.write_text("\n".join(lines) + "\n")
    output = tmp_path / "found.json"
    code, out, err = run("--scores", scores, "--labels", labels, "-o", output)
    assert code == 3
    assert "18 clips of 5 contents" in out
    assert "1 labelled files without a score" in err
    assert "out/b_240p.mp4: no score in the report" in err
    assert "1 scored files without a label\n  out/z.mp4: none fits" in err
    assert "1 labels without a scored file\n  a_240p.mp4: none fits" in err
    found = json.loads(output.read_text())
    assert found["overall"]["n"] == 18
    assert found["labels_without_score"] == [{"name": "a_240p.mp4", "reason": "none fits"}]
    assert {"srcc", "krcc", "plcc", "plcc_fitted", "rmse", "rmse_fitted"} <= set(found["overall"])


def test_a_measure_that_is_not_defined_is_null_with_its_reason(
    labels: Path, tmp_path: Path
) -> None:
    constant = table(tmp_path / "s.csv", ("file", "score"), [(name, 50) for name in CLIPS])
    output = tmp_path / "found.json"
    code, out, _ = run("--scores", constant, "--labels", labels, "-o", output)
    assert code == 0
    assert "SRCC; KRCC; PLCC; PLCC, logistic; RMSE, logistic: every score is 50" in out
    srcc = json.loads(output.read_text())["overall"]["srcc"]
    assert srcc == {"value": None, "low": None, "high": None, "reason": "every score is 50"}


def test_the_papers_rows_stand_beside_those_of_the_same_set(scores: Path, labels: Path) -> None:
    _, out, _ = run("--scores", scores, "--labels", labels, "--set", "Waterloo SQoE-IV")
    assert "The paper's Table 3 has WaterlooSQoE-IV" in out
    assert "| VQA² streaming scorer | 0.766 | not held | paper, Table 3 |" in out
    assert "| scores.csv | 0.9" in out
    _, out, _ = run("--scores", scores, "--labels", labels, "--set", "LIVE-VQC")
    assert "The paper's Table 2 has LIVE-VQC; its figures are not held here." in out
    _, out, _ = run("--scores", scores, "--labels", labels, "--set", "my own")
    assert "do not have my own" in out


def test_only_what_is_held_of_the_paper_is_stated() -> None:
    assert set(ROWS) == {"WaterlooSQoE-IV"}
    ours = {row.method: row.srcc for row in paper_rows("WaterlooSQoE-IV")}
    assert max(ours, key=lambda method: ours[method] or 0) == "VQA² streaming scorer"
    assert paper_rows("LSVQ-test") == ()
    assert "Table 2" in paper_note("LSVQ-test")


def test_several_sets_are_not_thrown_together(scores: Path, tmp_path: Path) -> None:
    rows = [(name, 50 + k, "one" if k < 9 else "two") for k, name in enumerate(CLIPS)]
    both = table(tmp_path / "both.csv", ("video", "mos", "dataset"), rows)
    with pytest.raises(UsageError, match="choose one with --set: one, two"):
        evaluate_scores(scores, both)
    assert evaluate_scores(scores, both, dataset="two", resamples=10).overall.n == 11
    with pytest.raises(UsageError, match="no rating of three; it holds one, two"):
        evaluate_scores(scores, both, dataset="three")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_plot_is_drawn_and_repeats_to_the_byte(
    scores: Path, labels: Path, tmp_path: Path, suffix: str
) -> None:
    pytest.importorskip("matplotlib", reason="plots come with vqa2[plot]")
    first, again = (tmp_path / f"{name}{suffix}" for name in ("first", "again"))
    for plot in (first, again):
        assert run("--scores", scores, "--labels", labels, "--plot", plot)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes()[:5] in {b"\x89PNG\r", b"<?xml", b"%PDF-"}
    if suffix == ".svg":
        marks = first.read_text().count("<use ")
        assert marks >= len(CLIPS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give a CORPUS, or"),
        (("--scores", "{scores}"), "give a CORPUS, or"),
        (("{tmp_path}", "--scores", "{scores}", "--labels", "{labels}"), "give a CORPUS, or"),
        (("--scores", "{scores}", "--labels", "{labels}", "--plot", "a.bmp"), "a.bmp: plots are"),
        (("--scores", "{scores}", "--labels", "{labels}", "--column", "x"), "no column x"),
        (("--scores", "{labels}", "--labels", "{labels}"), "no column file, score"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line(
    scores: Path, labels: Path, tmp_path: Path, arguments: Sequence[str], words: str
) -> None:
    filled = [text.format(scores=scores, labels=labels, tmp_path=tmp_path) for text in arguments]
    with pytest.raises(UsageError, match=words):
        run(*filled)


def test_names_that_share_nothing_are_refused(labels: Path, tmp_path: Path) -> None:
    other = table(tmp_path / "s.csv", ("file", "score"), [("x.mp4", 1), ("y.mp4", 2)])
    with pytest.raises(UsageError, match="must be alike"):
        evaluate_scores(other, labels)


MATCHES: Mapping[str, tuple[list[str], list[str], list[tuple[str, str]], int]] = {
    "the same": (["a.mp4"], ["a.mp4"], [("a.mp4", "a.mp4")], 0),
    "a deeper file": (["x/y/a.mp4"], ["y/a.mp4"], [("x/y/a.mp4", "y/a.mp4")], 0),
    "no suffix": (["x/a-1.mp4"], ["a-1"], [("x/a-1.mp4", "a-1")], 0),
    "another suffix": (["a.mp4"], ["a.yuv"], [("a.mp4", "a.yuv")], 0),
    "a number, no suffix": (["a_2.mp4"], ["a_2.5"], [], 0),
    "suffixes that compete": (
        ["a.mp4", "a.webm"],
        ["a.webm", "a.mp4"],
        [("a.mp4", "a.mp4"), ("a.webm", "a.webm")],
        0,
    ),
    "rungs in folders": (
        ["r/720/a.mp4", "r/360/a.mp4"],
        ["360/a.mp4", "720/a.mp4"],
        [("r/360/a.mp4", "360/a.mp4"), ("r/720/a.mp4", "720/a.mp4")],
        0,
    ),
    "another folder": (["mine/a.mp4"], ["theirs/a.mp4"], [("mine/a.mp4", "theirs/a.mp4")], 1),
    "one of two rungs": (
        ["r/720/a.mp4"],
        ["360/a.mp4", "720/a.mp4"],
        [("r/720/a.mp4", "720/a.mp4")],
        0,
    ),
    "two that fit": (["x/a.mp4", "y/a.mp4"], ["a.mp4"], [], 0),
    "two labels": (["a.mp4"], ["x/a.mp4", "y/a.mp4"], [], 0),
    "names that begin alike": (["clip10.mp4"], ["clip1.mp4", "clip"], [], 0),
    "windows": (["C:\\x\\a.mp4"], ["x/a.mp4"], [("C:\\x\\a.mp4", "x/a.mp4")], 0),
}


@pytest.mark.parametrize("case", MATCHES)
def test_names_match_when_one_path_ends_with_the_other(case: str) -> None:
    files, names, wanted, by_name_alone = MATCHES[case]
    found = match_names(files, names)
    assert sorted((files[f], names[n]) for f, n in found.pairs) == sorted(wanted)
    assert found.by_name_alone == by_name_alone
    assert len(found.lone_files) == len(files) - len(wanted)
    assert len(found.lone_names) == len(names) - len(wanted)


@pytest.mark.parametrize(
    ("suffix", "writer"), [(".csv", CsvWriter), (".json", JsonWriter), (".ndjson", NdjsonWriter)]
)
def test_every_report_of_score_is_read_back(tmp_path: Path, suffix: str, writer: type) -> None:
    path = tmp_path / f"scores{suffix}"
    rows = [scored("a.mp4"), scored("=b.mp4"), scored("c d.mp4")]
    with path.open("w", newline="", encoding="utf-8") as stream:
        report = writer(stream)
        for row in rows:
            report.write(record_of(row))
        report.close()
    assert read_scores(path) == [FileScore(row.file, row.score.value) for row in rows]
    lowest = read_scores(path, "vqa2_min")
    assert [score.score for score in lowest] == [row.pooled.min for row in rows]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.json", '{"results": [\n{"file": }]}', "line 2: malformed JSON"),
        ("s.ndjson", '{"file": "a"}\n{"file"\n', "line 2: malformed JSON"),
        ("s.json", '[{"name": "a"}]', "record 1: not a row"),
        ("s.json", '{"results": 3}', "results is no list"),
        ("s.csv", "file,score\na.mp4,good\n", "line 2, score: 'good' is no number"),
        ("s.csv", "file,score\na.mp4,nan\n", "not finite"),
        ("s.csv", "file,score\na.mp4,1\na.mp4,2\n", "a.mp4 stands there twice"),
        ("s.csv", "file,score\n", "no scored file"),
    ],
)
def test_a_report_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=words):
        read_scores(tmp_path / name)
