"""Degradations that only time shows: camera shake, stutter, flicker, exposure drift.

Each takes uint8 RGB frames [H, W, 3] of one span and yields as many; the same seed gives the
same frames. What sets a severity is ours: no source rates these four on one axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from PIL import Image

from train.colour import LUMA, Frame, to_uint8
from vqa2cli.config import MIN_STALL_S

#: Camera shake: deviation of the displacement, shares of the shorter side, severities 1 to 5.
SHAKE = (0.003, 0.006, 0.012, 0.025, 0.05)
#: Hands move a camera at these frequencies, Hz.
_SHAKE_HZ = (1.5, 8.0)
_SHAKE_WAVES = 4
#: Roll for each displacement of the shorter side, radians.
_ROLL = 0.5

#: Stutter: longest time a picture is held, seconds, and share of the frames that repeat.
STUTTER = ((0.07, 0.08), (0.10, 0.16), (0.14, 0.28), (0.20, 0.42), (0.27, 0.58))

#: Flicker: how far luma swings to each side, shares of itself.
FLICKER = (0.02, 0.05, 0.10, 0.18, 0.30)
_FLICKER_HZ = (4.0, 12.0)
#: Share of the swing that is drawn anew in every frame.
_FLICKER_RANDOM = 0.3

#: Exposure drift: farthest exposure of the span, stops to one side.
DRIFT_STOPS = (0.25, 0.5, 1.0, 1.6, 2.4)
#: Exponent that codes follow light with, about that of sRGB.
_GAMMA = 2.2


@dataclass(frozen=True)
class Span:
    """Where a degradation acts: `count` frames at `fps`."""

    count: int
    fps: float


def shake(frames: Iterable[Frame], severity: int, span: Span, seed: int) -> Iterator[Frame]:
    """Yield frames displaced and rolled as an unsteady hand would; edges are mirrored."""
    rng = np.random.default_rng(seed)
    path = [_wave(rng) for _ in range(3)]
    for index, rgb in enumerate(frames):
        reach = SHAKE[severity - 1] * min(rgb.shape[:2])
        dx, dy, turn = (part(index / span.fps) for part in path)
        yield _displaced(rgb, reach * dx, reach * dy, _ROLL * SHAKE[severity - 1] * turn)


def _wave(rng: np.random.Generator) -> Callable[[float], float]:
    """Return a smooth random motion of deviation 1 around 0, a function of seconds."""
    low, high = (math.log(edge) for edge in _SHAKE_HZ)
    hertz = np.exp(rng.uniform(low, high, _SHAKE_WAVES))
    phase = rng.uniform(0, 2 * math.pi, _SHAKE_WAVES)
    gain = math.sqrt(2 / _SHAKE_WAVES)
    return lambda t: float(gain * np.sin(2 * math.pi * hertz * t + phase).sum())


def _displaced(rgb: Frame, dx: float, dy: float, turn: float) -> Frame:
    """Return `rgb` moved by (dx, dy) pixels and rolled by `turn` radians about its centre."""
    height, width = rgb.shape[:2]
    room = math.ceil(abs(dx) + abs(dy) + abs(turn) * max(height, width)) + 2
    room = min(room, min(height, width) - 1)
    wide = np.pad(rgb, ((room, room), (room, room), (0, 0)), mode="reflect")
    a, b = math.cos(turn), math.sin(turn)
    cx, cy = width / 2, height / 2
    matrix = (
        a, -b, room + cx + dx - a * cx + b * cy,
        b, a, room + cy + dy - b * cx - a * cy,
    )  # fmt: skip
    moved = Image.fromarray(wide).transform(
        (width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC
    )
    return np.array(moved)


def stutter(frames: Iterable[Frame], severity: int, span: Span, seed: int) -> Iterator[Frame]:
    """Yield frames of which some repeat the one before them, while time goes on.

    The frames that a repeat stands for are lost, as they are when a player or a camera drops
    them. No picture stays as long as the shortest stall, so stutter is never one.
    """
    fresh = _cadence(severity, span.fps, np.random.default_rng(seed))
    shown: Frame | None = None
    for rgb in frames:
        shown = rgb if next(fresh) or shown is None else shown
        yield shown


def _cadence(severity: int, fps: float, rng: np.random.Generator) -> Iterator[bool]:
    """Yield for frame after frame whether it is shown, or repeats the one before it."""
    hold_s, share = STUTTER[severity - 1]
    most = max(1, math.floor(min(hold_s, MIN_STALL_S) * fps - 1e-6) - 1)
    usual = (1 + most) / 2 * (1 - share) / share
    while True:
        yield from repeat(True, max(1, round(rng.uniform(0.5, 1.5) * usual)))
        yield from repeat(False, int(rng.integers(1, most + 1)))


def flicker(frames: Iterable[Frame], severity: int, span: Span, seed: int) -> Iterator[Frame]:
    """Yield frames whose luma swings together; colour differences stay."""
    rng = np.random.default_rng(seed)
    low, high = _FLICKER_HZ
    hertz = rng.uniform(low, min(high, max(span.fps / 2, low)))
    phase = rng.uniform(0, 2 * math.pi)
    for index, rgb in enumerate(frames):
        swing = (1 - _FLICKER_RANDOM) * math.sin(2 * math.pi * hertz * index / span.fps + phase)
        swing += _FLICKER_RANDOM * float(rng.uniform(-1, 1))
        luma = rgb @ LUMA
        yield to_uint8(rgb + np.float32(FLICKER[severity - 1] * swing) * luma[..., None])


def drift(frames: Iterable[Frame], severity: int, span: Span, seed: int) -> Iterator[Frame]:
    """Yield frames whose exposure wanders off to one side and back over the span."""
    rng = np.random.default_rng(seed)
    stops = DRIFT_STOPS[severity - 1] * rng.uniform(0.85, 1) * rng.choice((-1, 1))
    codes = np.arange(256, dtype=np.float64)
    for index, rgb in enumerate(frames):
        way = (1 - math.cos(2 * math.pi * (index + 0.5) / span.count)) / 2
        yield to_uint8(codes * 2 ** (stops * way / _GAMMA))[rgb]


#: How each kind of `records.TEMPORAL_KINDS` is made.
EFFECTS: dict[str, Callable[[Iterable[Frame], int, Span, int], Iterator[Frame]]] = {
    "camera-shake": shake,
    "stutter": stutter,
    "flicker": flicker,
    "exposure-drift": drift,
}


def setting(kind: str, severity: int) -> str:
    """Return in words what a severity of a temporal kind was set to."""
    index = severity - 1
    if kind == "camera-shake":
        return f"displacement {SHAKE[index]:g} of the shorter side"
    if kind == "stutter":
        hold_s, share = STUTTER[index]
        return f"holds up to {hold_s:g} s, {share:.0%} of the frames"
    if kind == "flicker":
        return f"luma swings by {FLICKER[index]:.0%}"
    return f"exposure up to {DRIFT_STOPS[index]:g} stops off"
