"""Recipes: read, like one another, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from train.recipe import RECIPES, read_recipe
from vqa2cli.errors import ModelError, UsageError
from vqa2cli.model.catalogue import find_model


def test_a_recipe_that_is_like_another_states_only_what_differs(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('like = "mini"\nseed = 7\n[corpus]\nviews = 2\n')
    mini, like = read_recipe("mini"), read_recipe(str(own))
    assert (like.seed, like.corpus.views) == (7, 2)
    assert like.corpus.of_source == mini.corpus.of_source
    assert like.stages == mini.stages
    own.write_text('like = "maxi"\n')
    with pytest.raises(UsageError, match=r"own\.toml: not a recipe"):
        read_recipe(str(own))


def test_a_recipe_may_go_on_from_a_model_and_be_like_one_that_does(tmp_path: Path) -> None:
    assert read_recipe("mini").start is None
    assert read_recipe("mini-further").start == find_model("mini").path
    own = tmp_path / "own.toml"
    own.write_text(f'like = "mini-further"\nstart = "{tmp_path.as_posix()}"\n')
    like = read_recipe(str(own))
    assert like.start == tmp_path
    assert like.stages == read_recipe("mini-further").stages


def test_going_on_learns_as_the_embedded_model_learned_last() -> None:
    mini, further = read_recipe("mini"), read_recipe("mini-further")
    (tower,) = [stage.fit for stage in mini.stages if stage.part == "tower"]
    weights = {
        "distortions_weight": tower.distortions_weight,
        "doubted_encodes": tower.doubted_encodes,
        "doubted_distortions": tower.doubted_distortions,
    }
    last = [stage for stage in mini.stages if stage.part == "language" and stage.fit.imagined]
    assert further.stages == tuple(
        replace(stage, fit=replace(stage.fit, **weights)) for stage in last
    )


def test_an_unknown_recipe_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known are mini"):
        read_recipe("maxi")
    broken = tmp_path / "r.toml"
    mini = (RECIPES / "mini.toml").read_text()
    broken.write_text(mini.replace('part = "tower"', 'part = "tow"'))
    with pytest.raises(UsageError, match="no part 'tow' to train"):
        read_recipe(str(broken))
    broken.write_text(mini.replace("shuffled_tile = 2", "shuffled_tile = 0"))
    with pytest.raises(UsageError, match="mixed pictures need a shuffled_tile"):
        read_recipe(str(broken))
    broken.write_text(mini.replace('part = "tower"', 'part = "tower"\nimagined = 5'))
    with pytest.raises(UsageError, match="imagined is 5 for the tower"):
        read_recipe(str(broken))
    broken.write_text(mini.replace('start = ""', 'start = "maxi"'))
    with pytest.raises(ModelError, match="no model maxi"):
        read_recipe(str(broken))
    broken.write_text("seed = ")
    with pytest.raises(UsageError, match="not a recipe"):
        read_recipe(str(broken))
