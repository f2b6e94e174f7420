"""Frames by the benchmark's own rule, and answers taken up again; no weights are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.train.qbench.made import binary, multi, open_ended, written
from train.qbench import asking
from train.qbench.asking import AskSettings, ask_all
from train.qbench.questions import read_questions
from train.qbench.views import view
from vqa2cli.assessment import ModelInfo
from vqa2cli.config import RunConfig
from vqa2cli.errors import VideoError
from vqa2cli.video.media import Sampling
from vqa2cli.video.synthesis import moving_scene, write_clip

CONFIG = RunConfig(diagnostics=False)


@dataclass(frozen=True)
class Seen:
    """What a model would see of a window."""

    visual: Any
    motion: Any
    keyframes: int
    frames: int


class Looker:
    """A model that hands pictures on as they are, and answers with the question's first words."""

    info = ModelInfo("looker", "1", "f00", "qbench-2024", "cpu", "none", "fp32")

    def __init__(self) -> None:
        self.asked: list[str] = []

    def sampling(self) -> Sampling:
        return Sampling(window_s=2, keyframe_size=32, motion_size=32)

    def encode_keyframes(self, pixels: Any) -> Any:
        return pixels

    def open_motion(self) -> Looker:
        return self

    def finish(self) -> Any:
        return np.zeros((0, 4), np.float32)

    def window_tokens(self, visual: Sequence[Any], motion: Any, frames: int) -> Seen:
        return Seen(visual[0], motion, len(visual[0]), frames)

    def answer(self, seen: object, question: str, max_new_tokens: int | None) -> str:
        self.asked.append(question)
        return question[:7]


def clip(path: Path, frames: int) -> Path:
    return write_clip(path, moving_scene(frames / 15, 15, (96, 64), speed=3), 15)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "moving.mp4").write_bytes(b"a clip")
    return folder


@pytest.fixture
def settings(media: Path, tmp_path: Path) -> AskSettings:
    return AskSettings(media, "paper", tmp_path / "answers.jsonl", CONFIG)


def officially(*paths: Path) -> Any:
    return view(Looker(), paths, "official", CONFIG)  # type: ignore[arg-type]


def test_sixteen_frames_are_spread_and_the_tail_is_left_as_the_benchmark_leaves_it(
    tmp_path: Path,
) -> None:
    path = clip(tmp_path / "a.mp4", 39)  # every second frame, so the last nine are not seen
    every = view(Looker(), [path, path], "official", CONFIG)  # type: ignore[arg-type]
    seen = officially(path)
    assert (seen.keyframes, len(seen.motion)) == (16, 0)
    assert len({picture.tobytes() for picture in seen.visual}) == 16
    # Eight of 39 are frames 0, 4, 8…: every second of those 16.
    assert np.array_equal(every.visual, seen.visual[::2])


def test_of_two_clips_eight_frames_each_are_shown_in_their_order(tmp_path: Path) -> None:
    first, second = clip(tmp_path / "a.mp4", 24), clip(tmp_path / "b.mp4", 8)
    seen = officially(first, second)
    assert (seen.keyframes, seen.visual.shape[0], seen.motion.shape[0]) == (16, 8, 8)
    assert np.array_equal(officially(second, first).visual, seen.motion)


def test_a_clip_of_fewer_frames_shows_its_first_each_time(tmp_path: Path) -> None:
    seen = officially(clip(tmp_path / "a.mp4", 6))
    assert len(seen.visual) == 16
    assert all(np.array_equal(picture, seen.visual[0]) for picture in seen.visual)


def looked(monkeypatch: pytest.MonkeyPatch, error: VideoError | None = None) -> list[object]:
    """Let every clip be seen, or fail; return the looks taken."""
    looks: list[object] = []

    def instead(model: object, paths: object, *rest: object) -> str:
        looks.append(paths)
        if error is not None:
            raise error
        return "seen"

    monkeypatch.setattr(asking, "view", instead)
    return looks


def test_a_clip_is_looked_at_once_and_answers_are_taken_up_again(
    settings: AskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, model = looked(monkeypatch), Looker()
    asked = read_questions(written(tmp_path / "q.json", [binary(), multi(), open_ended()]))
    first = ask_all(asked, model, settings)  # type: ignore[arg-type]
    assert [answer.text for answer in first.values()] == ["Is the ", "What is", "How is "]
    assert ask_all(asked, model, settings) == first  # type: ignore[arg-type]
    assert (len(looks), len(model.asked)) == (1, 3)


def test_a_run_that_dies_halfway_asks_only_what_is_left(
    settings: AskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(monkeypatch)
    asked = read_questions(written(tmp_path / "q.json", [binary(), multi(), open_ended()]))

    class Dying(Looker):
        def answer(self, seen: object, question: str, max_new_tokens: int | None) -> str:
            if len(self.asked) == 2:
                raise KeyboardInterrupt
            return super().answer(seen, question, max_new_tokens)

    with pytest.raises(KeyboardInterrupt):
        ask_all(asked, Dying(), settings)  # type: ignore[arg-type]
    model = Looker()
    assert len(ask_all(asked, model, settings)) == 3  # type: ignore[arg-type]
    assert len(model.asked) == 1


def test_another_clip_of_the_same_name_is_asked_about_anew(
    settings: AskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(monkeypatch)
    model = Looker()
    asked = read_questions(written(tmp_path / "q.json", [binary()]))
    ask_all(asked, model, settings)  # type: ignore[arg-type]
    (settings.media / "moving.mp4").write_bytes(b"another clip")
    ask_all(asked, model, settings)  # type: ignore[arg-type]
    ask_all(asked, model, replace(settings, max_new_tokens=3))  # type: ignore[arg-type]
    assert len(model.asked) == 3


def test_media_that_are_missing_or_broken_are_named_and_kept_answers_stay(
    settings: AskSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked(monkeypatch)
    gone = binary(video_name="gone.mp4")
    asked = read_questions(written(tmp_path / "q.json", [binary(), multi(), gone]))
    ask_all(asked[:1], Looker(), settings)  # type: ignore[arg-type]
    looked(monkeypatch, VideoError("corrupt", "moving.mp4: no frame could be decoded"))
    found = ask_all(asked, Looker(), settings)  # type: ignore[arg-type]
    assert found["0"].text == "Is the "
    assert (found["1"].text, found["1"].reason) == (None, "moving.mp4: no frame could be decoded")
    assert str(found["2"].reason).startswith("gone.mp4: no such file below")
