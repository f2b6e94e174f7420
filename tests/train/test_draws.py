"""Which distortions are drawn of a training source."""

from __future__ import annotations

from pathlib import Path

from train.corpus import CorpusPlan, CorpusSize, Draw, Material, distortions_of
from train.sources import Source

SOURCE = Source("a@0", "a", "train", "clip", Path("a.mp4"), 0.0, 24, 320, 180, (640, 360))


def drawn(count: int, seed: int = 0) -> list[tuple[int, int]]:
    every = Draw(renditions=1, reencodes=0, distortions=count)
    size = CorpusSize(
        0,
        0,
        0,
        of_source=every,
        of_view=every,
        of_native=every,
        of_photograph=every,
        of_treated=every,
        of_shallow=every,
    )
    plan = CorpusPlan(Material(Path()), size, Path(), seed, ("train",))
    return distortions_of(SOURCE, [SOURCE], plan)


def test_asking_for_more_distortions_keeps_those_there_are() -> None:
    few, more = drawn(10), drawn(40)
    assert len(set(few)) == 10
    assert len(set(more)) == 40
    assert set(few) < set(more)


def test_another_seed_draws_others() -> None:
    assert drawn(10) != drawn(10, seed=1)
    assert drawn(10) == drawn(10)
