"""Clips that do not exist: pictures of two, facts of either or of others, and what a teacher says.

A language model that is taught what facts and pictures are worth by the training clips themselves
learns those clips. Here it meets each combination once or twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from train.augment import mixed
from train.features import Look, statistics_of
from train.items import Item
from train.teacher import Lesson, Teacher
from vqa2cli.model.expectation import statistics

#: Of so many clips of the same kind, the one whose label is nearest is mixed with a clip: a picture
#: whose parts differ much is like none in use.
CANDIDATES = 8

#: Standard deviation, points, of what an encode whose facts are told of another is better by.
DISAGREEMENT = 10.0

#: Clips that are imagined at once.
BATCH = 64


@dataclass(frozen=True)
class Imagined:
    """Clips that do not exist, in order: items are the streams whose facts are told.

    Their source is that of the pictures. There is a lesson each, or none where no teacher was.
    """

    items: list[Item]
    looks: list[Look]
    lessons: list[Lesson]


def imagine(
    items: Sequence[Item],
    patches: Sequence[Look],
    motion: Sequence[NDArray[np.float32]],
    teacher: Teacher | None,
    see: Callable[[Tensor], Tensor],
    count: int,
    tile: int,
    seed: int,
    disagreeing: float = 0.0,
) -> Imagined:
    """Return `count` clips made of two of `items` each, of different contents.

    Args:
        items: what may be mixed, with `patches` [K, s, s, C] and features of `motion` [T, C].
        see: the tower: patches [N, s, s, C] to tokens [N, P, D].
        tile: side of what is exchanged, that of a fragment, patches.
        disagreeing: share of encodes whose facts are of a third one, which need not be as good.

    A clip has all the key frames that both of the two have; it takes its motion and else its facts
    from the same of them, whichever.
    """
    rng = np.random.default_rng([seed, 6])
    torch.manual_seed(seed)
    pairs = [pair_of(items, rng) for _ in range(count)]
    donors = [pair[int(rng.integers(2))] for pair in pairs]
    streams = _streams(items, donors, disagreeing, np.random.default_rng([seed, 8]))
    told = [
        items[donor] if stream == donor else replace(items[stream], source=items[donor].source)
        for stream, donor in zip(streams, donors, strict=True)
    ]
    tokens: dict[int, NDArray] = {}
    readings: dict[int, NDArray] = {}
    found: dict[int, NDArray] = {}
    for frames, batch in tqdm(_of_one_length(pairs, patches), desc="imagined", unit="batch"):
        own, others = (
            torch.from_numpy(np.stack([patches[pairs[n][side]].keyframes[:frames] for n in batch]))
            for side in (0, 1)
        )
        seen = mixed(own, others, tile)
        of_pictures = statistics(seen).mean(1).numpy()
        found.update(zip(batch, of_pictures, strict=True))
        if teacher is not None:
            readings.update(zip(batch, teacher.reader(of_pictures), strict=True))
        of_batch = see(seen.flatten(0, 1)).unflatten(0, seen.shape[:2]).float().cpu().numpy()
        tokens.update(zip(batch, of_batch, strict=True))
    looks = [
        replace(patches[stream], keyframes=tokens[n], motion=motion[donor], statistics=found[n])
        for n, (stream, donor) in enumerate(zip(streams, donors, strict=True))
    ]
    if teacher is None:
        return Imagined(told, looks, [])
    read = np.stack([readings[n] for n in range(count)])
    lessons = teacher.lessons(read, statistics_of(looks), [look.facts for look in looks], told)
    return Imagined(told, looks, lessons)


def _streams(
    items: Sequence[Item], donors: Sequence[int], disagreeing: float, rng: np.random.Generator
) -> list[int]:
    """Return whose facts are told of each clip: the donor's own, or another single encode's.

    A language model that only meets facts which say what the pictures say cannot learn which of
    them to hear.
    """
    honest = [at for at, item in enumerate(items) if item.kind == "rendition"]
    streams = list(donors)
    for n, donor in enumerate(donors):
        own = items[donor]
        if own.kind != "rendition" or rng.random() >= disagreeing:
            continue
        wanted = own.label + rng.normal(0.0, DISAGREEMENT)
        drawn = [honest[at] for at in rng.integers(len(honest), size=16 * CANDIDATES).tolist()]
        streams[n] = _nearest(items, drawn, wanted)
    return streams


def _of_one_length(
    pairs: Sequence[tuple[int, int]], patches: Sequence[Look]
) -> list[tuple[int, list[int]]]:
    """Return batches of pairs with how many key frames both of each pair have."""
    by_length: dict[int, list[int]] = {}
    for n, pair in enumerate(pairs):
        by_length.setdefault(min(len(patches[at].keyframes) for at in pair), []).append(n)
    return [
        (frames, numbers[start : start + BATCH])
        for frames, numbers in by_length.items()
        for start in range(0, len(numbers), BATCH)
    ]


def pair_of(items: Sequence[Item], rng: np.random.Generator) -> tuple[int, int]:
    """Return a random item's index and that of one of another content that is alike.

    Where chance brings none of its kind from elsewhere, it is the item's own.
    """
    first = int(rng.integers(len(items)))
    own = items[first]
    drawn = rng.integers(len(items), size=16 * CANDIDATES).tolist()
    others = [at for at in drawn if items[at].kind == own.kind and items[at].content != own.content]
    return first, _nearest(items, others[:CANDIDATES], own.label) if others else first


def _nearest(items: Sequence[Item], among: Sequence[int], label: float) -> int:
    """Return whose label is nearest of those at the places `among`, the first of several."""
    return min(among, key=lambda at: (abs(items[at].label - label), at))
