"""Corpus items as training samples: looks, prompts and targets, in batches of whole sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from train.augment import mirrored, shuffled
from train.drawn_stalls import draw_stalls
from train.features import Look, load_look
from train.items import Item
from train.teacher import Lesson
from vqa2cli.levels import LEVELS, soft_levels
from vqa2cli.model.facts import INDEX_STEPS, StreamTold, describe_stream
from vqa2cli.video.media import StreamFacts

#: What is told of a stream that is shown at a size, (width, height), and of whose pictures there
#: are statistics [2C] or not.
Tell = Callable[[StreamFacts, tuple[int, int], Tensor | None], StreamTold]


def tell_facts(
    facts: StreamFacts, display: tuple[int, int], seen: Tensor | None = None
) -> StreamTold:
    """Tell the facts of a stream alone."""
    del seen
    return StreamTold(describe_stream(facts, display), None)


@dataclass(frozen=True)
class FitSettings:
    """How samples are drawn and how long to train: a stage's table in a recipe.

    `kinds` are the kinds of items that take part. `keyframes` and `motion_frames` are the
    counts a batch may draw; no key frames at all trains the motion branch alone.
    `shuffled_tile` is the side of the fragments that change places within a picture, patches; 0
    leaves them where they are. `mixed` is the share of pictures that are made of two clips'
    fragments, `channels_dropped` that of a picture's channels that the tower must do without;
    `kept` is the share of the weights it began with in those it ends with.
    The tower learns what a teacher (`train.teacher`) says of pictures; `imagined` is how many clips
    that do not exist a language model learns from, in place of the training clips, taught by the
    same teacher (`train.imagined`); `disagreeing` is the share of encodes among them whose facts
    are those of others. `facts_dropped` is the share of samples that must do without stream facts,
    `lies_dropped` that of the samples whose facts are of a clean encode and whose pictures are
    not: distorted before, or encoded twice. `stop` is the step after which the stage ends,
    however far the schedule over `steps` is; 0 is at its end. `plcc_weight`, `order_weight` and
    `distance_weight` are those of the losses beside the level word's. `distortions_weight`,
    `doubted_encodes` and `doubted_distortions` are the teacher's, see `train.teacher.Weights`.
    """

    kinds: tuple[str, ...]
    steps: int
    stop: int
    groups: int
    per_group: int
    keyframes: tuple[int, ...]
    motion_frames: tuple[int, ...]
    learning_rate: float
    vision_learning_rate: float
    weight_decay: float
    warmup: float
    facts_dropped: float
    lies_dropped: float
    facts_jitter_db: float
    quantizer_dropped: float
    quantizer_jitter: float
    plcc_weight: float
    order_weight: float
    distance_weight: float
    stalls_told: float
    shuffled_tile: int
    mixed: float
    channels_dropped: float
    kept: float
    distortions_weight: float
    doubted_encodes: float
    doubted_distortions: float
    imagined: int
    disagreeing: float


@dataclass(frozen=True)
class Sample:
    """One item of a batch: key frames, motion, texts, label and content.

    `keyframes` are uint8 [K, S, S, 3], what a trunk finds in them [K, s, s, C], or tokens
    [K, P, D] once the tower is trained;
    `motion` uint8 frames [T, s, s, 3], or features [T, C] once the branch is.
    """

    keyframes: Tensor
    motion: Tensor
    facts: str
    stalls: str
    label: float
    group: int


class LookDataset(Dataset):
    """Looks of corpus items; which key frames, motion frames and facts are told is drawn anew.

    An index is (item, key frames, motion frames, seed), as `SourceBatches` yields them.
    """

    def __init__(
        self,
        items: Sequence[Item],
        looks: Sequence[Path | Look],
        fit: FitSettings,
        lessons: Sequence[Lesson] | None = None,
        tell: Tell = tell_facts,
    ) -> None:
        """Keep the items of the kinds that take part; `tell` says what of a stream.

        `looks` are files of pictures, or looks in memory that hold features instead. Where there
        are `lessons`, one an item, they are learned in place of the labels.
        """
        self.fit, self.tell = fit, tell
        taking_part = [index for index, item in enumerate(items) if item.kind in fit.kinds]
        self.items = [items[index] for index in taking_part]
        self.looks = [looks[index] for index in taking_part]
        self.lessons = [lessons[index] for index in taking_part] if lessons else None
        sources = sorted({item.source for item in self.items})
        self.group_of = {source: index for index, source in enumerate(sources)}

    def __len__(self) -> int:
        return len(self.items)

    def loader(self, seed: int) -> DataLoader:
        """Return batches of whole sources."""
        batches = SourceBatches(self.items, self.fit, seed)
        return DataLoader(self, batch_sampler=batches, collate_fn=collate)

    def __getitem__(self, index: tuple[int, int, int, int]) -> Sample:
        number, keyframes, motion, seed = index
        item, rng = self.items[number], np.random.default_rng(seed)
        kept = self.looks[number]
        look = load_look(kept, motion=motion > 0) if isinstance(kept, Path) else kept
        facts = ""
        honest = item.kind == "rendition"
        if rng.random() >= (self.fit.facts_dropped if honest else self.fit.lies_dropped):
            told = jittered(look.facts, self.fit, rng)
            of_pictures = None if look.statistics is None else torch.from_numpy(look.statistics)
            facts = self.tell(told, item.display, of_pictures).text
        stalls, label = "", item.label
        if self.lessons is not None:
            lesson = self.lessons[number]
            label = lesson.with_facts if facts else lesson.pictures_alone
        if rng.random() < self.fit.stalls_told:
            stalls, label = draw_stalls(label, rng)
        pictures, frames = crop(look, keyframes, motion, rng)
        if pictures.ndim == 4 and self.fit.shuffled_tile:
            pictures = shuffled(pictures, self.fit.shuffled_tile, rng)
        return Sample(
            pictures,
            frames,
            facts,
            stalls,
            label,
            self.group_of[item.source],
        )


def jittered(facts: StreamFacts, fit: FitSettings, rng: np.random.Generator) -> StreamFacts:
    """Return `facts` a little off, so that neighbours learn together, or without a quantizer."""
    rate, quantizer = facts.bits_per_pixel, facts.quantizer
    if rate is not None:
        rate *= 10 ** (rng.uniform(-fit.facts_jitter_db, fit.facts_jitter_db) / 10)
    if rng.random() < fit.quantizer_dropped:
        quantizer = None
    elif quantizer is not None:
        spread = fit.quantizer_jitter * INDEX_STEPS.get(facts.codec, 1.0)
        quantizer = max(quantizer + rng.uniform(-spread, spread), 0.0)
    return replace(facts, bits_per_pixel=rate, quantizer=quantizer)


def crop(
    look: Look, keyframes: int, motion: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Draw key frames in order and a run of motion; mirror the pictures or not.

    A look too short for the draw repeats its frames from the start.
    """
    every = len(look.keyframes)
    chosen = np.sort(rng.permutation(np.arange(max(every, keyframes)) % every)[:keyframes])
    start = rng.integers(max(len(look.motion) - motion, 0) + 1)
    drawn = look.keyframes[chosen]
    run = look.motion[(start + np.arange(motion)) % len(look.motion)]
    if rng.random() < 0.5:
        drawn, run = mirrored(drawn), mirrored(run)
    return torch.from_numpy(drawn), torch.from_numpy(run)


class SourceBatches(Sampler):
    """Batches of `groups` sources with `per_group` items each, the same for the same seed.

    Within a batch every sample has as many key frames and motion frames as the others. One
    epoch sees each source about as often as it has items; each iteration draws the next.
    """

    def __init__(self, items: Sequence[Item], fit: FitSettings, seed: int) -> None:
        self.fit, self.seed, self.epoch = fit, seed, 0
        self.by_source: dict[str, list[int]] = {}
        for index, item in enumerate(items):
            self.by_source.setdefault(item.source, []).append(index)

    @property
    def batch_sampler(self) -> SourceBatches:
        """Itself: where transformers' Trainer looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch the next iteration draws: a resumed run begins in the middle."""
        self.epoch = epoch

    def chunks(self, rng: np.random.Generator) -> list[list[int]]:
        """Return every source's items in shuffled runs of `per_group`."""
        size = self.fit.per_group
        runs = []
        for indices in self.by_source.values():
            order = rng.permutation(indices).tolist()
            order += order[: -len(order) % size]
            runs += [order[at : at + size] for at in range(0, len(order), size)]
        return [runs[index] for index in rng.permutation(len(runs))]

    def __len__(self) -> int:
        size = self.fit.per_group
        return sum(-(-len(group) // size) for group in self.by_source.values()) // self.fit.groups

    def __iter__(self) -> Iterator[list[tuple[int, int, int, int]]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        self.epoch += 1
        runs = self.chunks(rng)
        for at in range(len(self)):
            batch = list(chain(*runs[at * self.fit.groups : (at + 1) * self.fit.groups]))
            keyframes = int(rng.choice(self.fit.keyframes))
            motion = int(rng.choice(self.fit.motion_frames))
            seeds = rng.integers(2**31, size=len(batch))
            yield [
                (index, keyframes, motion, int(seed))
                for index, seed in zip(batch, seeds, strict=True)
            ]


def collate(samples: list[Sample]) -> dict[str, object]:
    """Return one batch: stacked pictures, texts, five-level targets, labels and groups."""
    return {
        "keyframes": torch.stack([sample.keyframes for sample in samples]),
        "motion": torch.stack([sample.motion for sample in samples]),
        "facts": [sample.facts for sample in samples],
        "stalls": [sample.stalls for sample in samples],
        "targets": torch.tensor(
            [[soft_levels(sample.label)[word] for word in LEVELS] for sample in samples]
        ),
        "labels": torch.tensor([sample.label / 100 for sample in samples]),
        "groups": torch.tensor([sample.group for sample in samples]),
    }
