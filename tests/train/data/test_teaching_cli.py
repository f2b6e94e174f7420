"""`vqa2 data stage1`, `stage3` and `extend` from the command line, on media made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.clips import moving_clip
from tests.train.data.stub_endpoint import failing, good, only_endpoint, saying
from train.data.asking import LEADS as ALL_LEADS
from train.data.depictions import Depiction, Finding, write_depictions
from train.data.records import read_samples
from train.data.stage3 import TASKS as ALL_TASKS
from train.data.teaching_cli import COMMANDS
from train.data.teaching_options import LEADS, TASKS
from train.degrade.making import DegradePlan, make_degraded
from vqa2cli.errors import UsageError, Vqa2Error
from vqa2cli.video.synthesis import moving_scene, write_clip

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled clip, and degraded clips with their journal."""
    folder = tmp_path_factory.mktemp("media")
    moving_clip(folder / "clip.mp4", 3.0)
    (folder / "plain").mkdir()
    write_clip(folder / "plain" / "a.mp4", moving_scene(2.0, 12, (128, 96), seed=4), 12)
    kinds = ("stutter", "white-noise", "exposure-drift")
    make_degraded(DegradePlan(folder / "plain", folder / "degraded", kinds, seconds=2.0))
    return folder


@pytest.fixture
def run() -> Run:
    commands = {command.name: command for command in COMMANDS}

    def invoke(name: str, *arguments: object) -> Result:
        texts = [str(argument) for argument in arguments]
        return CliRunner().invoke(commands[name], texts, standalone_mode=False)

    return invoke


def test_names_of_options_are_those_of_the_builders() -> None:
    assert LEADS == ALL_LEADS
    assert TASKS == ALL_TASKS


def test_stage1_writes_pictures_and_clips_apart(media: Path, tmp_path: Path, run: Run) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("media,label,severity\nclip.mp4,camera shake,3\nclip.mp4,exposure,\n")
    result = run(
        "stage1", "--media", media, "--labels", table, "--degraded", media / "degraded",
        "-o", tmp_path / "out", "--jobs", 1,
    )  # fmt: skip
    assert result.return_value == 0, result.output
    pictures = read_samples(tmp_path / "out" / "stage1-image.json")
    clips = read_samples(tmp_path / "out" / "stage1-video.json")
    assert {sample.kind for sample in pictures} == {"image"}
    assert {sample.kind for sample in clips} == {"video"}
    assert "It is noise." in {sample.turns[1].text for sample in pictures}
    assert "It is stuttering." in {sample.turns[1].text for sample in clips}
    assert all((media / sample.media).is_file() for sample in pictures + clips)
    assert "exposure: over- or underexposure is not told apart" in result.output
    assert "exposure-drift: a slow change of brightness" in result.output


def test_stage1_names_missing_media_and_ends_with_3(media: Path, tmp_path: Path, run: Run) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("media,label\ngone.mp4,noise\nclip.mp4,stutter\n")
    result = run("stage1", "--media", media, "--labels", table, "-o", tmp_path, "--jobs", 1)
    assert result.return_value == 3
    assert "missing: gone.mp4 (no such file)" in result.output
    assert (tmp_path / "stage1.missing.txt").read_text() == "gone.mp4\tno such file\n"
    assert read_samples(tmp_path / "stage1-video.json")


def test_stage1_with_nothing_to_do_says_why(media: Path, tmp_path: Path, run: Run) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("media,label\nclip.mp4,sparkle\n")
    result = run("stage1", "--media", media, "--labels", table, "-o", tmp_path)
    assert isinstance(result.exception, UsageError)
    assert "1 × sparkle: not a label of the mapping" in str(result.exception)


def test_stage3_writes_pairs_and_the_depictions_they_are_from(
    media: Path, tmp_path: Path, run: Run
) -> None:
    own = tmp_path / "own.jsonl"
    write_depictions(own, [Depiction("clip.mp4", (Finding("noise", "slight"),), level="good")])
    result = run(
        "stage3", "--media", media, "--depictions", own, "--degraded", media / "degraded",
        "-o", tmp_path,
    )  # fmt: skip
    assert result.return_value == 0, result.output
    samples = read_samples(tmp_path / "stage3.json")
    assert {sample.provenance.task for sample in samples} == set(TASKS)
    assert len((tmp_path / "depictions.jsonl").read_text().splitlines()) == 4
    assert "3  causal: its overall quality is not known" in result.output


def test_extend_tells_the_cost_first_and_sends_nothing_on_a_dry_run(
    media: Path, tmp_path: Path, run: Run
) -> None:
    own = tmp_path / "own.jsonl"
    write_depictions(own, [Depiction("clip.mp4", (Finding("noise", "slight"),))])
    result = run(
        "extend", "--media", media, "--depictions", own, "--base-url", "http://127.0.0.1:9/v1",
        "--model", "m", "--price-in", 2.5, "--price-out", 10, "--dry-run", "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.return_value == 0, result.output
    assert "1 depictions, 0 with a reply at hand, 1 to ask" in result.output
    assert "about 0.01 at the prices given" in result.output
    assert not (tmp_path / "out").exists()


def test_extend_writes_samples_and_rejected_replies(
    media: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openai", reason="the train extra is not installed")
    monkeypatch.setenv("SOME_KEY", "k")
    own = tmp_path / "own.jsonl"
    write_depictions(own, [Depiction("clip.mp4"), Depiction("plain/a.mp4")])
    with only_endpoint(monkeypatch) as stub:
        arguments = (
            "extend", "--media", media, "--depictions", own, "--base-url", stub.url, "--jobs", 1,
            "--model", "m", "--key-variable", "SOME_KEY", "--attempts", 1, "-o", tmp_path / "out",
            "--retries", 0, "--per-minute", 0,
        )  # fmt: skip
        stub.plan = [saying("no json")]
        stub.then = failing(500)
        stopped = run(*arguments)
        assert isinstance(stopped.exception, Vqa2Error)
        assert not (tmp_path / "out" / "stage3-extended.json").exists()
        stub.then = good
        result = run(*arguments)
    assert result.return_value == 0, result.output
    samples = read_samples(tmp_path / "out" / "stage3-extended.json")
    assert {sample.media for sample in samples} == {"plain/a.mp4"}
    rejected = json.loads((tmp_path / "out" / "rejected.jsonl").read_text())
    assert (rejected["media"], rejected["reply"]) == ("clip.mp4", "no json")
    assert "1 requests sent" in result.output
