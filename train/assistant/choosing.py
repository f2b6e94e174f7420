"""How often the assistant chooses rightly: of five names, of yes and no, and of two clips.

    python -m train.assistant.choosing CORPUS [--model NAME] [--split val] [--every N] [--pairs N]

CORPUS is what `vqa2 train` makes. Clips with a made distortion of level 4 or 5 and clips on which
nothing shows are asked about by choices in words, pairs of clips which is better and which of them
shows a fault. Draws are by a fixed seed. Prints Markdown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
import numpy as np
from tqdm import tqdm

from train.assistant.evaluation import Truth, first_view
from train.assistant.shown import NAMES, akin
from train.assistant.talk import BOTH, FIRST, NEITHER, SAME, SECOND
from train.assistant.words import noun
from train.diagnostics_evaluation import share
from train.items import Item, read_items
from train.option_types import FOLDER
from vqa2cli.asking import answering_model, answers
from vqa2cli.config import ASSISTANT_MODEL, RunConfig
from vqa2cli.model import QualityModel
from vqa2cli.model.choices import YES_OR_NO, chosen, to_choose

#: Level of a made distortion from which it is plain which one it is.
PLAIN_LEVEL: Final = 4
#: Names that are offered, the right one among them.
OFFERED: Final = 5
#: Labels of two clips that are far enough apart to tell the better one, points.
APART: Final = 15.0
#: Digits of a share behind the point.
_DIGITS: Final = 3

MAIN: Final = "What is the main distortion in this video?"
BETTER: Final = "Which video has the better quality?"
SHOWS: Final = "Which video shows {}?"

#: Questions of yes and no: what they ask about, and whether yes says that it is there.
ASKED: Final = {
    "Is it blurry?": ("blur", True),
    "Is it sharp?": ("blur", False),
    "Is it noisy?": ("noise", True),
    "Is there any noise in this video?": ("noise", True),
}


@dataclass(frozen=True)
class Choice:
    """A question, the answers to choose of, and which is right."""

    about: str
    question: str
    offered: tuple[str, ...]
    right: str


def is_plain(item: Item) -> bool:
    """Return whether a clip was given a distortion, and plainly shows which."""
    return item.distortion is not None and item.distortion[1] >= PLAIN_LEVEL


def choices_of(item: Item, rng: np.random.Generator) -> Iterator[Choice]:
    """Yield what a clip is asked: one that plainly shows a distortion, or shows nothing."""
    truth = Truth.of(item)
    plain = is_plain(item)
    clean = item.distortion is None and truth.degree == 0
    if not plain and not clean:
        return
    if plain:
        others = sorted(set(NAMES) - akin(truth.name))
        drawn = [noun(each) for each in rng.permutation(others)[: OFFERED - 1].tolist()]
        offered = rng.permutation([noun(truth.name), *drawn]).tolist()
        yield Choice("of five names", MAIN, tuple(offered), noun(truth.name))
    for question, (name, yes) in ASKED.items():
        there = plain and truth.name == name
        if there or clean or name not in akin(truth.name):
            yield Choice("of yes and no", question, YES_OR_NO, YES_OR_NO[there != yes])


def pairs_of(
    items: Sequence[Item], count: int, rng: np.random.Generator
) -> Iterator[tuple[Item, Item]]:
    """Yield pairs of clips of different contents whose labels are `APART` and more."""
    found = 0
    for _ in range(100 * count):
        one, other = (items[at] for at in rng.integers(len(items), size=2).tolist())
        if one.content != other.content and abs(one.label - other.label) >= APART:
            yield one, other
            found += 1
            if found == count:
                return


def comparisons_of(one: Item, other: Item) -> Iterator[Choice]:
    """Yield what a pair is asked: which is better, and which shows the fault that one was given."""
    places = (FIRST, SECOND, SAME, BOTH, NEITHER)
    yield Choice("which of two is better", BETTER, places, places[other.label > one.label])
    for at, (item, beside) in enumerate(((one, other), (other, one))):
        truth = Truth.of(item)
        if is_plain(item) and Truth.of(beside).name not in akin(truth.name):
            question = SHOWS.format(noun(truth.name))
            yield Choice("which of two shows it", question, places, places[at])


class Asker:
    """Asks a model about clips of a corpus, and counts."""

    def __init__(self, corpus: Path, model: QualityModel) -> None:
        self._corpus, self._model = corpus, model
        self.counts: Counter[tuple[str, str]] = Counter()

    def ask(self, items: Sequence[Item], asked: Sequence[Choice]) -> None:
        """Put questions to the first window of a clip, or of each of two."""
        if not asked:
            return
        view = first_view(self._corpus, items, self._model)
        protocol = self._model.protocol
        for each in asked:
            question = to_choose(each.question, each.offered, protocol)
            (text,) = answers(view, self._model, question)
            at = chosen(each.question, text, each.offered, protocol)
            told = "none" if at is None else ("right", "wrong")[each.offered[at] != each.right]
            self.counts[each.about, told] += 1

    def lines(self) -> list[str]:
        """Return a table row for each kind of choice."""
        rows = []
        for about in dict.fromkeys(kind for kind, _ in self.counts):
            right, wrong, none = (self.counts[about, told] for told in ("right", "wrong", "none"))
            whole = right + wrong + none
            rows.append(f"| {about} | {share(right, whole, _DIGITS)} | {wrong} | {none} |")
        return rows


@click.command(help=__doc__)
@click.argument("corpus", type=FOLDER)
@click.option("--model", default=ASSISTANT_MODEL, show_default=True, help="Name or directory.")
@click.option("--split", default="val", show_default=True)
@click.option("--every", default=1, show_default=True, help="Only each so many clips.")
@click.option("--pairs", default=70, show_default=True, help="Pairs of clips.")
def main(corpus: Path, model: str, split: str, every: int, pairs: int) -> None:
    """Measure and print."""
    items = [item for item in read_items(corpus) if item.split == split][::every]
    config, rng = RunConfig(model=model), np.random.default_rng(0)
    one, two = (Asker(corpus, answering_model(config, clips)) for clips in (1, 2))
    for item in tqdm(items, desc="choices", unit="clip"):
        one.ask([item], [*choices_of(item, rng)])
    for pair in tqdm([*pairs_of(items, pairs, rng)], desc="pairs", unit="pair"):
        two.ask(pair, [*comparisons_of(*pair)])
    head = ["| choice | right | wrong | none named |", "|---|---|---|---|"]
    click.echo("\n".join([*head, *one.lines(), *two.lines()]))


if __name__ == "__main__":
    main()
