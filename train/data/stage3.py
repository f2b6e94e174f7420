"""Stage 3: question and answer pairs from depictions, by templates, with no model needed.

Seven tasks, as the paper has them: three quality questions (binary, choice, open), one temporal,
one in context, one extended, and the causal analysis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from train.data.asked_pairs import CHOICES, Pair, binary_pair, choice_pair, open_pair
from train.data.asking import first_turn
from train.data.depictions import Depiction
from train.data.instructions import Instructions
from train.data.looks import MediaFacts, look_at_all
from train.data.records import Provenance, Sample, Turn
from train.data.told_pairs import causal_pair, context_pair, extended_pair, temporal_pair

#: Every task, in the order samples are written.
TASKS: Final = ("binary", "choice", "open", "temporal", "in-context", "extended", "causal")


@dataclass(frozen=True)
class Stage3Settings:
    """How samples are written; `lead` is what stands before a question."""

    media: Path
    seed: int = 0
    tasks: tuple[str, ...] = TASKS
    lead: str = "assistant"


def build_stage3(depictions: Sequence[Depiction], settings: Stage3Settings) -> Instructions:
    """Return the samples of `depictions`, the same for the same seed.

    Over a set as many binary questions are answered by yes as by no, and right choices stand
    equally often at each place, give or take one.
    """
    facts, missing = look_at_all(settings.media, (one.media for one in depictions))
    usable = [one for one in depictions if one.media in facts]
    rights, places = (
        _even(len(usable), 2, settings.seed),
        _even(len(usable), CHOICES, settings.seed),
    )
    left_out = Counter[str]()
    samples: list[Sample] = []
    for depiction, right, place in zip(usable, rights, places, strict=True):
        known = facts[depiction.media]
        drawn = _Drawn(bool(right), place, settings)
        for task, pair in drawn.pairs(depiction, known):
            if pair is None:
                left_out[f"{task}: {_WITHOUT[task]}"] += 1
            else:
                samples.append(as_sample(depiction, known, task, pair, settings.lead, "template"))
    return Instructions(tuple(samples), missing, left_out)


#: Why a depiction gives no pair of a task.
_WITHOUT: Final = {
    "temporal": "a picture has no time",
    "extended": "nothing is known of its attributes",
    "causal": "its overall quality is not known",
}


@dataclass(frozen=True)
class _Drawn:
    """Which answers are to be right for one depiction."""

    right: bool
    place: int
    settings: Stage3Settings

    def pairs(self, depiction: Depiction, facts: MediaFacts) -> Iterator[tuple[str, Pair | None]]:
        """Yield each task with its pair; each has its own draw, so leaving one out moves none."""
        for task in self.settings.tasks:
            number = TASKS.index(task)
            rng = np.random.default_rng([self.settings.seed, number, *depiction.media.encode()])
            yield task, self._pair(task, depiction, facts, rng)

    def _pair(
        self, task: str, depiction: Depiction, facts: MediaFacts, rng: np.random.Generator
    ) -> Pair | None:
        if task == "binary":
            return binary_pair(depiction, facts, self.right, rng)
        if task == "choice":
            return choice_pair(depiction, facts, self.place, rng)
        if task == "causal":
            return causal_pair(depiction, facts)
        writer = {
            "open": open_pair,
            "temporal": temporal_pair,
            "in-context": context_pair,
            "extended": extended_pair,
        }[task]
        return writer(depiction, facts, rng)


def _even(count: int, kinds: int, seed: int) -> list[int]:
    """Return `count` draws of `kinds`, each as often as any other, give or take one."""
    rng = np.random.default_rng([seed, 4, kinds])
    return [int(one) for one in rng.permutation(np.arange(count) % kinds)]


def as_sample(
    depiction: Depiction, facts: MediaFacts, task: str, pair: Pair, lead: str, source: str
) -> Sample:
    """Return a pair as a sample; `source` says who wrote it."""
    question, answer = pair
    return Sample(
        id=f"stage3/{depiction.media}#{task}" + ("" if source == "template" else f"-{source}"),
        media=depiction.media,
        kind=facts.kind,
        turns=(first_turn(question, facts, lead), Turn("gpt", answer)),
        fps=facts.fps,
        gt_score=depiction.score if task == "causal" else None,
        provenance=Provenance(
            stage=3,
            task=task,
            dataset=depiction.dataset,
            content=depiction.content,
            split=depiction.split,
            source=source,
        ),
    )
