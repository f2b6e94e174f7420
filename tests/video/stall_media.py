"""Makers of clips that stall, and of clips that only look as if they did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vqa2cli.video.stalling import StallEvent, Stalling
from vqa2cli.video.stalls import StallTrack, luma_of
from vqa2cli.video.synthesis import Frame, moving_scene

FPS = 30
SIZE = (320, 180)
X264 = {"crf": "23"}


@lru_cache(maxsize=16)
def scene(seconds: float = 5.0, seed: int = 0, speed: float = 1.0) -> tuple[Frame, ...]:
    """Return frames of a panning camera with two moving objects."""
    return tuple(moving_scene(seconds, FPS, SIZE, seed=seed, speed=speed))


def slide(length: int, seed: int = 5) -> list[Frame]:
    """Return one picture `length` times."""
    return [scene(1.0, seed)[0]] * length


def still_camera(
    length: int, side: int = 12, seed: int = 5, pause: range | None = None
) -> list[Frame]:
    """Return a still background with one square of `side` pixels moving; `pause` holds it."""
    frames = []
    step = 0
    for index in range(length):
        step += pause is None or index not in pause
        picture = scene(1.0, seed)[0].copy()
        x = int((0.5 + 0.4 * np.sin(step / 12)) * (SIZE[0] - side))
        y = int((0.5 + 0.4 * np.cos(step / 17)) * (SIZE[1] - side))
        picture[y : y + side, x : x + side] = (240, 220, 40)
        frames.append(picture)
    return frames


def coming_and_going(resting: int, side: int = 70, pace: int = 12, seed: int = 5) -> list[Frame]:
    """Return a still background that a square crosses twice, `resting` frames apart."""
    background, thing = scene(1.0, seed)[0], scene(1.0, seed + 1)[0][50 : 50 + side, :side]
    frames = []
    for x in range(0, SIZE[0] + side, pace):
        wide = np.pad(background, ((0, 0), (side, side), (0, 0)))
        wide[50 : 50 + side, x : x + side] = thing
        frames.append(wide[:, side:-side])
    return [*frames, *[background] * resting, *frames]


def spinning(frames: Sequence[Frame], start: int, length: int, side: int) -> list[Frame]:
    """Return `frames` with a ring of twelve dots turning over `length` of them."""
    turning = list(frames)
    for index in range(start, start + length):
        turning[index] = _with_ring(frames[index], side, (index - start) / FPS)
    return turning


def _with_ring(picture: Frame, side: int, seconds: float) -> Frame:
    """Return `picture` with a centred ring of `side` pixels, one turn a second."""
    ringed = picture.copy()
    yy, xx = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    head = int(seconds * 12) % 12
    for dot in range(12):
        angle = 2 * np.pi * dot / 12
        cx = picture.shape[1] / 2 + 0.42 * side * np.cos(angle)
        cy = picture.shape[0] / 2 + 0.42 * side * np.sin(angle)
        bright = 255 - 18 * ((head - dot) % 12)
        ringed[(xx - cx) ** 2 + (yy - cy) ** 2 <= max(0.08 * side, 1) ** 2] = bright
    return ringed


def ringed(picture: Frame) -> Frame:
    """Return a picture with a ring in its middle that stands: one whose colour alone turns."""
    return _with_ring(picture, 48, 0.0)


def dimmed(picture: Frame) -> Frame:
    """Return a picture at half its brightness, under a ring."""
    return ringed((picture * 0.5).astype(np.uint8))


def blacked_out(picture: Frame) -> Frame:
    """Return a ring on black."""
    return ringed(np.zeros_like(picture))


def under_controls(picture: Frame) -> Frame:
    """Return a picture with a player's bar over its lowest eighth."""
    shown, top = picture.copy(), picture.shape[0] * 7 // 8
    shown[top:] = (shown[top:] * 0.4).astype(np.uint8)
    shown[top : top + 4, : picture.shape[1] // 3] = (255, 0, 0)
    return shown


#: What a player does to the picture that stands.
Cover = Callable[[Frame], Frame]


def covered(frames: Sequence[Frame], start: int, length: int, cover: Cover) -> list[Frame]:
    """Return `frames` with `length` of them covered."""
    return [
        cover(picture) if start <= index < start + length else picture
        for index, picture in enumerate(frames)
    ]


def noisy(frames: Sequence[Frame], sigma: float, seed: int = 3) -> list[Frame]:
    """Return `frames` with fresh Gaussian noise on each."""
    rng = np.random.default_rng(seed)
    return [
        np.clip(f + rng.normal(0, sigma, f.shape), 0, 255).round().astype(np.uint8) for f in frames
    ]


def fading(frames: Sequence[Frame], start: int, length: int) -> list[Frame]:
    """Return `frames` faded to black over `length` frames from `start` on, black after."""
    gains = np.clip(1 - (np.arange(len(frames)) - start + 1) / length, 0, 1)
    return [(f * gain).astype(np.uint8) for f, gain in zip(frames, gains, strict=True)]


def frame_times(count: int, *, gap_after: int | None = None, gap_s: float = 0.0) -> list[float]:
    """Return `count` times at 30 fps; those after frame `gap_after` come `gap_s` later."""
    late = count if gap_after is None else gap_after
    return [index / FPS + (gap_s if index > late else 0.0) for index in range(count)]


def watch(path: Path, min_stall_s: float = 0.3) -> tuple[Stalling, NDArray[np.uint8]]:
    """Decode `path` and return its stalls and 0 or 1 for every frame."""
    track = StallTrack(min_stall_s)
    end_s = 0.0
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            pts_s = index / FPS if frame.time is None else frame.time  # raw streams have no times
            track.add(luma_of(frame), pts_s, bool(frame.key_frame))
            end_s = pts_s + 1 / FPS
    return track.close(end_s)


def the_stall(stalling: Stalling) -> StallEvent:
    """Return the only counted event."""
    counted = [event for event in stalling.events if event.counted]
    assert len(counted) == 1, stalling.events
    return counted[0]


def assert_lasts(event: StallEvent, first: int, after: int) -> None:
    """Hold an event to its first frame and the frame after it, within two frames."""
    assert abs(event.start * FPS - first) <= 2.1, event
    assert abs(event.end * FPS - after) <= 2.1, event


def slowing(moving: int, easing: int) -> list[float]:
    """Return the pace of each frame of what moves at 1 and then slows down evenly."""
    return [*[1.0] * moving, *(1 - step / easing for step in range(easing))]


def panning(paces: Sequence[float]) -> list[Frame]:
    """Return a camera that pans by so many pixels before each frame, 160 at most in all."""
    canvas = Image.fromarray(scene(1.0, 7)[0]).resize((480, 270), Image.Resampling.BICUBIC)
    frames = []
    for left in np.cumsum(paces):
        shift = (1, 0, left, 0, 1, 20)
        picture = canvas.transform(SIZE, Image.Transform.AFFINE, shift, Image.Resampling.BICUBIC)
        frames.append(np.asarray(picture))
    return frames


def coming_to_rest(moving: int = 90, easing: int = 30, resting: int = 60) -> list[Frame]:
    """Return a camera that pans, slows down evenly and stands."""
    return panning([0.8 * pace for pace in [*slowing(moving, easing), *[0.0] * resting]])


def swaying(reaches: Sequence[float], texture: float = 8.0) -> list[Frame]:
    """Return a subject with some texture that sways by so many pixels before a still background.

    It goes there and back in 50 frames, fastest at each 25th.
    """
    behind = scene(1.0, 5)[0]
    front = Image.fromarray(scene(1.0, 7)[0]).resize((352, 198), Image.Resampling.BICUBIC)
    front = Image.fromarray(noisy([np.asarray(front)], texture)[0])
    frames = []
    for index, reach in enumerate(reaches):
        turn = index * 2 * np.pi / 50
        shift = (1, 0, 8 + reach * np.sin(turn), 0, 1, 8 + reach / 2 * np.cos(turn))
        moved = front.transform(SIZE, Image.Transform.AFFINE, shift, Image.Resampling.BICUBIC)
        picture = behind.copy()
        picture[40:, 60:200] = np.asarray(moved)[40:, 60:200]
        frames.append(picture)
    return frames


def swaying_to_rest(reach: float = 2.0) -> list[Frame]:
    """Return a subject that sways, for two seconds ever less, and then stands for two."""
    frames = swaying([reach] * 60 + [reach * (1 - step / 60) for step in range(60)])
    return [*frames, *frames[-1:] * 60]


def stopping_and_going(
    moving: int = 50, easing: int = 10, resting: int = 40, pace: float = 4.0
) -> list[Frame]:
    """Return a camera that pans, slows down evenly, stands, and speeds up as it slowed down."""
    coming = [pace * each for each in slowing(moving, easing)]
    lefts = np.cumsum([*coming, *[0.0] * resting, *reversed(coming)]).astype(int)
    wide = next(moving_scene(1.0, 1, (int(lefts[-1]) + SIZE[0], SIZE[1]), seed=7))
    return [np.ascontiguousarray(wide[:, left : left + SIZE[0]]) for left in lefts]


def presentation(slides: int) -> list[Frame]:
    """Return still slides of 1.5 s that wipe into each other in half a second."""
    frames: list[Frame] = []
    for number in range(slides):
        shown, coming = scene(1.0, 20 + number)[0], scene(1.0, 21 + number)[0]
        frames += [shown] * 45
        for step in range(15):
            wiped = shown.copy()
            wiped[:, : SIZE[0] * step // 15] = coming[:, : SIZE[0] * step // 15]
            frames.append(wiped)
    return frames
