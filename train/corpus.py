"""The degraded corpus: which items are made of which contents, and the building of them.

An item is appended to the list as it is done, so that a killed build goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from train.distortions import KADID_TYPES
from train.items import Item, read_items
from train.made import DistortedClip
from train.making import make_distortion, make_reencode, make_rendition
from train.processes import processes
from train.renditions import (
    Reencode,
    Rendition,
    draw_good,
    draw_lowest,
    draw_reencodes,
    draw_renditions,
    grid_reencodes,
    grid_renditions,
    grid_treated,
)
from train.sources import (
    Source,
    clip_sources,
    further_views,
    native_sources,
    photograph_sources,
    scene_sources,
    shallow_sources,
    still_sources,
    treated_sources,
)
from vqa2cli.errors import UsageError


@dataclass(frozen=True)
class Draw:
    """How many of each kind of item are made of one training source.

    `renditions` over codec, CRF and scale; `lowest` renditions as at the foot of a ladder;
    `reencodes`, second encodes of a bad first; `distortions` of the 125 type-level pairs.
    """

    renditions: int
    reencodes: int
    distortions: int
    lowest: int = 0


@dataclass(frozen=True)
class CorpusSize:
    """How much a corpus holds.

    Of each training source, `scenes` rendered ones among them, `of_source` is drawn; of each of
    `views` closer looks at every training clip and still `of_view`; of each clip at its own size
    `of_native`, where that has renditions; of each photograph that is for training alone
    `of_photograph`; of each first source as a maker may want it to look `of_treated`, and of each
    first training source in shallow focus `of_shallow`. Validation and test take the fixed grids of
    encodes, and every type and level of distortion for `held_out_distorted` contents, but of each
    held-out photograph as many of them as of a training clip.
    """

    scenes: int
    views: int
    held_out_distorted: int
    of_source: Draw
    of_view: Draw
    of_native: Draw
    of_photograph: Draw
    of_treated: Draw
    of_shallow: Draw

    def drawn(self, source: Source) -> Draw:
        """Return how much is made of a training source, or of a held-out photograph."""
        if source.treated:
            return self.of_treated
        if source.shallow:
            return self.of_shallow
        if source.split != "train":
            return self.of_source
        if source.view:
            return self.of_view
        if source.native:
            return self.of_native
        return self.of_photograph if source.kind == "photograph" else self.of_source


@dataclass(frozen=True)
class Material:
    """What a corpus is made from: folders of clips with their manifest, stills and photographs.

    Every seventh still is for validation or test; photographs are for training alone, those held
    out for test alone.
    """

    clips: Path
    stills: Path | None = None
    photographs: Path | None = None
    held_out: Path | None = None


@dataclass(frozen=True)
class CorpusPlan:
    """What to build and from where; a build is a function of this record alone."""

    material: Material
    size: CorpusSize
    out: Path
    seed: int
    splits: tuple[str, ...]


def build_corpus(plan: CorpusPlan, jobs: int = 2) -> list[Item]:
    """Make every item that is not there yet and return them all."""
    plan.out.mkdir(parents=True, exist_ok=True)
    journal = plan.out / "items.jsonl"
    done = {item.name for item in read_items(plan.out)} if journal.exists() else set()
    tasks = [task for task in plan_tasks(plan) if task.name not in done]
    with (
        journal.open("a", encoding="utf-8") as lines,
        processes(jobs) as pool,
        tqdm(total=len(tasks), desc="corpus", unit="clip") as bar,
    ):
        for future in as_completed([pool.submit(task.make) for task in tasks]):
            lines.write(json.dumps(asdict(future.result())) + "\n")
            lines.flush()
            bar.update()
    return read_items(plan.out)


@dataclass(frozen=True)
class Task:
    """One item still to make."""

    name: str
    maker: Callable[..., Item]
    arguments: tuple

    def make(self) -> Item:
        """Make the item."""
        return self.maker(self.name, *self.arguments)


def _check_unknown(contents: set[str], sources: Sequence[Source], folder: Path) -> None:
    shared = sorted(contents & {source.content for source in sources})
    if shared:
        raise UsageError(
            f"{folder}: {shared[0]} is held out and among the other contents too; "
            "take it out of one folder, or give it another name if it is another picture"
        )


def _sources(plan: CorpusPlan) -> list[Source]:
    """Return the sources of all contents that the plan's splits hold, split after split.

    Raises:
        UsageError: a content that is held out is among the others too.
    """
    material, size = plan.material, plan.size
    sources = list(clip_sources(material.clips))
    if material.stills is not None:
        sources += still_sources(material.stills)
    sources += scene_sources(size.scenes)
    natives = native_sources(sources) if size.of_native.renditions else ()
    sources += [*further_views(sources, size.views, plan.seed), *natives]
    if material.photographs is not None:
        sources += photograph_sources(material.photographs, "train")
    if material.held_out is not None:
        unknown = list(photograph_sources(material.held_out, "test"))
        _check_unknown({source.content for source in unknown}, sources, material.held_out)
        sources += unknown
    if size.of_treated.renditions:
        sources += [*treated_sources(sources)]
    if size.of_shallow.renditions:
        sources += [*shallow_sources(sources)]
    return [source for split in plan.splits for source in sources if source.split == split]


def plan_tasks(plan: CorpusPlan) -> Iterator[Task]:
    """Yield every item of the corpus: renditions of all sources first, then distortions.

    Raises:
        UsageError: a content that is held out is among the others too.
    """
    sources = _sources(plan)
    for source in sources:
        for rendition in renditions_of(source, plan):
            name = f"{source.name}+{rendition.name}"
            yield Task(name, make_rendition, (source, rendition, plan.out))
    for source in sources:
        for twice in reencodes_of(source, plan):
            yield Task(f"{source.name}+{twice.name}", make_reencode, (source, twice, plan.out))
    for source in sources:
        for kind, level in distortions_of(source, sources, plan):
            name = f"{source.name}+kadid{kind:02d}_{level}"
            encode = draw_good(np.random.default_rng([plan.seed, 5, *name.encode()]))
            clip = DistortedClip(kind, level, plan.seed, encode)
            yield Task(f"{name}+{encode.name}", make_distortion, (source, clip, plan.out))


def renditions_of(source: Source, plan: CorpusPlan) -> Iterable[Rendition]:
    """Return a random draw for training and the fixed grid for validation and test."""
    if source.split == "train":
        drawn = plan.size.drawn(source)
        lowest = draw_lowest(source, drawn.lowest, plan.seed)
        return draw_renditions(source, drawn.renditions, plan.seed) + lowest
    return grid_treated() if source.treated else grid_renditions()


def reencodes_of(source: Source, plan: CorpusPlan) -> Iterable[Reencode]:
    """Return a random draw for training; for validation and test the fixed pair of a content."""
    if source.split == "train":
        drawn = plan.size.drawn(source)
        firsts = draw_renditions(source, drawn.renditions, plan.seed)
        return draw_reencodes(source, firsts, drawn.reencodes, plan.seed)
    twice = plan.size.of_source.reencodes and source.first
    return grid_reencodes() if twice else ()


def distortions_of(
    source: Source, sources: list[Source], plan: CorpusPlan
) -> list[tuple[int, int]]:
    """Return the (type, level) pairs to make of `source`.

    Training draws some for every source, and so do photographs that are held out; of clips and
    stills validation and test make all 125 of a few.
    """
    every = [(kind, level) for kind in KADID_TYPES for level in range(1, 6)]
    if source.split == "train" or source.kind == "photograph":
        rng = np.random.default_rng([plan.seed, 1, *source.name.encode()])
        chosen = rng.permutation(len(every))[: plan.size.drawn(source).distortions]
        return [every[index] for index in sorted(chosen)]
    if plan.size.held_out_distorted == 0:
        return []
    first_segments = [
        s for s in sources if s.split == source.split and s.first and s.kind != "photograph"
    ]
    stride = max(len(first_segments) // plan.size.held_out_distorted, 1)
    return every if source in first_segments[::stride][: plan.size.held_out_distorted] else []
