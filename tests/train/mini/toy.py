"""The recipe of mini at toy size."""

from __future__ import annotations

from dataclasses import replace

from train.corpus import CorpusSize, Draw
from train.recipe import Recipe


def toy(recipe: Recipe) -> Recipe:
    """Return the recipe with two of three steps a stage and a handful of clips."""
    stages = tuple(
        replace(
            stage,
            fit=replace(
                stage.fit,
                steps=3,
                stop=2,
                groups=1,
                per_group=2,
                imagined=min(stage.fit.imagined, 12),
                motion_frames=tuple(min(2, count) for count in stage.fit.motion_frames),
            ),
        )
        for stage in recipe.stages
    )
    return replace(
        recipe,
        corpus=CorpusSize(
            scenes=0,
            views=0,
            held_out_distorted=0,
            of_source=Draw(renditions=3, reencodes=1, distortions=1),
            of_view=Draw(0, 0, 0),
            of_native=Draw(0, 0, 0),
            of_photograph=Draw(0, 0, 0),
            of_treated=Draw(1, 0, 0),
            of_shallow=Draw(1, 0, 0),
        ),
        stages=stages,
    )
