"""One record for every label file of rated video: the score, its scale, its content, its stalls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.data.rated_sets import RATED_SETS, content_of
from train.data.records import Split
from train.data.scales import UNIT, Scale, crowded_top, guessed_scale
from vqa2cli.errors import UsageError
from vqa2cli.video.stall_text import summary_text


@dataclass(frozen=True)
class StallTrace:
    """When a session stood still.

    Attributes:
        media_s: length of the media alone, seconds, stalls left out.
        events: (position on the media clock, length), seconds, in order; position 0 is the
            initial buffering.
    """

    media_s: float
    events: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Check the trace once.

        Raises:
            ValueError: a length or a position is negative or not finite, or out of order.
        """
        flat = [self.media_s, *(value for event in self.events for value in event)]
        if not all(math.isfinite(value) and value >= 0 for value in flat) or self.media_s == 0:
            raise ValueError("stall times must be finite and not negative, the media longer than 0")
        if list(self.events) != sorted(self.events):
            raise ValueError("stalls are not in the order of their positions")

    @property
    def initial_s(self) -> float:
        """Seconds of initial buffering."""
        return sum(length for position, length in self.events if position == 0)

    @property
    def durations_s(self) -> list[float]:
        """Seconds of each stall after the start, in order."""
        return [length for position, length in self.events if position > 0]

    @property
    def length_s(self) -> float:
        """Seconds a viewer spent: media and every stall."""
        return self.media_s + sum(length for _, length in self.events)

    def summary(self) -> str:
        """Return the five facts in words (format 2)."""
        stalled = sum(length for _, length in self.events)
        since = max(self.media_s - self.events[-1][0], 0.0) if self.events else None
        return summary_text(self.durations_s, stalled / self.length_s, self.initial_s, since)

    def per_frame(self, fps: float) -> NDArray[np.uint8]:
        """Return uint8 [frames shown], 1 where the picture stood still (format 1)."""
        stalled = np.zeros(round(self.length_s * fps), np.uint8)
        before = 0.0
        for position, length in self.events:
            start = min(position, self.media_s) + before
            stalled[round(start * fps) : round((start + length) * fps)] = 1
            before += length
        return stalled


@dataclass(frozen=True)
class Row:
    """One line of a label file as it stands; None and empty where the file says nothing."""

    line: int
    media: str
    mos: float
    dataset: str
    scale: Scale | None = None
    content: str = ""
    split: Split | None = None
    fps: float | None = None
    stalls: StallTrace | None = None


@dataclass(frozen=True)
class Rating:
    """One rated video.

    Attributes:
        media: path as the label file names it, forward slashes; it may lack its suffix.
        mos: the score on `scale`, as published.
        content: `family/content`; what two media show is the same where this is.
        split: the file's own split, None where it makes none.
        fps: frames a second, None where the file does not say.
        stalls: None where the file does not speak of stalls.
        line: where it stands in its file, from 1.
    """

    media: str
    mos: float
    scale: Scale
    dataset: str
    content: str
    line: int
    split: Split | None = None
    fps: float | None = None
    stalls: StallTrace | None = None


def rated(path: Path, rows: Sequence[Row]) -> list[Rating]:
    """Return the ratings of a file's rows, each set's scale found and every score within it.

    A known set's scale is the published one (or 0-1, where a copy was min-max scaled); of
    another set it is the one the file states, or else the narrowest usual scale that fits.

    Raises:
        UsageError: the file has no rows, mixes scales within a set, or has a score outside
            its scale.
    """
    if not rows:
        raise UsageError(f"{path}: no rated video in it")
    order = sorted(rows, key=lambda row: row.dataset)
    scales = {
        name: _scale_of(path, name, list(group))
        for name, group in groupby(order, key=lambda row: row.dataset)
    }
    return [_rating(row, scales[row.dataset]) for row in rows]


def _rating(row: Row, scale: Scale) -> Rating:
    return Rating(
        media=row.media,
        mos=row.mos,
        scale=scale,
        dataset=row.dataset,
        content=content_of(row.dataset, row.media, row.content),
        line=row.line,
        split=row.split,
        fps=row.fps,
        stalls=row.stalls,
    )


def _scale_of(path: Path, name: str, rows: Sequence[Row]) -> Scale:
    """Return the scale of one set's rows, having checked every one of them."""
    _refuse_mixture(path, name, rows)
    known = RATED_SETS.get(name)
    if known is None:
        scale = _stated(path, name, rows) or _guessed(path, name, rows)
    elif len(rows) > 1 and all(row.mos in UNIT for row in rows):
        scale = UNIT  # a min-max scaled copy, as in the authors' own rating lists
    else:
        scale = known.scale
    for row in rows:
        if row.mos not in scale:
            raise UsageError(
                f"{path}, line {row.line}: score {row.mos:g} of {row.media} lies outside the "
                f"scale of {name}, {scale.name}"
            )
    return scale


def _refuse_mixture(path: Path, name: str, rows: Sequence[Row]) -> None:
    """Make sure that the scores of one set do not fall into a small and a large scale."""
    top = crowded_top([row.mos for row in rows])
    if top is None:
        return
    small = [row for row in rows if row.mos <= top]
    large = [row for row in rows if row.mos > top]
    raise UsageError(
        f"{path}: {name} mixes scales: {len(small)} scores up to {top:g} (line {small[0].line}: "
        f"{small[0].mos:g}) and {len(large)} up to {max(row.mos for row in large):g} (line "
        f"{large[0].line}: {large[0].mos:g}); give each its own file or set name"
    )


def _stated(path: Path, name: str, rows: Sequence[Row]) -> Scale | None:
    """Return the scale that the rows themselves name, None if none of them does."""
    first = rows[0]
    for row in rows:
        if row.scale != first.scale:
            told = [scale.name if scale else "no scale" for scale in (first.scale, row.scale)]
            raise UsageError(
                f"{path}: {name} mixes scales: line {first.line} states {told[0]}, line "
                f"{row.line} {told[1]}; give each its own file or set name"
            )
    return first.scale


def _guessed(path: Path, name: str, rows: Sequence[Row]) -> Scale:
    scores = [row.mos for row in rows]
    scale = guessed_scale(scores)
    if scale is None:
        raise UsageError(
            f"{path}: scores of {name} go from {min(scores):g} to {max(scores):g}, which fits no "
            "usual scale; state it in columns lo and hi"
        )
    return scale
