"""A ladder once its rungs are measured: the record that every check reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from vqa2cli.assessment import Assessment, Score
from vqa2cli.ladder.titles import GroupedBy, Rung
from vqa2cli.video.marks import Marks
from vqa2cli.video.media import DeclaredFacts, MediaInfo
from vqa2cli.video.sources import Rendition
from vqa2cli.video.stalling import Stalling


@dataclass(frozen=True)
class Scored:
    """A rung that was scored: everything a check may want of it, none of it missing.

    `bit_rate` is measured, bits a second of video; `fps` is of the decoded stream.
    `peak_bit_rate` is that of its segments, sound included, None where there are none.
    """

    name: str
    row: Assessment
    declared: DeclaredFacts
    media: MediaInfo
    score: Score
    bit_rate: int
    seconds: float
    fps: float
    peak_bit_rate: int | None

    @property
    def stalling(self) -> Stalling | None:
        """Stalls, settled among the rungs."""
        return self.row.stalling

    @property
    def marks(self) -> Marks | None:
        """Key frames and black pictures."""
        return self.row.marks


@dataclass(frozen=True)
class Ladder:
    """The rungs of one title by measured bit rate, lowest first, and those that failed."""

    title: str
    grouped_by: GroupedBy
    display: tuple[int, int] | None
    rungs: tuple[Scored, ...]
    unscored: tuple[tuple[str, Assessment], ...] = field(default=())

    def steps(self) -> Iterator[tuple[Scored, Scored]]:
        """Yield each rung with the next higher one."""
        yield from pairwise(self.rungs)

    @property
    def rows(self) -> tuple[Assessment, ...]:
        """Every row, scored ones first."""
        return (*(rung.row for rung in self.rungs), *(row for _, row in self.unscored))


def measured(
    title: str,
    grouped_by: GroupedBy,
    display: tuple[int, int] | None,
    rungs: Sequence[tuple[Rung, Assessment]],
) -> Ladder:
    """Return the ladder of a title's rungs and their rows.

    A rung without a score, a bit rate or a length, such as a still image, is unscored.
    """
    scored, unscored = [], []
    for rung, row in rungs:
        found = _scored(rung, row)
        if found is None:
            unscored.append((rung.name, row))
        else:
            scored.append(found)
    scored.sort(key=lambda rung: (rung.bit_rate, rung.media.height, rung.name))
    return Ladder(title, grouped_by, display, tuple(scored), tuple(unscored))


def _scored(rung: Rung, row: Assessment) -> Scored | None:
    media = row.media
    if row.score is None or media is None or not media.bit_rate or not media.duration:
        return None
    return Scored(
        name=rung.name,
        row=row,
        declared=rung.declared,
        media=media,
        score=row.score,
        bit_rate=media.bit_rate,
        seconds=media.duration,
        fps=float(Fraction(media.avg_frame_rate)),
        peak_bit_rate=rung.clip.peak_bit_rate if isinstance(rung.clip, Rendition) else None,
    )
