"""`vqa2 engines`: what is here, built, checked and timed; and exit codes for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.precision import TOLERANCE
from tests.cli.conftest import Run
from vqa2cli.model import motion_engine
from vqa2cli.model.motion_engine import Availability


@pytest.fixture(autouse=True)
def two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep it short: every command sees torch and ONNX Runtime in float32."""
    rows = [Availability(name, "cpu", "fp32", None) for name in ("pytorch", "onnxruntime")]
    lacks = Availability("tensorrt", "cpu", "fp32", "engine tensorrt: no GPU. Use another.")
    monkeypatch.setattr(motion_engine, "availability", lambda *_: [*rows, lacks])


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_the_list_tells_what_runs_and_what_the_others_lack(vqa2: Run) -> None:
    done = vqa2("engines", "list")
    assert done.code == 0
    assert ["pytorch", "cpu", "fp32", "yes"] in words(done.out)
    assert ["tensorrt", "cpu", "fp32", "no", "no", "GPU.", "Use", "another."] in words(done.out)


def test_every_engine_here_is_checked(vqa2: Run, model_dir: Path) -> None:
    done = vqa2("engines", "check", "--model", model_dir)
    assert done.code == 0, done.err
    lines = {line[0]: line for line in words(done.out)}
    assert lines["onnxruntime"][-1] == "yes"
    assert "tensorrt" not in lines


def test_a_check_that_fails_ends_with_4(
    vqa2: Run, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TOLERANCE, "fp32", 1e-12)
    assert vqa2("engines", "check", "--model", model_dir).code == 4


def test_building_ahead_keeps_what_is_built(vqa2: Run, model_dir: Path, tmp_path: Path) -> None:
    done = vqa2(
        "engines", "build", "--engine", "onnxruntime", "--model", model_dir, "--cache-dir", tmp_path
    )
    assert done.code == 0, done.err
    assert words(done.out)[-1][:3] == ["onnxruntime", "cpu", "fp32"]
    assert len(list(tmp_path.glob("motion-fp32-onnx-*.bin"))) == 1


def test_an_engine_that_cannot_be_built_ends_with_4(vqa2: Run, model_dir: Path) -> None:
    done = vqa2("engines", "build", "--engine", "tensorrt", "--device", "cpu", "--model", model_dir)
    assert done.code == 4
    assert done.err.count("\n") == 1
    assert "--device cuda" in done.err


def test_speeds_are_relative_to_the_baseline(vqa2: Run, model_dir: Path) -> None:
    done = vqa2("engines", "bench", "--frames", "10", "--model", model_dir)
    assert done.code == 0, done.err
    lines = {line[0]: line for line in words(done.out)}
    assert lines["pytorch"][-1] == "1.00"
    assert float(lines["onnxruntime"][-1]) > 0


def test_one_engine_is_timed_beside_the_baseline(vqa2: Run, model_dir: Path) -> None:
    args = ("engines", "bench", "--frames", "5", "--model", model_dir)
    both = vqa2(*args, "--engine", "onnxruntime")
    assert {"pytorch", "onnxruntime"} <= {line[0] for line in words(both.out) if line}
    alone = vqa2(*args, "--engine", "pytorch")
    assert "onnxruntime" not in alone.out


def test_an_engine_that_cannot_be_timed_ends_with_4(vqa2: Run, model_dir: Path) -> None:
    done = vqa2("engines", "bench", "--engine", "tensorrt", "--model", model_dir)
    assert done.code == 4
    assert done.err.count("\n") == 1
    assert "no GPU. Use another." in done.err


def test_a_baseline_that_does_not_run_is_a_usage_error(vqa2: Run, model_dir: Path) -> None:
    done = vqa2("engines", "bench", "--baseline", "tensorrt:fp16", "--model", model_dir)
    assert done.code == 2
    assert "pytorch:fp32, onnxruntime:fp32" in done.err
