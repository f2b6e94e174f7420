"""How far apart two scores must be to mean something: the noticeable step of a model.

    python -m train.ladder_step RUN/corpus --out step.json

Pairs of encodes of one source by one codec, of contents the model never saw: how often is the
order of two scores that of the labels, as a function of the gap between them? A logistic curve
through one half at no gap (a psychometric function) is fitted; the step is the gap at which it
reaches 95 %, the just noticeable one that of 75 %. The result goes to
`vqa2cli/ladder/noticeable.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logit

from train.evaluation import assess_items, scores_of
from train.items import Item, read_items
from train.option_types import FOLDER
from vqa2cli.config import EMBEDDED_MODEL, RunConfig
from vqa2cli.errors import UsageError

#: Share of pairs a step apart that are in the right order.
CONFIDENCE = 0.95

#: The same of pairs that are just noticeably apart: halfway from guessing to always right.
JUST_NOTICED = 0.75


@dataclass(frozen=True)
class Step:
    """The step in points, how many pairs it rests on, and what lies about it.

    `just_noticeable` is the gap at which a pair is right 3 times of 4, by the same curve.
    `step_of_all_beyond` is the least gap such that, of all pairs at least that far apart, wide
    ones included, 95 % are right: less than the step. `order_of_all` is the share of all pairs
    in the right order, `interval` the middle 95 % of steps over resampled contents.
    """

    step: float
    just_noticeable: float
    step_of_all_beyond: float
    pairs: int
    contents: int
    order_of_all: float
    interval: tuple[float, float]


def noticeable_step(
    scores: NDArray[np.float64], items: Sequence[Item], *, resamples: int = 200, seed: int = 0
) -> Step:
    """Return the step of a model from its scores of renditions.

    Raises:
        UsageError: no two renditions share source and codec.
    """
    gaps, right, contents = _pairs(scores, items)
    if not len(gaps):
        raise UsageError("no two renditions of one source and codec are in the corpus")
    generator = np.random.default_rng(seed)
    names = np.unique(contents)
    members = {name: np.flatnonzero(contents == name) for name in names}
    drawn = []
    for _ in range(resamples):
        chosen = np.concatenate([members[n] for n in generator.choice(names, len(names))])
        drawn.append(_gap(CONFIDENCE, _slope(gaps[chosen], right[chosen])))
    low, high = np.percentile(drawn, (2.5, 97.5), method="nearest")  # inf cannot be weighed
    slope = _slope(gaps, right)
    return Step(
        step=_gap(CONFIDENCE, slope),
        just_noticeable=_gap(JUST_NOTICED, slope),
        step_of_all_beyond=_beyond(gaps, right),
        pairs=len(gaps),
        contents=len(names),
        order_of_all=float(right.mean()),
        interval=(float(low), float(high)),
    )


def _pairs(
    scores: NDArray[np.float64], items: Sequence[Item]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
    """Return of each pair the gap in score, 1 if the order is right (a tie: 0.5), the content."""
    groups: dict[tuple[str, str], list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault((item.source, item.codec), []).append(index)
    gaps, right, contents = [], [], []
    for members in groups.values():
        for place, one in enumerate(members):
            for other in members[place + 1 :]:
                better = np.sign(items[other].label - items[one].label)
                if better:
                    gap = scores[other] - scores[one]
                    gaps.append(abs(gap))
                    right.append((np.sign(gap) * better + 1) / 2)
                    contents.append(items[one].content)
    return np.array(gaps), np.array(right), np.array(contents)


def _slope(gaps: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the slope of the curve 1 / (1 + exp(-slope * gap)), of maximum likelihood.

    It is 0 where more pairs are wrong than right, so that no gap is enough.
    """
    if float(np.sum(gaps * (right - 0.5))) <= 0:
        return 0.0  # the likelihood is concave and falls from the start

    def unlikely(slope: float) -> float:
        return float(np.sum(right * np.logaddexp(0, -slope * gaps)
                            + (1 - right) * np.logaddexp(0, slope * gaps)))  # fmt: skip

    return float(minimize_scalar(unlikely, bounds=(1e-9, 100.0), method="bounded").x)


def _gap(share: float, slope: float) -> float:
    """Return the gap at which the curve reaches `share`; infinite if it never rises."""
    return float(logit(share)) / slope if slope > 0 else math.inf


def _beyond(gaps: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the least gap from which on `CONFIDENCE` of the pairs are right."""
    widest_first = np.argsort(-gaps, kind="stable")
    share = np.cumsum(right[widest_first]) / np.arange(1, len(gaps) + 1)
    enough = np.flatnonzero(share >= CONFIDENCE)
    return float(gaps[widest_first[enough[-1]]]) if len(enough) else math.inf


def plain_renditions(items: Sequence[Item], split: str, every: int = 1) -> list[Item]:
    """Return the renditions of every N-th source of a split, but for treated contents."""
    wanted = (split, "rendition", False)
    found = [item for item in items if (item.split, item.kind, item.treated) == wanted]
    kept = set(sorted({item.source for item in found})[::every])
    return [item for item in found if item.source in kept]


@click.command()
@click.argument("corpus", type=FOLDER)
@click.option("--model", default=EMBEDDED_MODEL, show_default=True, help="Name, folder, hub id.")
@click.option("--split", type=click.Choice(["val", "test"]), default="val", show_default=True)
@click.option("--every", type=click.IntRange(1), default=1, help="Take every N-th source only.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write result and scores here.")
def main(corpus: Path, model: str, split: str, every: int, out: Path | None) -> None:
    """Measure the noticeable step of a model on the renditions of CORPUS."""
    from vqa2cli.model import load_model

    items = plain_renditions(read_items(corpus), split, every)
    if not items:
        raise UsageError(f"{corpus}: no rendition in the split {split}")
    scores = scores_of(assess_items(load_model(model), items, corpus, RunConfig()))
    found = asdict(noticeable_step(scores, items))
    click.echo(json.dumps(found, indent=1))
    if out is not None:
        names = {item.name: score for item, score in zip(items, scores.tolist(), strict=True)}
        out.write_text(json.dumps({**found, "scores": names}, indent=1) + "\n")


if __name__ == "__main__":
    main()
