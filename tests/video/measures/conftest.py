"""Clips made here, and their measures through the real decoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from vqa2cli.video.decode import decode_clip
from vqa2cli.video.measures.records import SignalMeasures
from vqa2cli.video.media import Closed, Sampling
from vqa2cli.video.synthesis import Frame, moving_scene, write_clip

FPS = 25
SIZE = (320, 240)
ONLY = Sampling(
    window_s=60.0, keyframes_per_second=0.02, keyframe_size=16, motion_stride=1000, motion_size=16,
    resize="swscale", measure=True,
)  # fmt: skip

Measure = Callable[..., SignalMeasures]


def measured(path: Path) -> SignalMeasures:
    """Return the measures of a file."""
    *_, closed = decode_clip(path, ONLY)
    assert isinstance(closed, Closed)
    assert closed.measures is not None
    return closed.measures


def scene(seconds: float = 2.0, fps: float = FPS, size: tuple[int, int] = SIZE) -> list[Frame]:
    """Return a sharp, moving scene, a little softer than its maker's single-pixel noise."""
    frames = moving_scene(seconds, fps, size, speed=2)
    return [np.asarray(Image.fromarray(f).filter(ImageFilter.GaussianBlur(0.6))) for f in frames]


@pytest.fixture
def measure(tmp_path: Path) -> Measure:
    """Write frames as an almost lossless clip and return its measures."""

    def of(frames: Iterable[Frame], fps: float = FPS, **how: Any) -> SignalMeasures:
        how = {"options": {"crf": "8"}, **how}
        return measured(write_clip(tmp_path / "clip.mp4", frames, fps, **how))

    return of
