"""The language model of the assistant as a learner: questions about views in, a loss out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from train.assistant.talk import talk_of, talk_of_two
from train.assistant.views import Seen, Views
from train.dataset import FitSettings
from train.instruct.conversation import Encoded
from train.instruct.task import answer_losses
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.recognition import readings_text

#: Share of questions about two clips.
PAIRS = 0.2

#: Sets the questions' random numbers apart from those of other stages.
_STREAM = 9


@dataclass(frozen=True)
class Asked:
    """One question with its answer: tokens [K, P, D] and motion features [T, C] of each clip."""

    views: tuple[tuple[Tensor, Tensor], ...]
    encoded: Encoded


class Questions(Dataset[Asked]):
    """Questions about views, as many as a fit takes; an index is (seed, number)."""

    def __init__(self, views: Views, prompter: Prompter, pairs: Prompter, fit: FitSettings) -> None:
        self.views, self.prompter, self.pairs, self.fit = views, prompter, pairs, fit

    def __len__(self) -> int:
        return self.fit.steps * self.fit.groups * self.fit.per_group

    def __getitem__(self, index: tuple[int, int]) -> Asked:
        rng = np.random.default_rng([_STREAM, *index])
        asker = self.pairs if rng.random() < PAIRS else self.prompter
        first = self.views.draw(rng, asker.protocol.window_s)
        if asker is self.prompter:
            question, answer = talk_of(first.shown, rng)
            ids = self.prompter.question_ids(
                len(first.keyframes), len(first.motion), question, readings_text(first.told)
            )
            return Asked((_tensors(first),), encode(self.prompter, ids, answer))
        second = self.views.draw(rng, asker.protocol.window_s)
        question, answer = talk_of_two(first.shown, second.shown, rng)
        told = readings_text(first.told), readings_text(second.told)
        ids = self.pairs.pair_ids(_Counts.of(first), _Counts.of(second), question, told)
        return Asked((_tensors(first), _tensors(second)), encode(self.pairs, ids, answer))

    def loader(self, seed: int) -> DataLoader:
        """Return batches in the order of the numbers."""
        size = self.fit.groups * self.fit.per_group
        numbers = [(seed, number) for number in range(len(self))]
        return DataLoader(self, size, sampler=numbers, collate_fn=lambda batch: {"asked": batch})


@dataclass(frozen=True)
class _Counts:
    keyframes: int
    frames: int

    @classmethod
    def of(cls, seen: Seen) -> _Counts:
        return cls(len(seen.keyframes), len(seen.motion))


def _tensors(seen: Seen) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(seen.keyframes).float(), torch.from_numpy(seen.motion).float()


def encode(prompter: Prompter, asked: Sequence[int], answer: str) -> Encoded:
    """Return a prompt with its answer, which is learned, and the mark that ends it."""
    said = [*prompter.encode(answer), prompter.stop_ids[0]]
    return Encoded((*asked, *said), (*[False] * len(asked), *[True] * len(said)))


class AnswerTask(nn.Module):
    """Next-token loss on answers about views whose tokens were computed before."""

    def __init__(self, network: Vqa2Network, fit: FitSettings) -> None:
        super().__init__()
        self.network, self.fit = network, fit

    def forward(self, asked: Sequence[Asked]) -> dict[str, Tensor]:
        """Return `loss`, and `losses` [B] of each question."""
        rows, columns, tokens = [], [], []
        for one in asked:
            blocks = [block for view in one.views for block in self._blocks(*view)]
            rows.append(self.network.assemble(one.encoded.ids, blocks))
            places, due = one.encoded.targets([len(block) for block in blocks])
            columns.append(torch.tensor(places, device=self.network.device))
            tokens.append(torch.tensor(due, device=self.network.device))
        losses = answer_losses(self.network, rows, columns, tokens)
        return {"loss": losses.mean(), "losses": losses.detach()}

    def _blocks(self, keyframes: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        place = self.network.device
        visual = self.network.visual_block(keyframes.to(place))
        return visual, self.network.motion_tokens(motion.to(place))
