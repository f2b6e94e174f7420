"""Language models that learn without a part of the embedded model, at toy size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from tests.train.mini.toy import toy
from train import ablations
from train.mini import Workplace
from train.recipe import read_recipe
from vqa2cli import load_model, score
from vqa2cli.errors import UsageError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

EYES = ("vision_tower.", "mm_projector.", "distortion_head.")


@pytest.fixture(scope="module")
def made(
    trained: Path, place: Workplace, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The models of one run of the command, by name."""
    out = tmp_path_factory.mktemp("ablations")
    patch = pytest.MonkeyPatch()
    patch.setattr(ablations, "read_recipe", lambda name: toy(read_recipe(name)))
    options = ["--without", "motion", "--seed", "0", "--seed", "1"]
    told = CliRunner().invoke(
        ablations.main, [str(place.out), str(out), *options, "--steps", "2"], catch_exceptions=False
    )
    patch.undo()
    assert told.exit_code == 0
    assert trained == place.model
    return {folder.name: folder / "model" for folder in out.iterdir()}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def moved(one: Path, other: Path) -> set[str]:
    """The names of tensors that differ."""
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    return {key for key, value in first.items() if not torch.equal(value, second[key])}


def test_there_is_a_model_of_each_part_left_out_and_each_seed(made: dict[str, Path]) -> None:
    parts = ("all", "without-motion")
    assert {*made} == {f"{part}-seed{seed}" for seed in (0, 1) for part in parts}


def test_each_of_them_scores(made: dict[str, Path], clips: Path) -> None:
    for folder in made.values():
        row = score(clips / "c.mp4", load_model(str(folder)))
        assert row.score is not None


def test_a_fresh_language_model_learns_on_the_eyes_there_are(
    made: dict[str, Path], trained: Path
) -> None:
    changed = moved(made["all-seed0"], trained)
    assert not [key for key in changed if key.startswith(EYES)]
    assert any(key.startswith("model.layers.0.") for key in changed)


def test_another_seed_is_another_language_model_on_the_same_eyes(made: dict[str, Path]) -> None:
    changed = moved(made["all-seed0"], made["all-seed1"])
    assert any(key.startswith("model.layers.0.") for key in changed)
    assert not [key for key in changed if key.startswith(EYES)]


def test_without_motion_nothing_that_moves_reaches_the_score(made: dict[str, Path]) -> None:
    still, seeing = (load_model(str(made[f"{n}-seed0"])) for n in ("without-motion", "all"))
    frames = torch.randint(0, 256, (4, 96, 96, 3), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        features = still.network.motion_features(frames)
        assert not still.network.motion_tokens(features).any()
        assert seeing.network.motion_tokens(features).any()


def test_without_stage_1_the_tower_is_as_it_was_drawn_over_what_photographs_taught(
    trained: Path, tmp_path: Path
) -> None:
    drawn = ablations.begin_anew(trained, tmp_path, "stage1", 0).state_dict()
    taught = ablations.begin_anew(trained, tmp_path, None, 0).state_dict()
    changed = {key for key, value in taught.items() if not torch.equal(value, drawn[key])}
    assert {key.partition(".")[0] for key in changed} == {
        "vision_tower", "mm_projector", "distortion_head",
    }  # fmt: skip
    assert any(".encoder.layers.0." in key for key in changed)
    assert not [key for key in changed if ".trunk." in key or ".spread." in key]


def test_a_recipe_without_imagined_clips_is_refused() -> None:
    recipe = toy(read_recipe("mini"))
    bare = [stage for stage in recipe.stages if not stage.fit.imagined]
    with pytest.raises(UsageError, match="no language model learn from imagined clips"):
        ablations.stage_of(replace(recipe, stages=tuple(bare)), 2)
