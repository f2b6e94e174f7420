"""Small ladders of real files, healthy or with one fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from vqa2cli.video.synthesis import Frame, moving_scene, with_freeze, write_clip

FPS = 20
SECONDS = 2.0
#: Heights of the rungs, all 4:3.
HEIGHTS = (120, 132, 144)


def scene() -> list[Frame]:
    """Return two seconds of the moving scene."""
    return list(moving_scene(SECONDS, FPS, (192, 144), speed=3))


def write_rung(folder: Path, height: int, frames: list[Frame], **how: Any) -> Path:
    """Write one rung, a key frame a second, under a name that tells its height."""
    name = how.pop("name", f"t_{height}p{FPS}.mp4")
    size = how.pop("size", (height * 4 // 3, height))
    options = {"crf": str(how.pop("crf", 30 - HEIGHTS.index(height) * 4)), "sc_threshold": "0"}
    folder.mkdir(parents=True, exist_ok=True)
    return write_clip(
        folder / name, frames, how.pop("fps", FPS), size=size,
        **{"gop": FPS, "options": options, **how},
    )  # fmt: skip


def write_ladder(folder: Path, frames: list[Frame] | None = None) -> Path:
    """Write a healthy ladder and return its folder."""
    shown = scene() if frames is None else frames
    for height in HEIGHTS:
        write_rung(folder, height, shown)
    return folder


def frozen(frames: list[Frame]) -> list[Frame]:
    """Return `frames`, as many, with a second of them held."""
    return with_freeze(frames, 12, FPS)[: len(frames)]


def blurred(frames: list[Frame], radius: float = 3) -> list[Frame]:
    """Return `frames` without their fine detail; `radius` is in pixels."""
    blur = ImageFilter.GaussianBlur(radius)
    return [np.asarray(Image.fromarray(frame).filter(blur)) for frame in frames]


def blackened(frames: list[Frame]) -> list[Frame]:
    """Return `frames` with half a second of black."""
    return [*frames[:20], *[np.zeros_like(frames[0])] * 10, *frames[30:]]
