"""Applies degradations to a clip's frames, each in its own span of time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from train.colour import Frame
from train.degrade.records import KADID_KINDS, SEVERITIES, TEMPORAL_KINDS, Degradation
from train.degrade.temporal import EFFECTS, Span, setting
from train.distortions import distort_clip
from train.kadid import NOT_ORDERED, PARAMETERS, human_mean

#: Levels of a type that does not run from mild to strong, least harmful first by the mean
#: human rating; its middle level changes nothing and is left out.
_BY_HARM: dict[int, tuple[int, ...]] = {
    number: tuple(
        sorted(
            (level for level in SEVERITIES if PARAMETERS[number][level - 1] != 0),
            key=lambda level: -human_mean(number, level),
        )
    )
    for number in NOT_ORDERED
}


def severities_of(kind: str) -> tuple[int, ...]:
    """Return the severities that can be made of a kind: 1-5, 1-4 for two KADID types."""
    levels = _BY_HARM.get(KADID_KINDS.get(kind, 0))
    return SEVERITIES if levels is None else SEVERITIES[: len(levels)]


def level_of(kind: str, severity: int) -> int:
    """Return the KADID level (1-5) that a severity of a spatial kind stands for.

    Raises:
        ValueError: not a spatial kind, or a severity that it does not have.
    """
    if kind not in KADID_KINDS:
        raise ValueError(f"{kind!r} is no kind of KADID-10k")
    if severity not in severities_of(kind):
        raise ValueError(f"{kind} has severities {severities_of(kind)}, not {severity}")
    levels = _BY_HARM.get(KADID_KINDS[kind])
    return severity if levels is None else levels[severity - 1]


def parameter_of(kind: str, severity: int) -> float:
    """Return the parameter of a spatial kind; its sign tells brighter from darker.

    Units as in `train.kadid.PARAMETERS`.
    """
    return PARAMETERS[KADID_KINDS[kind]][level_of(kind, severity) - 1]


def made(kind: str, severity: int, start_s: float = 0.0, end_s: float | None = None) -> Degradation:
    """Return the record of a degradation that this engine makes, with its setting.

    Raises:
        ValueError: a kind or severity this engine cannot make, or a span without length.
    """
    if kind in KADID_KINDS:
        level = level_of(kind, severity)
        how = f"KADID-10k type {KADID_KINDS[kind]}, level {level}, {parameter_of(kind, severity):g}"
    elif kind in TEMPORAL_KINDS:
        how = setting(kind, severity)
    else:
        raise ValueError(f"{kind!r} is not made on frames; sessions and renditions have it")
    return Degradation(kind, severity, start_s, end_s, f"made: {how}")


def degrade(
    frames: Iterable[Frame],
    degradations: Sequence[Degradation],
    *,
    fps: float,
    count: int,
    seed: int,
) -> Iterator[Frame]:
    """Yield `frames` with every degradation on the frames k for which start <= k / fps < end.

    Frames outside a span are handed on as they are. Degradations apply in the order given;
    the same seed gives the same frames.

    Args:
        frames: uint8 RGB [H, W, 3], both sides at least 64 px.
        fps: frames a second, constant.
        count: number of frames.

    Raises:
        ValueError: a kind that is not made on frames.
    """
    result = iter(frames)
    for index, degradation in enumerate(degradations):
        own = int(np.random.default_rng([seed, index]).integers(2**32))
        result = _within(result, degradation, fps, count, own)
    return result


def frame_span(degradation: Degradation, fps: float, count: int) -> range:
    """Return the frames that a degradation touches."""
    first = min(_frame_at(degradation.start_s, fps), count)
    end_s = degradation.end_s
    return range(first, count if end_s is None else min(_frame_at(end_s, fps), count))


def _frame_at(seconds: float, fps: float) -> int:
    return max(math.ceil(seconds * fps - 1e-6), 0)


def _within(
    frames: Iterator[Frame], degradation: Degradation, fps: float, count: int, seed: int
) -> Iterator[Frame]:
    touched = frame_span(degradation, fps, count)
    yield from islice(frames, touched.start)
    inside = islice(frames, len(touched))
    kind, severity = degradation.kind, degradation.severity
    if kind in KADID_KINDS:
        yield from distort_clip(inside, KADID_KINDS[kind], level_of(kind, severity), seed)
    elif kind in EFFECTS:
        yield from EFFECTS[kind](inside, severity, Span(len(touched), fps), seed)
    else:
        raise ValueError(f"{kind!r} is not made on frames; sessions and renditions have it")
    yield from frames
