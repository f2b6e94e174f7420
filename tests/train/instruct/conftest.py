"""A tiny model, clips and a picture, and an instruction set about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.clips import tiny_model
from train.data.records import Sample, Turn, write_samples
from train.instruct.recipe import InstructRecipe, read_instruct
from train.instruct.run import Job
from vqa2cli.video.synthesis import moving_scene, write_clip

ASKED = "The key frames are:\n<image>. And the motion is\n<image>. How is its quality?"

Make = Callable[..., InstructRecipe]


def turns(question: str, answer: str) -> tuple[Turn, ...]:
    """Return one question and its answer."""
    return (Turn("human", question), Turn("gpt", answer))


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model directory every test starts from."""
    return tiny_model(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of different contents and qualities, and a picture of each."""
    folder = tmp_path_factory.mktemp("media")
    for index in range(4):
        scene = list(moving_scene(1.0, 8, (64, 48), seed=index))
        write_clip(folder / f"{index}.mp4", scene, 8, options={"crf": str(12 + 12 * index)})
        Image.fromarray(scene[0]).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="session")
def clips_set(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One question about each clip, its answer a level."""
    path = tmp_path_factory.mktemp("sets") / "clips.json"
    words = ("high", "good", "poor", "low")
    write_samples(
        path,
        [
            Sample(f"c{index}", f"{index}.mp4", "video", turns(ASKED, f"It is {word}."), fps=8.0)
            for index, word in enumerate(words)
        ],
    )
    return path


@pytest.fixture(scope="session")
def pictures_set(media: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One question about each picture."""
    path = tmp_path_factory.mktemp("sets") / "pictures.json"
    question = "<image>\nWhat is the main spatial distortion presented in this image?"
    write_samples(
        path,
        [
            Sample(f"p{index}", f"{index}.png", "image", turns(question, f"It is {word}."))
            for index, word in enumerate(("noise", "block effect", "spatial blur", "low contrast"))
        ],
    )
    return path


@pytest.fixture
def recipe() -> Make:
    """Return a shipped recipe at mini size, with fields of its fit changed."""

    def make(name: str = "stage2-ugc", **changed: Any) -> InstructRecipe:
        found = read_instruct(name, "mini")
        quick = {"steps": 4, "batch": 2, "save_every": 100, "tensorboard": False}
        return replace(found, fit=replace(found.fit, **{**quick, **changed}))

    return make


@pytest.fixture
def job(clips_set: Path, media: Path, start: Path, tmp_path: Path) -> Callable[..., Job]:
    """Return a job on the clips, with fields changed."""

    def make(**changed: Any) -> Job:
        fields = {
            "data": (clips_set,),
            "media": media,
            "model": str(start),
            "out": tmp_path / "run",
            "cache": tmp_path / "looks",
            "device": "cpu",
        }
        return Job(**{**fields, **changed})

    return make
