"""The cases that a stall detector has to tell apart, as frames, encodes and truth.

A case is the product of what is shown and how it is encoded. Truth is a list of frame spans
(first stalled frame, first frame after it); a clip without stalls has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.video.stall_media import (
    FPS,
    SIZE,
    coming_and_going,
    coming_to_rest,
    fading,
    frame_times,
    noisy,
    presentation,
    scene,
    slide,
    spinning,
    still_camera,
    stopping_and_going,
    swaying_to_rest,
    watch,
)
from vqa2cli.video.stalling import Stalling
from vqa2cli.video.synthesis import Frame, with_freeze, write_clip

Spans = tuple[tuple[int, int], ...]

START: Final = 90


@dataclass(frozen=True)
class Shown:
    """What a clip shows: its frames, the stalls in them, and times if they are not even."""

    frames: Callable[[], Sequence[Frame]]
    truth: Spans = ()
    pts_s: Callable[[], Sequence[float]] | None = None
    fps: float = FPS


@dataclass(frozen=True)
class Encode:
    """How a clip is encoded: the suffix of its file and the settings of `write_clip`."""

    suffix: str
    settings: Mapping[str, Any]


def _x264(gop: int, crf: int) -> Encode:
    return Encode(".mp4", {"gop": gop, "options": {"crf": str(crf)}})


#: Encodes that every case is tried with.
ENCODES: Final[dict[str, Encode]] = {
    **{f"x264 gop {g} crf {crf}": _x264(g, crf) for g in (30, 48, 60, 250) for crf in (23, 38)},
    "x265 gop 60 crf 28": Encode(".mp4", {"gop": 60, "codec": "libx265", "options": {"crf": "28"}}),
    "vp9 gop 60 crf 34": Encode(
        ".webm", {"gop": 60, "codec": "libvpx-vp9", "options": {"crf": "34", "b": "0"}}
    ),
    "av1 gop 60 crf 35": Encode(
        ".mp4", {"gop": 60, "codec": "libsvtav1", "options": {"crf": "35", "preset": "10"}}
    ),
}  # fmt: skip


@lru_cache(maxsize=4)
def _frozen(start: int, length: int, seed: int = 0) -> tuple[Frame, ...]:
    return tuple(with_freeze(scene(5.0, seed), start, length))


def _freeze(start: int, length: int, seed: int = 0) -> Shown:
    return Shown(lambda: _frozen(start, length, seed), ((start, start + length),))


def _spinner(side: int, seed: int = 0) -> Shown:
    return Shown(
        lambda: spinning(_frozen(START, 75, seed), START, 75, side), ((START, START + 75),)
    )


def _noise(sigma: float, before: bool) -> Shown:
    def frames() -> Sequence[Frame]:
        moving = noisy(scene(5.0, 0), sigma) if before else list(scene(5.0, 0))
        held = with_freeze(moving, START, 75)
        return held if before else noisy(held, sigma)

    return Shown(frames, ((START, START + 75),))


def _black_spinner(side: int) -> Shown:
    """Return a spinner on black before playback, as players show it."""
    black = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    return Shown(lambda: spinning([*[black] * 60, *scene(5.0, 0)], 0, 60, side), ((0, 60),))


def _two(gap: int) -> Shown:
    def frames() -> Sequence[Frame]:
        return with_freeze(with_freeze(scene(5.0, 0), 50, 30), 80 + gap, 45)

    return Shown(frames, ((50, 80), (80 + gap, 125 + gap)))


#: Stalls by what is shown.
STALLS: Final[dict[str, Shown]] = {
    **{f"freeze of {n / FPS:.1f} s": _freeze(START, n) for n in (12, 18, 30, 75, 240)},
    "another scene": _freeze(START, 75, 3),
    "freeze at the start": _freeze(0, 45),
    "freeze at the end": Shown(lambda: [*scene()[:100], *[scene()[99]] * 75], ((100, 175),)),
    "two freezes": _two(60),
    "back to back": _two(15),
    **{f"spinner of {side} px": _spinner(side) for side in (8, 16, 32, 64)},
    **{f"spinner of {side} px on black": _black_spinner(side) for side in (16, 32, 64)},
    **{f"noise {sigma:g} after": _noise(sigma, before=False) for sigma in (1.0, 2.0)},
    "noise 2 before": _noise(2.0, before=True),
    "missing frames": Shown(
        lambda: scene(), ((90, 165),), lambda: frame_times(len(scene()), gap_after=89, gap_s=2.5)
    ),
}  # fmt: skip


def _night() -> list[Frame]:
    """Return a dark still picture with the noise of a sensor."""
    return noisy([(picture * 0.2).astype(np.uint8) for picture in slide(150)], 3)


def _cinemagraph() -> list[Frame]:
    """Return a still picture with a patch that ripples for ever."""
    frames = []
    for index, picture in enumerate(slide(180)):
        moved = picture.copy()
        patch = picture[60:120, 200:280]
        moved[60:120, 200:280] = np.roll(patch, int(3 * np.sin(index / 5)), axis=1)
        frames.append(moved)
    return frames


def _talking_head() -> list[Frame]:
    """Return a still head and shoulders, mouth opening and shutting, blinking now and then."""
    frames = []
    for index, picture in enumerate(slide(180, 8)):
        face = picture.copy()
        open_px = int(4 + 4 * np.sin(index / 3) * (0.5 + 0.5 * np.sin(index / 23)))
        face[110 : 110 + max(open_px, 1), 145:175] = (120, 30, 40)
        if index % 70 < 4:
            face[80:84, 140:180] = (190, 150, 130)
        frames.append(face)
    return frames


def _scrolling_text() -> list[Frame]:
    """Return lines of "text" that scroll up on white."""
    rng = np.random.default_rng(2)
    page = np.full((SIZE[1] + 400, SIZE[0], 3), 245, np.uint8)
    for top in range(10, page.shape[0] - 8, 14):
        for left in range(20, SIZE[0] - 30, 12):
            if rng.random() < 0.8:
                page[top : top + 7, left : left + 8] = 20
    return [page[index : index + SIZE[1]] for index in range(180)]


def _paused_menu() -> list[Frame]:
    """Return a game that is paused: it darkens under a menu whose cursor moves now and then."""
    play = list(scene(3.0, 4))
    dimmed = (play[-1] * 0.4).astype(np.uint8)
    frames = []
    for index in range(90):
        menu = dimmed.copy()
        menu[50:130, 100:220] = 40
        row = 60 + 20 * (index // 30)
        menu[row : row + 10, 110:210] = (230, 200, 60)
        frames.append(menu)
    return [*play, *frames]


def _jittered() -> list[float]:
    rng = np.random.default_rng(7)
    even = np.arange(len(scene())) / FPS
    return (even + rng.uniform(0, 0.8 / FPS, len(even))).tolist()


def _variable() -> list[float]:
    steps = np.tile([1, 1, 4], 50)
    return (np.concatenate([[0], np.cumsum(steps)])[: len(scene())] * 0.1).tolist()


def _drift() -> list[Frame]:
    return [
        np.clip(picture * (1 + 0.0005 * index), 0, 255).astype(np.uint8)
        for index, picture in enumerate(slide(180))
    ]


def _pull_up() -> list[Frame]:
    shown = enumerate(scene()[:120])
    return [picture for index, picture in shown for _ in range(2 if index % 4 == 3 else 1)]


#: Content that stands, or nearly, and has no stall.
CONTENT: Final[dict[str, Shown]] = {
    "a static slide": Shown(lambda: slide(180)),
    "a small moving object": Shown(lambda: still_camera(180, 12)),
    "a larger moving object": Shown(lambda: still_camera(180, 40)),
    "a talking head": Shown(_talking_head),
    "a fade to black and hold": Shown(lambda: fading(scene(), 60, 30)),
    "a cut to a slide and back": Shown(lambda: [*scene()[:90], *slide(75), *scene()[90:]]),
    "a cinemagraph": Shown(_cinemagraph),
    "animation at 12 frames a second": Shown(
        lambda: [picture for picture in scene()[::3] for _ in range(2)], fps=24
    ),
    "a 24 to 30 pull-up": Shown(_pull_up),
    "brightness that drifts": Shown(_drift),
    "a static camera at night": Shown(_night),
    "scrolling text": Shown(_scrolling_text),
    "a paused game menu": Shown(_paused_menu),
    "times that jitter": Shown(lambda: scene(), pts_s=_jittered),
    "a variable frame rate": Shown(lambda: scene(), pts_s=_variable),
    "dropped frames": Shown(
        lambda: [scene()[index - index % (2 + index // 30)] for index in range(150)]
    ),
    "slides with wipes": Shown(lambda: presentation(4)),
    "a camera that comes to rest": Shown(coming_to_rest),
    "a camera that stops and goes on": Shown(stopping_and_going),
    "a subject that comes to rest": Shown(swaying_to_rest),
    "things that come and go": Shown(lambda: coming_and_going(45)),
    "slow motion": Shown(lambda: scene(6.0, 0, 0.05)),
    "a noisy camera on an object": Shown(lambda: noisy(still_camera(150, 20), 4)),
}


def grid() -> Iterator[tuple[str, str, Shown, Encode]]:
    """Yield every case: name of what is shown, name of the encode, and both."""
    for name, shown in {**STALLS, **CONTENT}.items():
        for how, encode in ENCODES.items():
            yield name, how, shown, encode


def stalls_of(shown: Shown, encode: Encode, folder: Path) -> Stalling:
    """Encode a case into `folder` and return what the detector finds in it."""
    times = {} if shown.pts_s is None else {"pts_s": shown.pts_s()}
    path = folder / f"case{encode.suffix}"
    write_clip(path, list(shown.frames()), shown.fps, **encode.settings, **times)
    return watch(path)[0]


@dataclass(frozen=True)
class Matched:
    """What was found of a case: errors of onset and end in frames, missed spans, false events."""

    onset_frames: tuple[float, ...]
    end_frames: tuple[float, ...]
    missed: int
    false: int


def matched(shown: Shown, stalling: Stalling) -> Matched:
    """Match counted events with the truth; one fits a span that it overlaps by more than half."""
    free = [event for event in stalling.events if event.counted]
    onsets, ends, missed = [], [], 0
    for first, after in shown.truth:
        start, end = first / shown.fps, after / shown.fps
        found = max(free, key=lambda event: min(event.end, end) - max(event.start, start),
                    default=None)  # fmt: skip
        if found is None or min(found.end, end) - max(found.start, start) < (end - start) / 2:
            missed += 1
            continue
        free.remove(found)
        onsets.append(abs(found.start - start) * shown.fps)
        ends.append(abs(found.end - end) * shown.fps)
    return Matched(tuple(onsets), tuple(ends), missed, len(free))
