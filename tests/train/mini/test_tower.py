"""A tower that learns what a teacher says of pictures that do not exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.mini.toy import toy
from train.beginning import begin
from train.expectation import fit_expectation
from train.features import Look, load_look, statistics_of
from train.fit import READ, TowerTask
from train.items import Item
from train.mini import (
    Workplace,
    prepare,
    teacher_of,
    train_split,
    training_looks,
)
from train.recipe import read_recipe
from train.seen import measure_spread, motion_of, patches_of
from train.teacher import Teacher
from vqa2cli.errors import UsageError
from vqa2cli.model.inverted import PATCH_CHANNELS
from vqa2cli.model.network import Vqa2Network

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

RECIPE = toy(read_recipe("mini"))
TOWER = next(stage for stage in RECIPE.stages if stage.part == "tower")


#: A network, clips, and what its trunk finds in them.
Seen = tuple[Vqa2Network, list[Item], list[Look]]


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
    network, _ = begin(RECIPE, tmp_path)
    task = prepare(network, None, TOWER, Told()).train()
    optimizer = torch.optim.AdamW(
        [weight for weight in task.parameters() if weight.requires_grad], lr=2e-3
    )
    clips, new = clips_of(torch.linspace(-2, 2, 16)), clips_of(torch.linspace(-1.5, 1.5, 5))
    with torch.inference_mode():
        before = task.eval()(new)["loss"]
    task.train()
    for _ in range(40):
        optimizer.zero_grad()
        task(clips)["loss"].backward()
        optimizer.step()
    with torch.inference_mode():
        after = task.eval()(new)
    assert after["loss"] < 0.5 * before
    assert (after["scores"].diff() > 0).all()


def test_the_network_tells_by_itself_what_the_head_over_its_tower_told(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network, _ = begin(RECIPE, tmp_path)
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


@pytest.mark.parametrize(("kept", "moved"), [(0.0, 1.0), (0.5, 0.5), (0.75, 0.25)])
def test_a_tower_taught_anew_keeps_its_share_of_what_it_was(
    tmp_path: Path, kept: float, moved: float
) -> None:
    torch.manual_seed(0)
    network, _ = begin(RECIPE, tmp_path)
    stage = replace(TOWER, fit=replace(TOWER.fit, kept=kept))
    task = prepare(network, None, stage, Told())
    layer = network.vision_tower.encoder.layers[0].mlp.fc1.weight
    before = layer.detach().clone()
    with torch.no_grad():
        layer.add_(1.0)
    task.finish()
    assert torch.allclose(layer - before, torch.full_like(before, moved), atol=1e-5)


def clips_of(levels: torch.Tensor) -> torch.Tensor:
    """Return one picture of patches for each level that their channels have in the mean."""
    return (
        torch.randn(len(levels), 1, 14, 14, PATCH_CHANNELS) * 0.3
        + levels[:, None, None, None, None]
    )


def test_a_tower_without_a_teacher_is_refused(tmp_path: Path) -> None:
    network, _ = begin(RECIPE, tmp_path)
    with pytest.raises(ValueError, match="there is no teacher"):
        prepare(network, None, TOWER)


@pytest.fixture(scope="module")
def seen(items: list[Item], place: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """A network, the training clips, and what its trunk finds in them."""
    network, _ = begin(RECIPE, tmp_path_factory.mktemp("seen"))
    assert network.stream_expectation is not None
    mine = train_split(items)
    looks = training_looks(RECIPE, place).fill(mine)
    measure_spread(network, looks)
    return network, mine, patches_of(network, looks)


def test_the_teacher_of_a_corpus_knows_its_kinds_and_stays_on_the_scale(seen: Seen) -> None:
    network, mine, patches = seen
    facts, of_pictures = [look.facts for look in patches], statistics_of(patches)
    fit_expectation(network.stream_expectation, mine, facts, of_pictures, 0)
    teacher = teacher_of(network, mine, patches, TOWER.fit, 0)
    assert isinstance(teacher, Teacher)
    readings = teacher.reader(np.random.default_rng(0).normal(size=(7, 2 * PATCH_CHANNELS)))
    assert readings.shape == (7, 28)
    assert np.allclose(teacher.kinds(readings).sum(1), 1.0)
    assert ((teacher.alone(readings) >= 0) & (teacher.alone(readings) <= 100)).all()


def test_without_an_expectation_nobody_teaches(seen: Seen) -> None:
    network, mine, patches = seen
    plain = Vqa2Network(replace(network.config, expectation=(), traits=0))
    with pytest.raises(UsageError, match="needs an expectation"):
        teacher_of(plain, mine, patches, TOWER.fit, 0)


def test_the_trunk_finds_each_channel_spread_alike_and_is_not_taught(seen: Seen) -> None:
    network, _, patches = seen
    found = np.concatenate([look.keyframes for look in patches]).astype(np.float32)
    assert found.shape[1:] == (14, 14, PATCH_CHANNELS)
    assert np.abs(found.mean((0, 1, 2))).max() < 0.05
    assert np.abs(found.std((0, 1, 2)) - 1).max() < 0.05

    task = prepare(network, None, TOWER, Told())
    pictures = torch.from_numpy(patches[0].keyframes[None, :1])
    torch.cat(task.read(pictures), -1).square().sum().backward()
    stem = network.vision_tower.embeddings.patch_embedding
    assert all(parameter.grad is None for parameter in stem.trunk.parameters())
    assert stem.narrow.weight.grad.abs().sum() > 0


def test_patches_found_before_make_the_tokens_that_pixels_make(
    items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    network, _ = begin(RECIPE, tmp_path)
    (look,) = training_looks(RECIPE, place).fill(train_split(items)[:1])
    measure_spread(network, [look])
    (patches,) = patches_of(network, [look])
    pixels = torch.from_numpy(load_look(look).keyframes)
    with torch.inference_mode():
        whole = network.visual_tokens(pixels)
        late = network.visual_tokens(torch.from_numpy(patches.keyframes).float())
    assert torch.allclose(whole, late, atol=0.05, rtol=0.05)


def test_motion_of_a_lone_frame_is_what_the_branch_finds_in_it(
    items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    network, _ = begin(RECIPE, tmp_path)
    looks = training_looks(RECIPE, place).fill(train_split(items)[:6])
    for look, found in zip(looks, motion_of(network, looks, stride=1000), strict=True):
        with torch.inference_mode():
            told = network.motion_features(torch.from_numpy(load_look(look).motion[:1]))
        assert np.allclose(found, told.numpy(), atol=1e-4)


def test_a_tower_learns_in_the_dimensions_alone_that_its_heads_read(tmp_path: Path) -> None:
    network, _ = begin(RECIPE, tmp_path)
    task = TowerTask(network, TOWER.fit, Told())
    last = network.mm_projector[2]
    before = last.weight.detach().clone()
    optimizer = torch.optim.AdamW(task.parameters(), lr=0.1, weight_decay=0.0)
    told = torch.cat(task.read(torch.randint(0, 256, (3, 1, 224, 224, 3))), -1)
    told.square().sum().backward()
    optimizer.step()
    assert (last.weight[:READ] - before[:READ]).abs().min(1).values.max() > 0
    assert not last.weight[READ:].any()
    assert last.bias[READ:].tolist() == [1.0] + [0.0] * (len(last.bias) - READ - 1)
