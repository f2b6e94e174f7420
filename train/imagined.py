"""Clips that do not exist: pictures of two, facts of either, and what a teacher says of them.

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
from train.corpus import Item
from train.features import Look
from train.teacher import Lesson, Teacher, statistics

#: Of so many clips of the same kind, the one whose label is nearest is mixed with a clip: a picture
#: whose parts differ much is like none in use.
CANDIDATES = 8

#: Clips that are imagined at once.
BATCH = 64


@dataclass(frozen=True)
class Imagined:
    """Clips that do not exist, in order: items name the streams whose facts are told.

    There is a lesson each, or none where there was no teacher.
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
) -> Imagined:
    """Return `count` clips made of two of `items` each, of different contents.

    Args:
        items: what may be mixed, with `patches` [K, s, s, C] and features of `motion` [T, C].
        see: the tower: patches [N, s, s, C] to tokens [N, P, D].
        tile: side of what is exchanged, that of a fragment, patches.

    A clip has all the key frames that both of the two have; it takes its motion and its facts from
    the same of them, whichever.
    """
    rng = np.random.default_rng([seed, 6])
    torch.manual_seed(seed)
    pairs = [pair_of(items, rng) for _ in range(count)]
    donors = [pair[int(rng.integers(2))] for pair in pairs]
    told = [items[donor] for donor in donors]
    tokens: dict[int, NDArray] = {}
    readings: dict[int, NDArray] = {}
    for frames, batch in tqdm(_of_one_length(pairs, patches), desc="imagined", unit="batch"):
        own, others = (
            torch.from_numpy(np.stack([patches[pairs[n][side]].keyframes[:frames] for n in batch]))
            for side in (0, 1)
        )
        seen = mixed(own, others, tile)
        if teacher is not None:
            of_pictures = teacher.reader(statistics(seen.numpy()).mean(1))
            readings.update(zip(batch, of_pictures, strict=True))
        of_batch = see(seen.flatten(0, 1)).unflatten(0, seen.shape[:2]).float().cpu().numpy()
        tokens.update(zip(batch, of_batch, strict=True))
    looks = [
        replace(patches[donor], keyframes=tokens[n], motion=motion[donor])
        for n, donor in enumerate(donors)
    ]
    if teacher is None:
        return Imagined(told, looks, [])
    read = np.stack([readings[n] for n in range(count)])
    lessons = teacher.lessons(read, [look.facts for look in looks], told)
    return Imagined(told, looks, lessons)


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
    alike = [(abs(items[at].label - own.label), at) for at in others[:CANDIDATES]]
    return first, min(alike)[1] if alike else first
