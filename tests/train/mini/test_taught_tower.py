"""A tower that learns what a teacher says of pictures that do not exist."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.train.mini.toy import toy
from train.corpus import Item
from train.kadid import FOUND_AS
from train.mini import (
    Workplace,
    fit_mini,
    new_network,
    patches_of,
    prepare,
    teacher_of,
    train_split,
    training_looks,
)
from train.recipe import read_recipe
from train.teacher import Teacher
from vqa2cli import load_model, score

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

RECIPE = toy(read_recipe("mini-next"))
TOWER = next(stage for stage in RECIPE.stages if stage.part == "tower")


class Told:
    """Stands in for a teacher: pictures are as good as their first channel is large."""

    def reader(self, seen: np.ndarray) -> np.ndarray:
        readings = np.zeros((len(seen), 28))
        readings[:, :2] = 50 + 40 * np.tanh(seen[:, :1])
        readings[:, 2] = 1.0
        return readings

    def alone(self, readings: np.ndarray) -> np.ndarray:
        return readings[:, 0]

    def kinds(self, readings: np.ndarray) -> np.ndarray:
        return readings[:, 2:]


def test_a_tower_learns_what_its_teacher_says_of_pictures_that_do_not_exist(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    network, _ = new_network(RECIPE, tmp_path)
    task = prepare(network, None, TOWER, Told()).train()
    optimizer = torch.optim.AdamW(
        [weight for weight in task.parameters() if weight.requires_grad], lr=2e-3
    )
    clips, new = clips_of(torch.linspace(-2, 2, 16)), clips_of(torch.linspace(-1.5, 1.5, 5))
    with torch.inference_mode():
        before = task.eval()(new)["loss"]
    task.train()
    for _ in range(60):
        optimizer.zero_grad()
        task(clips)["loss"].backward()
        optimizer.step()
    with torch.inference_mode():
        after = task.eval()(new)
    assert after["loss"] < 0.5 * before
    assert (after["scores"].diff() > 0).all()


def test_the_network_tells_by_itself_what_the_head_over_its_tower_told(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, _ = new_network(RECIPE, tmp_path)
    task = prepare(network, None, TOWER, Told()).eval()
    torch.nn.init.normal_(network.mm_projector[2].weight[: network.config.language.hidden_size])
    task.finish()
    frames = clips_of(torch.linspace(-2, 2, 3))
    with torch.inference_mode():
        told, kinds, _ = task.read(frames.transpose(0, 1))
        quality, probs = network.distortion_head(network.visual_tokens(frames[:, 0]))
    assert torch.allclose(quality, torch.sigmoid(told[0, 0]), atol=1e-5)
    assert torch.allclose(probs, kinds[0].softmax(-1), atol=1e-5)
    assert len(probs) == len(network.config.distortions) == 26


def clips_of(levels: torch.Tensor) -> torch.Tensor:
    """Return one picture of patches for each level that their channels have in the mean."""
    return torch.randn(len(levels), 1, 14, 14, 320) * 0.3 + levels[:, None, None, None, None]


def test_a_tower_without_a_teacher_is_refused(tmp_path: Path) -> None:
    network, _ = new_network(RECIPE, tmp_path)
    with pytest.raises(ValueError, match="there is no teacher"):
        prepare(network, None, TOWER)


def test_the_teacher_of_a_corpus_knows_its_kinds_and_stays_on_the_scale(
    items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    network, _ = new_network(RECIPE, tmp_path)
    mine = train_split(items)
    patches = patches_of(network, training_looks(RECIPE, place).fill(mine))
    teacher = teacher_of(mine, patches, TOWER.fit, 0)
    assert isinstance(teacher, Teacher)
    readings = teacher.reader(np.random.default_rng(0).normal(size=(7, 640)))
    assert readings.shape == (7, 28)
    assert np.allclose(teacher.kinds(readings).sum(1), 1.0)
    assert ((teacher.alone(readings) >= 0) & (teacher.alone(readings) <= 100)).all()


def test_the_whole_recipe_makes_a_model_that_scores(
    items: list[Item], place: Workplace, clips: Path, tmp_path: Path
) -> None:
    assert items
    model = fit_mini(RECIPE, Workplace(place.material, moved(place, tmp_path)))
    row = score(clips / "c.mp4", load_model(str(model)))
    assert row.score is not None
    assert 0 <= row.score.value <= 100
    shown = row.segments[0].distortion
    assert shown is not None
    assert shown.name in FOUND_AS
    assert 1 / 26 < shown.prob <= 1
    assert 0 < shown.quality < 100
    record = json.loads((model.parent / "fit.json").read_text())
    assert [stage["fit"]["taught"] for stage in record["stages"]] == [False, True, False, False]
    assert record["stages"][-1]["fit"]["imagined"] == 12
    assert load_file(model / "model.safetensors")


def moved(place: Workplace, folder: Path) -> Path:
    """Return a folder with the corpus and the looks of `place`, and nothing of its stages."""
    for name in ("corpus", "looks"):
        (folder / name).symlink_to(place.out / name)
    return folder
