"""Rendered contents: textures, screens, flat cartoons and a game-like track, never compressed.

They widen what camera clips cover and are pristine by construction. A scene is a function of
its seed alone; four kinds take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vqa2cli.video.synthesis import moving_scene

Frame = NDArray[np.uint8]

#: A scene drawn from (frames, frames a second, (width, height), random generator).
Painter = Callable[[int, float, tuple[int, int], np.random.Generator], Iterator[Frame]]


def rendered_scene(seed: int, frames: int, fps: float, size: tuple[int, int]) -> Iterator[Frame]:
    """Yield uint8 RGB frames [H, W, 3] of scene `seed`; `size` is (width, height)."""
    painter = PAINTERS[seed % len(PAINTERS)]
    return painter(frames, fps, size, np.random.default_rng([7, seed]))


def textures(
    frames: int, fps: float, size: tuple[int, int], rng: np.random.Generator
) -> Iterator[Frame]:
    """Noise at every scale under a panning camera, with bars and two discs."""
    seed, speed = int(rng.integers(1000, 10**6)), float(rng.uniform(0.4, 1.6))
    return moving_scene(frames / fps, fps, size, seed=seed, speed=speed)


def screen(
    frames: int, fps: float, size: tuple[int, int], rng: np.random.Generator
) -> Iterator[Frame]:
    """A page of text that scrolls beside a panel of flat boxes."""
    width, height = size
    dark = bool(rng.integers(2))
    paper, ink = ((24, 26, 32), (220, 222, 226)) if dark else ((250, 250, 248), (28, 28, 30))
    page = Image.new("RGB", (width, 3 * height), paper)
    draw = ImageDraw.Draw(page)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    top = 8
    while top < page.height:
        points = int(rng.integers(max(height // 40, 9), max(height // 22, 14)))
        words = ("".join(rng.choice(letters, rng.integers(2, 11))) for _ in range(width // 40))
        colour = ink if rng.random() < 0.8 else tuple(int(c) for c in rng.integers(40, 220, 3))
        draw.text(
            (width // 5, top), " ".join(words), colour, font=ImageFont.load_default(float(points))
        )
        top += round(points * 1.5)
    panel = Image.new("RGB", (width // 6, height), tuple(int(c) for c in rng.integers(30, 120, 3)))
    boxes = ImageDraw.Draw(panel)
    for at in range(6, height, max(height // 14, 8)):
        boxes.rectangle(
            (6, at, width // 6 - 6, at + height // 22),
            fill=tuple(int(c) for c in rng.integers(60, 240, 3)),
        )
    rate = rng.uniform(0.1, 0.6) * height / fps
    for index in range(frames):
        offset = int(index * rate) % (2 * height)
        picture = page.crop((0, offset, width, offset + height))
        picture.paste(panel, (0, 0))
        yield np.asarray(picture)


def cartoon(
    frames: int, fps: float, size: tuple[int, int], rng: np.random.Generator
) -> Iterator[Frame]:
    """Outlined flat shapes that drift before a gradient sky; drawn at twice the size."""
    width, height = (2 * side for side in size)
    low, high = rng.integers(60, 250, (2, 3)).astype(np.float32)
    rise = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.broadcast_to(low * (1 - rise) + high * rise, (height, width, 3)).astype(np.uint8)
    shapes = [
        (
            rng.uniform(0, 1, 2) * (width, height),
            rng.uniform(-0.15, 0.15, 2) * (width, height),
            float(rng.uniform(0.04, 0.18)) * height,
            tuple(int(c) for c in rng.integers(20, 255, 3)),
            bool(rng.integers(2)),
        )
        for _ in range(int(rng.integers(6, 16)))
    ]
    for index in range(frames):
        picture = Image.fromarray(sky)
        draw = ImageDraw.Draw(picture)
        for start, speed, radius, colour, is_round in shapes:
            x, y = (start + speed * index / fps) % (width, height)
            box = (x - radius, y - radius, x + radius, y + radius)
            paint = draw.ellipse if is_round else draw.rectangle
            paint(box, fill=colour, outline=(10, 10, 12), width=max(height // 160, 2))
        yield np.asarray(picture.resize(size, Image.Resampling.LANCZOS))


def track(
    frames: int, fps: float, size: tuple[int, int], rng: np.random.Generator
) -> Iterator[Frame]:
    """A ride over a textured plane in perspective below a hazy sky, with an overlay of figures."""
    width, height = size
    side = 512
    texture = next(moving_scene(1, 1, (side, side), seed=int(rng.integers(10**6))))
    horizon = int(height * rng.uniform(0.3, 0.5))
    depth = 1.0 / np.linspace(0.03, 1.0, height - horizon, dtype=np.float32)
    across = (np.arange(width, dtype=np.float32) - width / 2) / width
    haze = np.clip(1.2 / depth, 0, 1)[:, None, None]
    sky = rng.integers(90, 235, 3).astype(np.float32)
    speed, bend = rng.uniform(120, 420), rng.uniform(-90, 90)
    font = ImageFont.load_default(float(max(height // 18, 12)))
    for index in range(frames):
        t = index / fps
        rows = (depth * 60 + speed * t).astype(int) % side
        cols = (across[None, :] * depth[:, None] * 260 + bend * t).astype(int) % side
        ground = texture[rows[:, None], cols]
        picture = np.empty((height, width, 3), np.float32)
        picture[:horizon] = sky
        picture[horizon:] = ground * haze + sky * (1 - haze)
        image = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
        draw = ImageDraw.Draw(image)
        draw.text((width // 30, height // 30), f"{index * 7:05d}", (250, 240, 60), font=font)
        draw.rectangle(
            (width * 0.7, height * 0.05, width * (0.7 + 0.2 * (index % 30) / 30), height * 0.08),
            fill=(220, 50, 40),
        )
        yield np.asarray(image)


PAINTERS: tuple[Painter, ...] = (textures, screen, cartoon, track)
