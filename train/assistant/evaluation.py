"""How right the assistant's sentences are on contents it never saw.

    python -m train.assistant.evaluation CORPUS [--model NAME] [--split val] [--every N]

CORPUS is what `vqa2 train` makes. Each clip is described, and asked whether it shows its own
distortion and one that it does not show. Prints Markdown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from train.assistant.shown import COMPRESSED, NAMES, akin
from train.assistant.talk import NOTHING, says_yes
from train.assistant.words import WORDINGS, noun
from train.diagnostics_evaluation import CLAIM, share
from train.items import Item, read_items
from train.kadid import FOUND_AS
from train.option_types import FOLDER
from train.recognition import LEAST_LEVEL
from vqa2cli import load_model
from vqa2cli.asking import DEPICT, View, answers, look, views_of
from vqa2cli.config import ASSISTANT_MODEL, RunConfig
from vqa2cli.levels import DEGREES, LEVELS, degree_of, level_of
from vqa2cli.model import QualityModel

#: Digits of a share behind the point.
_DIGITS = 3

_FAULT = re.compile(rf"({'|'.join(DEGREES[1:])}) (.+?) (?:is|are) seen (.+)\.", re.IGNORECASE)
_LEVEL = re.compile(rf"quality of this video is ({'|'.join(LEVELS)})\.")
_NAMED = {noun(name): name for name in NAMES}


@dataclass(frozen=True)
class Told:
    """What a description says: a fault's name (None: of no clear kind) and degree, and a level.

    `read` is False where it is none of the sentences the assistant was taught.
    """

    read: bool
    nothing: bool = False
    name: str | None = None
    degree: int = 0
    level: str | None = None


def told_by(text: str) -> Told:
    """Return what a description says."""
    level = _LEVEL.search(text)
    word = level.group(1) if level else None
    if NOTHING in text:
        return Told(word is not None, nothing=True, level=word)
    fault = _FAULT.search(text)
    if fault is None:
        return Told(False, level=word)
    degree, named = DEGREES.index(fault.group(1).lower()), fault.group(2)
    if named == "distortion of no clear kind":
        return Told(word is not None, degree=degree, level=word)
    known = named in _NAMED
    return Told(word is not None and known, name=_NAMED.get(named), degree=degree, level=word)


@dataclass(frozen=True)
class Truth:
    """What the label of a clip says: the name that is right, degree, and level."""

    name: str
    degree: int
    level: str

    @classmethod
    def of(cls, item: Item) -> Truth:
        """Return what is known of an item: one that is only encoded is compressed."""
        name = FOUND_AS[item.distortion_type] if item.kind == "distortion" else COMPRESSED
        degree = DEGREES.index(degree_of(item.label))
        return cls(name, degree, level_of(item.label))


def contradictions(told: Told, truth: Truth) -> tuple[bool, bool]:
    """Return whether the sentence on faults and the one on quality contradict the label.

    A fault does where its name is another's, its degree is off by more than one, or none is told
    of a clip whose own is noticeable; a level does where it is not the label's or a neighbour.
    """
    if told.nothing:
        fault = truth.degree >= CLAIM
    else:
        wrong = told.name is not None and told.name != truth.name
        fault = wrong or abs(told.degree - truth.degree) > 1
    words = list(LEVELS)
    far = told.level is None or abs(words.index(told.level) - words.index(truth.level)) > 1
    return fault or not told.read, far


def first_view(corpus: Path, items: Sequence[Item], model: QualityModel) -> tuple[View, ...]:
    """Return what is asked about of a clip of a corpus, or of two: the first window of each."""
    looked = [
        look(corpus / item.path, model, RunConfig(diagnostics=False, display=item.display))
        for item in items
    ]
    return views_of(looked)[:1]


@click.command(help=__doc__)
@click.argument("corpus", type=FOLDER)
@click.option("--model", default=ASSISTANT_MODEL, show_default=True, help="Name or directory.")
@click.option("--split", default="val", show_default=True)
@click.option("--every", default=1, show_default=True, help="Only each so many clips.")
def main(corpus: Path, model: str, split: str, every: int) -> None:
    """Measure and print."""
    items = [item for item in read_items(corpus) if item.split == split][::every]
    asked = load_model(model)
    rng = np.random.default_rng(0)
    rows: list[tuple[Item, Told]] = []
    yes: Counter[tuple[bool, bool]] = Counter()
    for item in tqdm(items, desc="answers", unit="clip"):
        truth = Truth.of(item)
        questions = [DEPICT]
        asks = []
        if item.kind == "distortion" and item.distortion and item.distortion[1] >= LEAST_LEVEL:
            others = sorted(set(NAMES) - akin(truth.name))
            other = others[int(rng.integers(len(others)))]
            asks = [(truth.name, True), (other, False)]
        elif truth.degree == 0:
            asks = [(NAMES[int(rng.integers(len(NAMES)))], False)]
        questions += [f"Is there any {WORDINGS[name].nouns[0]} in this video?" for name, _ in asks]
        view = first_view(corpus, [item], asked)
        texts = [text for question in questions for text in answers(view, asked, question)]
        rows.append((item, told_by(texts[0])))
        for (_, there), text in zip(asks, texts[1:], strict=True):
            yes[there, says_yes(text)] += 1
    click.echo("\n".join(lines(rows, yes)))


def lines(rows: Sequence[tuple[Item, Told]], yes: Counter[tuple[bool, bool]]) -> list[str]:
    """Return the Markdown lines of what was told of each clip and of the questions.

    Args:
        yes: how often a distortion was there or not, and yes was said or not.
    """
    kinds = sorted({item.kind for item, _ in rows})
    out = [
        "| clips | n | in taught sentences | fault sentences that contradict | levels that do | "
        "named faults that are right | noticeable faults named right |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in [*kinds, ""]:
        these = [(item, told) for item, told in rows if kind in ("", item.kind)]
        out.append(_line(kind or "**all**", these))
    right = [yes[there, there] for there in (True, False)]
    asked = [yes[there, True] + yes[there, False] for there in (True, False)]
    out += [
        "",
        "Asked whether there is the distortion that was made (level 3 and above): yes in "
        + share(right[0], asked[0], _DIGITS),
        "Asked for one that was not: no in " + share(right[1], asked[1], _DIGITS),
    ]
    return out


def _line(name: str, rows: Sequence[tuple[Item, Told]]) -> str:
    truths = [Truth.of(item) for item, _ in rows]
    told = [each for _, each in rows]
    wrong = [contradictions(each, truth) for each, truth in zip(told, truths, strict=True)]
    named = [(each, truth) for each, truth in zip(told, truths, strict=True) if each.name]
    due = [(each, t) for each, t in zip(told, truths, strict=True) if t.degree >= CLAIM]
    counts = (
        (sum(each.read for each in told), len(told)),
        (sum(fault for fault, _ in wrong), len(told)),
        (sum(level for _, level in wrong), len(told)),
        (sum(each.name == truth.name for each, truth in named), len(named)),
        (sum(each.name == truth.name for each, truth in due), len(due)),
    )
    cells = " | ".join(share(part, whole, _DIGITS) for part, whole in counts)
    return f"| {name} | {len(rows)} | {cells} |"


if __name__ == "__main__":
    main()
