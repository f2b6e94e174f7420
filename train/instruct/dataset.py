"""Conversations about clips and pictures as training examples, in an order that repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from train.data.records import Sample
from train.instruct.conversation import Encoded, encode_conversation
from train.instruct.looks import Extent, LookStore
from train.instruct.recipe import InstructRecipe
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.model.prompts import Prompter

#: How many names an error lists before it only counts.
NAMED = 5


@dataclass(frozen=True)
class Example:
    """One sample, ready for the network.

    `keyframes` uint8 [K, S, S, 3], `motion` uint8 [T, s, s, 3], T 0 where none is told;
    `ids` int64 [N] with IMAGE_SLOT where features go; `columns` and `tokens` int64 [L]: where in
    the embedded sequence the loss is taken, and the token due there.
    """

    keyframes: Tensor
    motion: Tensor
    ids: Tensor
    columns: Tensor
    tokens: Tensor


class Conversations(Dataset[Example | str]):
    """Samples with their looks; one whose media broke since it was checked is its reason."""

    def __init__(
        self,
        samples: Sequence[Sample],
        looks: LookStore,
        prompter: Prompter,
        recipe: InstructRecipe,
        tokens_per_keyframe: int,
    ) -> None:
        self.samples, self.looks, self.recipe = samples, looks, recipe
        self._per_keyframe = tokens_per_keyframe
        self.encoded = [
            encode_conversation(prompter, sample.turns, recipe.fit.loss_mask) for sample in samples
        ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Example | str:
        sample, encoded = self.samples[index], self.encoded[index]
        try:
            look = self.looks.look(sample.media)
        except VideoError as error:
            # A worker's exception reaches the trainer as a page of text; a line does not.
            return f"{sample.media}: {error}; it could be read before training began"
        motion = look.motion if self._takes_motion(sample, encoded) else look.motion[:0]
        columns, tokens = encoded.targets(self.blocks(sample, len(look.keyframes), len(motion)))
        return Example(
            torch.from_numpy(look.keyframes),
            torch.from_numpy(motion),
            torch.tensor(encoded.ids),
            torch.tensor(columns),
            torch.tensor(tokens),
        )

    def blocks(self, sample: Sample, keyframes: int, motion: int) -> tuple[int, ...]:
        """Return the length of the features each slot of `sample` may take, in order.

        A picture has visual tokens alone; a clip has motion after them.
        """
        visual = keyframes * self._per_keyframe + 1
        return (visual,) if sample.kind == "image" else (visual, motion)

    def check(self) -> None:
        """See that every conversation fits its media and the longest sequence.

        Raises:
            UsageError: some do not; how many, which, and why.
        """
        limit = self.recipe.look.max_tokens
        slots, long, silent = [], [], []
        for sample, encoded in zip(self.samples, self.encoded, strict=True):
            extent = self.looks.known(sample.media) or Extent("", 0, 0, 0)
            motion = extent.motion if self._takes_motion(sample, encoded) else 0
            blocks = self.blocks(sample, extent.keyframes, motion)
            if not 1 <= encoded.slots() <= len(blocks):
                slots.append(sample.id)
            elif encoded.length(blocks) > limit:
                long.append(sample.id)
            elif not any(encoded.learned):
                silent.append(sample.id)
        _refuse(slots, "place <image> never or too often; a picture fills one, a clip two")
        _refuse(long, f"are over {limit} tokens; lower window_s in the recipe's [look]")
        _refuse(silent, "have no answer to learn")

    def _takes_motion(self, sample: Sample, encoded: Encoded) -> bool:
        return self.recipe.motion and sample.kind == "video" and encoded.slots() > 1


def check_media(samples: Sequence[Sample], folder: Path) -> None:
    """See that every file is there, before anything is decoded or trained.

    Raises:
        UsageError: some are missing; how many, and which.
    """
    names = list(dict.fromkeys(sample.media for sample in samples))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(names)} media files are not in {folder}: {named(missing)}; "
            "add them, name their folder with --media, or leave them out with --skip-missing"
        )


def named(names: Sequence[str]) -> str:
    """Return the first few names and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _refuse(ids: Sequence[str], reason: str) -> None:
    if ids:
        raise UsageError(f"{len(ids)} samples {reason}: {named(ids)}")


def collate(examples: Sequence[Example | str]) -> dict[str, Any]:
    """Return one batch, a list a field; `broken` tells what could not be read."""
    broken = [each for each in examples if isinstance(each, str)]
    whole = [each for each in examples if isinstance(each, Example)]
    if broken:
        return {"broken": broken}
    return {name: [getattr(each, name) for each in whole] for name in Example.__annotations__}


class Order(Sampler[list[int]]):
    """Batches of one process: a function of the seed, the epoch, and nothing else.

    An epoch is one permutation of all samples, dealt to the processes batch by batch; the last
    batches are filled up from its start, so that all processes take the same number of steps.
    """

    def __init__(self, count: int, batch: int, seed: int, world: int = 1, rank: int = 0) -> None:
        self.count, self.batch, self.seed = count, batch, seed
        self.world, self.rank, self.epoch = world, rank, 0

    @property
    def batch_sampler(self) -> Order:
        """Itself: where transformers' Trainer looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch the next iteration is of."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.count // (self.batch * self.world))

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.count)
        filled = np.resize(order, len(self) * self.world * self.batch)
        for step in filled.reshape(len(self), self.world, self.batch):
            yield step[self.rank].tolist()
