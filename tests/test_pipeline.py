"""The pipeline on real decoded clips and a tiny, untrained model."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from tests.clips import moving_clip, stalled_clip, tiny_model
from vqa2cli.assessment import Assessment, Score
from vqa2cli.config import MOST_PROMISED, RunConfig
from vqa2cli.errors import EngineError, UsageError, VideoError
from vqa2cli.model import QualityModel, load_model
from vqa2cli.model.promises import LOST_WITHIN, USUAL_SHARE
from vqa2cli.pipeline import find_stalls, score, score_files, stall_files
from vqa2cli.report.rows import record_of


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> QualityModel:
    return load_model(tiny_model(tmp_path_factory.mktemp("model")), device="cpu")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    moving_clip(folder / "short.mp4")
    moving_clip(folder / "long.mp4", seconds=5.0)
    stalled_clip(folder / "stalled.mp4")
    (folder / "text.mp4").write_text("this is no video\n")
    return folder


def one(path: Path, model: QualityModel, config: RunConfig | None = None) -> Assessment:
    (row,) = score_files([path], model, config)
    return row


def test_a_short_clip_is_one_window(clips: Path, model: QualityModel) -> None:
    row = one(clips / "short.mp4", model)
    assert row.error is None
    assert row.score is not None
    assert row.pooled is not None
    assert len(row.segments) == 1
    assert row.segments[0].score == row.score.value == row.pooled.mean
    assert 0 <= row.score.value <= 100
    assert row.stalling is None


def test_a_long_clip_is_cut_into_equal_windows_and_pooled(clips: Path, model: QualityModel) -> None:
    row = one(clips / "long.mp4", model)
    assert row.score is not None
    assert len(row.segments) == 3  # 5 s in windows of at most 2 s
    lengths = [segment.end - segment.start for segment in row.segments]
    assert lengths == pytest.approx([5 / 3] * 3)
    mean = sum(segment.score for segment in row.segments) / 3
    assert row.score.value == pytest.approx(mean)


def test_scores_do_not_depend_on_how_many_windows_are_scored_at_a_time(
    clips: Path, model: QualityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = one(clips / "long.mp4", model)
    monkeypatch.setattr("vqa2cli.clip_scorer.WINDOWS_PER_PASS", 1)
    single = one(clips / "long.mp4", model)
    assert [s.score for s in single.segments] == pytest.approx(
        [s.score for s in whole.segments], abs=1e-3
    )


def test_streaming_reports_the_stall_and_its_frames(clips: Path, model: QualityModel) -> None:
    row = one(clips / "stalled.mp4", model, RunConfig(streaming=True))
    assert row.stalling is not None
    assert row.frames is not None
    assert row.stalling.rebuffer_number == 1
    assert row.stalling.rebuffer_duration_sec == pytest.approx(1.0, abs=0.1)
    assert sum(row.frames.stalled) == pytest.approx(15, abs=1)
    assert len(row.frames.stalled) == len(row.frames.pts_s) == 45
    assert row.diagnostics is not None
    assert "stall" in row.diagnostics.text.lower()
    assert row.diagnostics.findings[0].value == pytest.approx(1.0, abs=0.1)


@pytest.fixture
def told(model: QualityModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[str]]]:
    """Return what the model is told from now on: facts and of stalls, both with each window."""
    heard: list[tuple[list[str], list[str]]] = []
    scored = model.score_windows

    def listen(windows: list[object], facts: list[str], stalls: list[str]) -> object:
        heard.append((facts, stalls))
        return scored(windows, facts=facts, stalls=stalls)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "score_windows", listen)
    return heard


def judging(model: QualityModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the model judge stalls itself."""
    monkeypatch.setattr(model, "protocol", replace(model.protocol, judges_stalls=True))


def test_a_model_that_judges_stalls_is_told_of_them_and_keeps_its_answer(
    clips: Path,
    model: QualityModel,
    told: list[tuple[list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judging(model, monkeypatch)
    row = one(clips / "stalled.mp4", model, RunConfig(streaming=True))
    assert row.stalling is not None
    assert row.session is not None
    assert row.pooled is not None
    assert row.score is not None
    assert {text for _, texts in told for text in texts} == {row.stalling.summary}
    assert all("h264" in facts for facts in told[0][0])
    assert len(told[0][0]) == len(told[0][1])
    assert row.session.weighed_by == "model"
    assert row.score.value == row.session.with_stalls == pytest.approx(row.pooled.mean)
    assert row.session.without_stalls > row.session.with_stalls


def test_it_may_be_told_of_stalls_frame_by_frame(
    clips: Path,
    model: QualityModel,
    told: list[tuple[list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judging(model, monkeypatch)
    row = one(clips / "stalled.mp4", model, RunConfig(streaming=True, stall_text="sequence"))
    assert row.frames is not None
    digits = "".join(
        re.sub("[^01]", "", text.split(": ")[1]) for _, texts in told for text in texts
    )
    assert [int(digit) for digit in digits] == list(row.frames.stalled)
    assert "1" in digits


def test_other_models_see_the_pictures_alone_and_the_session_model_weighs_the_stalls(
    clips: Path, model: QualityModel, told: list[tuple[list[str], list[str]]]
) -> None:
    row = one(clips / "stalled.mp4", model, RunConfig(streaming=True))
    plain = one(clips / "stalled.mp4", model, RunConfig(stream_facts=False))
    assert {text for _, texts in told for text in texts} == {""}
    assert told[-1][0] == [""] * len(told[-1][1])
    assert row.session is not None
    assert row.score is not None
    assert row.stalling is not None
    assert row.score.value == row.session.with_stalls < row.session.without_stalls
    counted = [event.counted for event in row.stalling.events]
    assert [cost > 0 for cost in row.session.costs] == counted
    assert plain.session is None
    assert row.diagnostics is not None
    assert "Without stalls the score would be" in row.diagnostics.text


def scored_beside(
    usual: float, clip: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Assessment, list[list[Score]]]:
    """Return a clip scored where `usual` is expected, and the model's answers pass after pass."""
    model = load_model(tiny_model(folder, usual=usual), device="cpu")
    given: list[list[Score]] = []
    answer = model.score_windows

    def kept(*asked: Any, **told: Any) -> list[Score]:
        given.append(answer(*asked, **told))
        return given[-1]

    with monkeypatch.context() as patched:
        patched.setattr(model, "score_windows", kept)
        return one(clip, model), given


def test_a_clip_that_keeps_what_its_facts_promise_is_drawn_to_what_is_usual(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, (said,) = scored_beside(45.0, clips / "long.mp4", tmp_path, monkeypatch)
    assert [part.score for part in row.segments] == pytest.approx(
        [said_of.value + USUAL_SHARE * (45.0 - said_of.value) for said_of in said], abs=0.1
    )
    assert not any("usually score" in warning for warning in row.warnings)


def test_a_clip_that_breaks_it_is_worth_what_its_pictures_are_and_the_row_says_so(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, (said, alone) = scored_beside(98.0, clips / "long.mp4", tmp_path, monkeypatch)
    assert all(98.0 - one_of.value > MOST_PROMISED + LOST_WITHIN for one_of in said)
    assert [part.score for part in row.segments] == pytest.approx(
        [
            min(told.value, seen.value, part.distortion.quality)
            for told, seen, part in zip(said, alone, row.segments, strict=True)
            if part.distortion is not None
        ]
    )
    assert any("usually score 98" in warning for warning in row.warnings)
    model = load_model(tmp_path, device="cpu")
    by_pictures = one(clips / "long.mp4", model, RunConfig(stream_facts=False))
    assert row.score is not None
    assert by_pictures.score is not None
    assert row.score.value <= by_pictures.score.value + 1e-6


def test_a_file_that_is_no_video_costs_only_its_own_row(clips: Path, model: QualityModel) -> None:
    names = ["short.mp4", "text.mp4", "missing.mp4", "long.mp4"]
    rows = list(score_files([clips / name for name in names], model))
    assert [Path(row.file).name for row in rows] == names
    assert [row.status for row in rows] == ["ok", "error", "error", "ok"]
    assert rows[1].error is not None
    assert rows[2].error is not None
    assert rows[1].error.kind == "not_video"
    assert rows[2].error.kind == "not_found"
    assert not rows[2].error.message.startswith(str(clips))


def test_a_bug_in_one_file_is_an_internal_error_of_its_row(
    clips: Path, model: QualityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = model.encode_keyframes
    calls = []

    def stumble(pixels: object) -> Tensor:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("by hand")
        return encode(pixels)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "encode_keyframes", stumble)
    first, second = score_files([clips / "short.mp4"] * 2, model)
    assert first.error is not None
    assert first.error.kind == "internal"
    assert first.error.message == "ZeroDivisionError: by hand"
    assert second.error is None


def test_a_failing_engine_stops_the_run(
    clips: Path, model: QualityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise EngineError("engine x: gone")

    monkeypatch.setattr(model, "open_motion", fail)
    with pytest.raises(EngineError, match="gone"):
        one(clips / "short.mp4", model)


def test_a_score_that_is_no_number_is_an_error_and_not_a_row_of_nan(
    clips: Path, model: QualityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = model.score_windows

    def spoil(*args: object, **kwargs: object) -> object:
        return [replace(s, value=float("nan")) for s in scored(*args, **kwargs)]  # type: ignore[arg-type]

    monkeypatch.setattr(model, "score_windows", spoil)
    row = one(clips / "short.mp4", model)
    assert row.score is None
    assert row.error is not None
    assert "--precision fp32" in row.error.message


def test_a_protocol_that_does_not_fit_the_checkpoint_is_told(
    clips: Path, model: QualityModel
) -> None:
    row = one(clips / "short.mp4", model)  # untrained: its mass lies anywhere
    assert row.score is not None
    assert row.score.level_mass < 0.5
    assert any("does not fit" in warning for warning in row.warnings)


def test_two_runs_differ_in_nothing_but_time(clips: Path, model: QualityModel) -> None:
    def run() -> list[dict[str, object]]:
        files = [clips / "long.mp4", clips / "stalled.mp4", clips / "text.mp4"]
        rows = score_files(files, model, RunConfig(streaming=True))
        return [{**record_of(row), "timing": None} for row in rows]

    assert run() == run()


def test_a_protocol_that_answers_questions_is_refused_before_decoding(
    clips: Path, tmp_path: Path
) -> None:
    chat = load_model(tiny_model(tmp_path), device="cpu", protocol="assistant-chat")
    with pytest.raises(UsageError, match="--protocol"):
        one(clips / "short.mp4", chat)


def test_one_clip_is_scored_or_raises(clips: Path, model: QualityModel) -> None:
    assert score(clips / "short.mp4", model).score is not None
    with pytest.raises(VideoError, match=r"missing\.mp4") as caught:
        score(clips / "missing.mp4", model)
    assert caught.value.kind == "not_found"


def test_stalls_are_found_without_a_model(clips: Path) -> None:
    stalling = find_stalls(clips / "stalled.mp4")
    assert stalling.rebuffer_number == 1
    assert stalling.events[0].start == pytest.approx(1.0, abs=0.1)
    moving, stalled, text = stall_files(
        [clips / "long.mp4", clips / "stalled.mp4", clips / "text.mp4"]
    )
    assert moving.stalling is not None
    assert moving.stalling.events == ()
    assert stalled.stalling == stalling
    assert text.status == "error"
    with pytest.raises(VideoError):
        find_stalls(clips / "missing.mp4")
