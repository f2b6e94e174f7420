"""What a set holds, stage by stage, beside what is known of the paper's (its Table 1).

The paper's total is in its abstract. Stage 2 follows from what the authors published: their log
of the UGC scorer runs over the 28,056 training videos of LSVQ once (REFERENCE.md §0), and the
streaming pairs are two for each session of Waterloo SQoE-I (180), SQoE-III (450) and
LIVE-NFLX-II (420). How the rest divides into stages 1 and 3 is not stated in what we have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from train.data.records import Sample

#: Question-answer pairs of the paper by (stage, task).
PAPER_PAIRS: Final[dict[tuple[int, str], int]] = {
    (2, "ugc"): 28_056,
    (2, "streaming"): 2 * (180 + 450 + 420),
}

#: Pairs of all three stages together (paper, abstract).
PAPER_TOTAL: Final = 157_755

NOT_STATED: Final = "not stated"

#: Stages in order, each with what it is for.
_STAGES: Final = {1: "distortion recognition", 2: "quality scoring", 3: "quality understanding"}

Key = tuple[int | None, str]


@dataclass(frozen=True)
class Counts:
    """One line: how much of one task of one stage there is.

    `pairs` counts questions with their answers, of which a sample may hold several; `train`,
    `val` and `test` count samples by split, where a sample names one.
    """

    stage: int | None
    task: str
    samples: int
    pairs: int
    media: int
    contents: int
    train: int
    val: int
    test: int
    datasets: tuple[str, ...]

    @property
    def paper(self) -> int | None:
        """Pairs of the paper, None where it is not stated."""
        return None if self.stage is None else PAPER_PAIRS.get((self.stage, self.task))


def counts_of(samples: Iterable[Sample]) -> list[Counts]:
    """Return the lines of what was built, and of what the paper has and was not, in order."""
    groups: dict[Key, list[Sample]] = {key: [] for key in PAPER_PAIRS}
    groups |= {(stage, ""): [] for stage in _STAGES if stage not in {key[0] for key in groups}}
    for sample in samples:
        key = (sample.provenance.stage, sample.provenance.task or "")
        groups.setdefault(key, []).append(sample)
    built = {key[0] for key, group in groups.items() if group}
    lines = [
        _counts(key, group)
        for key, group in groups.items()
        if group or key[1] or key[0] not in built
    ]
    return sorted(lines, key=lambda line: (line.stage or len(_STAGES) + 1, line.task))


def table1(samples: Sequence[Sample]) -> str:
    """Return the table in Markdown."""
    header = ("stage", "task", "samples", "pairs", "media", "contents", "splits", "sets", "paper")
    lines = [_cells(line) for line in counts_of(samples)]
    pairs, media = sum(_pairs(sample) for sample in samples), {each.media for each in samples}
    total = ["all", "", f"{len(samples):,}", f"{pairs:,}", f"{len(media):,}"]
    lines.append([*total, f"{len(_contents(samples)):,}", "", "", f"{PAPER_TOTAL:,}"])
    rows = [list(header), ["---", "---", *["---:"] * 4, "---", "---", "---:"], *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(line: Counts) -> list[str]:
    stage = "?" if line.stage is None else f"{line.stage}, {_STAGES.get(line.stage, '?')}"
    splits = ", ".join(
        f"{count:,} {name}"
        for name, count in (("train", line.train), ("val", line.val), ("test", line.test))
        if count
    )
    paper = NOT_STATED if line.paper is None else f"{line.paper:,}"
    numbers = [f"{n:,}" for n in (line.samples, line.pairs, line.media, line.contents)]
    return [stage, line.task, *numbers, splits, ", ".join(line.datasets), paper]


def _counts(key: Key, samples: Sequence[Sample]) -> Counts:
    splits = [sample.provenance.split for sample in samples]
    sets = {sample.provenance.dataset for sample in samples} - {None}
    return Counts(
        stage=key[0],
        task=key[1],
        samples=len(samples),
        pairs=sum(_pairs(sample) for sample in samples),
        media=len({sample.media for sample in samples}),
        contents=len(_contents(samples)),
        train=splits.count("train"),
        val=splits.count("val"),
        test=splits.count("test"),
        datasets=tuple(sorted(str(name) for name in sets)),
    )


def _pairs(sample: Sample) -> int:
    return len(sample.turns) // 2


def _contents(samples: Iterable[Sample]) -> set[str]:
    return {sample.provenance.content for sample in samples if sample.provenance.content}
