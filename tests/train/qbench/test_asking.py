"""A tiny untrained model is asked by either protocol: its answers mean nothing and are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clips import moving_clip
from tests.train.qbench.made import binary, multi, open_ended, written
from train.qbench import asking, views
from train.qbench.asking import AskSettings, ask_all, open_model
from train.qbench.prompts import asked_officially, prompt_text
from train.qbench.questions import read_questions
from vqa2cli.cli import main
from vqa2cli.config import RunConfig
from vqa2cli.errors import ModelError, UsageError
from vqa2cli.model import QualityModel
from vqa2cli.model.tokens import IMAGE_SLOT

PAIR = binary(video_name="moving.mp4_cat_short.mp4.mp4", context="Compare-coarse")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 36 frames, one of 6, and one that is none."""
    folder = tmp_path_factory.mktemp("media")
    moving_clip(folder / "moving.mp4", 2.4)
    moving_clip(folder / "short.mp4", 0.4)
    (folder / "broken.mp4").write_text("this is no video\n" * 99)
    return folder


@pytest.fixture
def settings(assistant: Path, media: Path, tmp_path: Path) -> AskSettings:
    config = RunConfig(
        model=str(assistant), protocol="qbench-2024", device="cpu", diagnostics=False
    )
    return AskSettings(media, "paper", tmp_path / "answers.jsonl", config, max_new_tokens=4)


@pytest.fixture
def model(settings: AskSettings) -> QualityModel:
    return open_model(settings.config)


def questions(folder: Path, *records: dict[str, Any]) -> Any:
    return read_questions(written(folder / "dev.json", records))


def test_a_clip_is_looked_at_once_and_answers_are_taken_up_again(
    model: QualityModel, settings: AskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Any] = []
    plain = views.view
    monkeypatch.setattr(asking, "view", lambda *given: looks.append(given) or plain(*given))
    asked = questions(tmp_path, binary(), multi(), open_ended())
    first = ask_all(asked, model, settings)
    assert len(looks) == 1
    assert {name: answer.reason for name, answer in first.items()} == dict.fromkeys("012")
    assert len(settings.kept.read_text().splitlines()) == 3
    assert ask_all(asked, model, settings) == first
    assert len(looks) == 1
    ask_all(asked, model, replace(settings, max_new_tokens=3))
    assert len(looks) == 2


def test_media_that_are_missing_or_broken_are_named_and_the_others_answered(
    model: QualityModel, settings: AskSettings, tmp_path: Path
) -> None:
    asked = questions(
        tmp_path, binary(), binary(video_name="gone.mp4"), binary(video_name="broken.mp4")
    )
    found = ask_all(asked, model, settings)
    assert found["0"].text is not None
    assert found["1"].text is None
    assert str(found["1"].reason).startswith("gone.mp4: no such file below")
    assert "broken.mp4" in str(found["2"].reason)


def test_the_benchmarks_own_protocol_shows_sixteen_frames_and_eight_of_each_of_two(
    model: QualityModel, settings: AskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []
    plain = QualityModel.encode_keyframes

    def encode(self: QualityModel, pixels: Any) -> Any:
        shown.append(len(pixels))
        return plain(self, pixels)

    monkeypatch.setattr(QualityModel, "encode_keyframes", encode)
    asked = questions(tmp_path, binary(), PAIR)
    found = ask_all(asked, model, replace(settings, protocol="official"))
    assert shown == [16, 8, 8]
    assert all(answer.text is not None for answer in found.values())


def test_prompts_are_those_of_either_protocol(model: QualityModel, tmp_path: Path) -> None:
    single, free = questions(tmp_path, multi(), open_ended())
    tail = "\nA. Noise\nB. Blur\nC. Nothing\nPlease answer the question in the following format"
    assert f"{single.text}{tail}" in prompt_text(single, "paper")
    assert prompt_text(free, "paper") == "How is the light?Please directly answer the question."
    assert prompt_text(free, "official") == "How is the light?"
    for clips in (1, 2):
        ids = asked_officially(model, clips).prompter.question_ids(16, 0, "Why?")
        said = model.prompter.decode([one for one in ids if one != IMAGE_SLOT])
        assert ids.count(IMAGE_SLOT) == clips
        assert "You will receive 16 distinct frames" in said
        assert "motion" not in said
    assert model.protocol.name == "qbench-2024"


def test_a_question_that_is_too_long_is_refused_before_anything_is_asked(
    model: QualityModel, settings: AskSettings, tmp_path: Path
) -> None:
    asked = questions(tmp_path, binary(), binary(question="x" * 9000))
    with pytest.raises(UsageError, match="question 1, line 3: the question has 9000 characters"):
        ask_all(asked, model, settings)
    assert not settings.kept.exists()


def test_a_model_made_to_score_is_refused() -> None:
    with pytest.raises(ModelError, match="answers no questions"):
        open_model(RunConfig(protocol="qbench-2024", device="cpu"))


def test_the_command_asks_and_names_what_is_missing(
    assistant: Path, media: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = written(tmp_path / "dev.json", [binary(), multi(video_name="gone.mp4")])
    code = main(
        [
            "evaluate", "qbench-video", str(benchmark), "--media", str(media), "--model",
            str(assistant), "--device", "cpu", "--max-tokens", "3", "--format", "json",
        ]
    )  # fmt: skip
    said = capsys.readouterr()
    assert code == 3
    assert "left out: 1 of 2 questions" in said.err
    assert "gone.mp4: no such file" in said.err
    columns = json.loads(said.out)["columns"]
    assert columns["multi"]["value"] is None
    assert columns["binary"]["scored"] == 1
    assert (tmp_path / "dev.json.kept" / "answers.jsonl").exists()
