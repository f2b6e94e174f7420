"""`vqa2 evaluate qbench-video` on answers at hand: tables, JSON, and one line for every mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.train.data.stub_endpoint import Stub, failing, saying
from tests.train.qbench.made import binary, multi, open_ended, written
from vqa2cli.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def invoke(*args: object) -> tuple[int, str, str]:
        code = main(["evaluate", "qbench-video", *(str(arg) for arg in args)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return invoke


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    records = [
        binary(quality_concern="Technical"),
        binary(quality_concern=["Technical", "Temporal"], correct_choice="B"),
        multi(quality_concern="AIGC"),
        open_ended(quality_concern="Temporal"),
        binary(video_name="a.mp4_cat_b.mp4.mp4", context="Compare"),
    ]
    return written(tmp_path / "dev.json", records)


def answers(folder: Path, told: Mapping[str, Any]) -> Path:
    path = folder / "answers.json"
    path.write_text(json.dumps(told))
    return path


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    return answers(tmp_path, {"0": "A.", "1": "A.", "2": "B.", "3": "Dim.", "4": "(A)"})


def judged(judge: Stub) -> tuple[object, ...]:
    return ("--judge-url", judge.url, "--judge-model", "j", "--retries", 0, "--per-minute", 0)


def test_answers_at_hand_are_scored_without_a_model(
    run: Run, benchmark: Path, answered: Path, judge: Stub
) -> None:
    code, out, err = run(benchmark, "--answers", answered, *judged(judge), "--format", "json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    values = {name: column["value"] for name, column in told["columns"].items()}
    assert values == {
        "binary": 50, "multi": 100, "open": 50,
        "technical": 50, "temporal": 25, "other": 100, "overall": 62.5,
    }  # fmt: skip
    assert told["pairs_left_out"] == 1
    assert (told["judge"], told["judge_calls"]) == ("j", 5)
    assert told["results"][3]["judge_scores"] == [1] * 5


def test_the_benchmarks_own_protocol_takes_pairs_and_letters_in_brackets(
    run: Run, benchmark: Path, answered: Path, judge: Stub
) -> None:
    given = ("--answers", answered, *judged(judge), "--protocol", "official", "--format", "json")
    columns = json.loads(run(benchmark, *given)[1])["columns"]
    assert columns["binary"]["questions"] == 3
    assert columns["binary"]["value"] == pytest.approx(200 / 3)
    assert (columns["aigc"]["value"], columns["aesthetic"]["value"]) == (100, None)


def test_the_table_has_the_papers_rows_beside_and_says_what_does_not_follow(
    run: Run, benchmark: Path, answered: Path, judge: Stub
) -> None:
    code, out, _ = run(benchmark, "--answers", answered, *judged(judge))
    assert code == 0
    (ours,) = (line for line in out.splitlines() if line.startswith("answers.json"))
    numbers = ["50.00", "100.00", "50.00", "50.00", "25.00", "100.00", "62.50"]
    assert ours.split()[1:] == [*numbers, "measured", "here"]
    (dev,) = (line for line in out.splitlines() if line.startswith("VQA² assistant, dev  "))
    assert "not held" in dev
    assert dev.endswith("56.50  paper, Table 5")
    assert "add up to 57.28, not to the 56.50 printed" in out
    assert "judged by j, 5 calls each" in out
    assert "1 questions on two clips left out" in out


def test_markdown_is_a_table_of_the_same_numbers(
    run: Run, benchmark: Path, answered: Path, judge: Stub
) -> None:
    out = run(benchmark, "--answers", answered, *judged(judge), "--format", "markdown")[1]
    assert "| answers.json | 50.00 | 100.00 | 50.00 |" in out
    assert len({line.count("|") for line in out.splitlines() if line.startswith("|")}) == 1


def test_everything_is_written_as_json_too(
    run: Run, benchmark: Path, answered: Path, judge: Stub, tmp_path: Path
) -> None:
    run(benchmark, "--answers", answered, *judged(judge), "-o", tmp_path / "all.json")
    assert json.loads((tmp_path / "all.json").read_text())["questions"] == 4


def test_a_question_without_an_answer_is_named_and_no_zero(
    run: Run, benchmark: Path, tmp_path: Path, judge: Stub
) -> None:
    some = answers(tmp_path, {"0": "A."})
    code, out, err = run(benchmark, "--answers", some, *judged(judge), "--format", "json")
    assert code == 3
    assert "left out: 3 of 4 questions" in err
    assert "1: no answer in answers.json" in err
    columns = json.loads(out)["columns"]
    assert (columns["multi"]["value"], columns["binary"]["value"]) == (None, 100)
    assert columns["multi"]["reason"] == "none of 1 questions was scored"
    assert judge.requests == []


def test_open_questions_may_be_left_out(run: Run, benchmark: Path, answered: Path) -> None:
    given = ("--answers", answered, "--type", "binary", "--type", "multi", "--format", "json")
    code, out, _ = run(benchmark, *given)
    columns = json.loads(out)["columns"]
    assert (code, columns["binary"]["value"], columns["overall"]["value"]) == (0, 50, None)


def test_a_dry_run_tells_the_cost_and_sends_nothing(
    run: Run, benchmark: Path, answered: Path, judge: Stub
) -> None:
    given = ("--answers", answered, *judged(judge), "--dry-run")
    code, out, _ = run(benchmark, *given, "--price-in", 2.5, "--price-out", 10)
    assert code == 0
    assert "1 open answers, 5 requests, 0 with a reply at hand" in out
    assert "at the prices given" in out
    assert judge.requests == []


def test_replies_are_kept_beside_the_benchmark_or_where_told(
    run: Run, benchmark: Path, answered: Path, judge: Stub, tmp_path: Path
) -> None:
    run(benchmark, "--answers", answered, *judged(judge))
    assert (tmp_path / "dev.json.kept" / "judge").is_dir()
    judge.requests.clear()
    run(benchmark, "--answers", answered, *judged(judge))
    assert judge.requests == []
    run(benchmark, "--answers", answered, *judged(judge), "--resume", tmp_path / "other")
    assert len(judge.requests) == 5


def mistakes(folder: Path, answered: Path, url: str) -> dict[str, tuple[tuple[object, ...], str]]:
    """Return what a user may get wrong, and what must be said of it."""
    at_hand, judge = ("--answers", answered), ("--judge-url", url, "--judge-model", "j")
    torn = folder / "torn.json"
    return {
        "nobody answers": (judge, "give --model to ask a model, or --answers"),
        "both answer": ((*at_hand, *judge, "--model", "m"), "give --model to ask a model, or"),
        "no media": (("--model", "m", *judge), "--model needs --media"),
        "no judge": (at_hand, "1 open questions need a judge and none is given; add --judge-url"),
        "half a judge": ((*at_hand, "--judge-url", url), "add --judge-model"),
        "torn answers": (("--answers", torn, *judge), "torn.json, line 2: malformed JSON"),
        "no such file": (("--answers", folder / "no.json", *judge), "does not exist"),
        "no such folder": (("--model", "m", "--media", folder / "no", *judge), "does not exist"),
    }


@pytest.mark.parametrize("mistake", sorted(mistakes(Path(), Path(), "")))
def test_a_mistake_is_told_in_one_line(
    run: Run, benchmark: Path, answered: Path, tmp_path: Path, mistake: str
) -> None:
    (tmp_path / "torn.json").write_text('{"0": "A.",\n"1"')
    given, told = mistakes(tmp_path, answered, "http://127.0.0.1:9/v1")[mistake]
    code, out, err = run(benchmark, *given)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_a_judge_that_fails_or_talks_nonsense_is_told_in_one_line(
    run: Run, benchmark: Path, answered: Path, judge: Stub
) -> None:
    judge.then = failing(503)
    code, out, err = run(benchmark, "--answers", answered, *judged(judge))
    assert (code, out) == (4, "")
    assert "judge j: " in err.splitlines()[-1]
    judge.then = saying("lovely")
    code, out, err = run(benchmark, "--answers", answered, *judged(judge))
    assert (code, out) == (2, "")
    assert "it replied 'lovely'; name another --judge-model" in err.splitlines()[-1]


def test_a_judge_without_a_key_is_told(
    run: Run, benchmark: Path, answered: Path, judge: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    code, _, err = run(benchmark, "--answers", answered, *judged(judge))
    assert (code, "no key in the environment variable OPENAI_API_KEY" in err) == (2, True)


def test_a_file_of_pairs_alone_leaves_the_paper_nothing(run: Run, tmp_path: Path) -> None:
    pair = binary(video_name="a.mp4_cat_b.mp4.mp4", context="Compare")
    path = written(tmp_path / "pairs.json", [pair])
    code, _, err = run(path, "--answers", answers(tmp_path, {"0": "A."}))
    assert (code, err.count("\n")) == (2, 1)
    assert "1 are on two clips" in err
