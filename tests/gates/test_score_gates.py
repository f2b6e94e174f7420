"""`vqa2 score --gate`: the exit code of a pipeline, end to end."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Outcome, Run, bad_clips, clips, model_dir, vqa2

__all__ = ["bad_clips", "clips", "model_dir", "vqa2"]


def gates(done: Outcome) -> list[list[dict[str, Any]]]:
    return [row["gates"] for row in json.loads(done.out)["results"]]


def test_every_gate_passed_is_code_0(vqa2: Run, clips: Path, model_dir: Path) -> None:
    rule = "score.value >= 0"
    done = vqa2("score", clips, "--model", model_dir, "--gate", rule, "--format", "json")
    assert (done.code, done.err) == (0, "")
    for (gate,) in gates(done):
        assert (gate["rule"], gate["passed"], gate["reason"]) == (rule, True, None)
        assert gate["value"] is not None


def test_a_failed_gate_is_code_1_and_a_line_that_tells_the_value(
    vqa2: Run, clips: Path, model_dir: Path
) -> None:
    rule = "stalling.stall_ratio <= 0.02"
    done = vqa2(
        "score", clips, "--model", model_dir, "--streaming", "--gate", rule, "--gate",
        "media.height == 64", "--format", "json",
    )  # fmt: skip
    assert done.code == 1
    moving, stalled = gates(done)
    assert [gate["passed"] for gate in moving] == [True, True]
    assert [gate["passed"] for gate in stalled] == [False, True]
    assert stalled[0]["value"] == pytest.approx(1 / 3, abs=0.05)
    (line,) = done.err.splitlines()
    assert f"{clips / 'stalled.mp4'}: gate failed: {rule} (it is 0.3" in line


def test_an_unscored_file_outweighs_a_failed_gate_unless_kept_going(
    vqa2: Run, clips: Path, bad_clips: Path, model_dir: Path
) -> None:
    args = ["score", clips, bad_clips / "text.mp4", "--model", model_dir, "--format", "json"]
    failing = [*args, "--gate", "score.value > 100"]
    assert vqa2(*failing).code == 3
    assert vqa2(*failing, "--keep-going").code == 1
    # Even where all scored files pass: the rule could not be answered for one.
    passing = vqa2(*args, "--gate", "score.value >= 0", "--keep-going")
    assert passing.code == 1
    unscored = gates(passing)[2]
    assert unscored[0]["reason"] == "the file could not be scored"


def test_a_policy_and_gates_of_the_command_line_add_up(
    vqa2: Run, clips: Path, model_dir: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('gates = ["media.height == 64"]\n')
    done = vqa2(
        "score", clips / "moving.mp4", "--model", model_dir, "--policy", policy, "--gate",
        "media.width == 1", "--format", "csv",
    )  # fmt: skip
    assert done.code == 1
    (row,) = csv.DictReader(io.StringIO(done.out))
    assert [gate["passed"] for gate in json.loads(row["gates"])] == [True, False]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("score.valu >= 60", "did you mean score.value?"),
        ("stalling.stall_ratio <= 1", "--streaming"),
        ("score.value", "not understood"),
    ],
)
def test_a_rule_that_cannot_be_used_is_code_2_before_anything_is_scored(
    vqa2: Run, clips: Path, tmp_path: Path, rule: str, says: str
) -> None:
    done = vqa2("score", clips, "--model", tmp_path / "no-model", "--gate", rule)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1
