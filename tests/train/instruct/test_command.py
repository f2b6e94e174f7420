"""`vqa2 train STAGE` from the command line."""

from __future__ import annotations

import pytest

from tests.cli.conftest import vqa2  # noqa: F401 - a fixture
from train.instruct.known import first_sentence, instruct_recipes, recipe_path
from train.instruct.recipe import read_instruct
from vqa2cli.errors import UsageError

STAGES = ["mix", "stage1-image", "stage1-video", "stage2-streaming", "stage2-ugc", "stage3"]


def test_every_recipe_ships_and_tells_what_it_is():
    assert instruct_recipes() == STAGES
    for name in STAGES:
        assert first_sentence(recipe_path(name))


@pytest.mark.parametrize("name", STAGES)
def test_the_authors_figures_are_the_defaults_at_7b(name):
    fit = read_instruct(name, "7b").fit
    assert (fit.learning_rate, fit.vision_learning_rate) == (1e-5, 2e-6)
    assert (fit.warmup, fit.clip, fit.weight_decay) == (0.03, 1.0, 0.0)
    assert (fit.precision, fit.checkpointing, fit.accumulation) == ("bf16", True, 2)
    assert read_instruct(name, "mini").fit.learning_rate > fit.learning_rate


def test_a_recipe_of_ones_own_goes_over_the_common_figures_of_its_size(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        'kind = "instruct"\nparts = ["mm_projector"]\nmedia = ["image"]\n'
        "[fit]\nlearning_rate = 0.5\n[overrides.mini.fit]\nbatch = 3\n"
    )
    mini, large = (read_instruct(str(own), size).fit for size in ("mini", "7b"))
    assert (mini.learning_rate, mini.batch) == (0.5, 3)
    assert (large.learning_rate, large.batch) == (0.5, 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('parts = ["ears"]\nmedia = ["image"]', "no part 'ears'; choose vision_tower"),
        ('parts = []\nmedia = ["image"]\nlr = 1', "unknown key lr"),
        ('parts = []\nmedia = ["image"]\n[fit]\nnorms = "warm"', "no norms 'warm'; choose frozen"),
        ('parts = []\nmedia = ["image"]\n[fit]\nbatch = 0', "batch is 0; give 1 or more"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(text, told, tmp_path):
    (tmp_path / "own.toml").write_text(f'kind = "instruct"\n{text}\n')
    with pytest.raises(UsageError, match=told):
        read_instruct(str(tmp_path / "own.toml"), "mini")


def test_help_lists_the_recipes_without_loading_torch(vqa2):  # noqa: F811
    run = vqa2("train", "--help")
    assert run.code == 0
    assert all(name in run.out for name in [*STAGES, "mini"])


def test_the_embedded_models_recipe_keeps_its_options_wherever_it_stands(vqa2):  # noqa: F811
    for args in (("mini", "--help"), ("--help", "mini")):
        assert "--clips" in vqa2("train", *args).out
    assert "--clips" in vqa2("train", "--out", "x").err  # what it lacks without a name


def test_a_stage_trains_from_the_command_line(vqa2, clips_set, media, start, tmp_path):  # noqa: F811
    run = vqa2(
        *("train", "stage2-ugc", "--data", clips_set, "--media", media, "--model", start),
        *("--out", tmp_path / "run", "--steps", 1, "--device", "cpu"),
    )
    assert run.code == 0, run.err
    assert run.out.strip() == str(tmp_path / "run" / "model")
    assert "usually follows stage1-image, stage1-video" in run.err
    assert list((tmp_path / "run" / "tensorboard").iterdir())


def test_a_dry_run_prints_tables_and_trains_nothing(vqa2, tmp_path):  # noqa: F811
    run = vqa2("train", "stage2-ugc", "--model", "7b", "--dry-run", "--gpus", 4)
    assert run.code == 0, run.err
    assert "memory on each of 4 devices, GiB" in run.out


def test_what_a_stage_needs_and_lacks_is_named(vqa2, clips_set, start):  # noqa: F811
    run = vqa2("train", "stage3", "--model", start, "--data", clips_set)
    assert run.code == 2
    assert "train stage3 needs --media, --out" in run.err
    assert "7b is a shape for --dry-run" in vqa2("train", "stage3", "--model", "7b").err
