"""Clips with one made distortion, nearly uncompressed, so that only the distortion shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

import av
import numpy as np

from train.distortions import distort_clip
from train.ffmpeg import run_ffmpeg
from train.sources import Source

#: Frames of a distorted clip: enough for key frames and motion, cheap enough for thousands.
DISTORTED_FRAMES = 24


@dataclass(frozen=True)
class DistortedClip:
    """One distortion to make: KADID type and level, and the seed of its pattern."""

    name: str
    kind: int
    level: int
    seed: int
    crf: ClassVar[int] = 10


def write_distorted(lossless: Path, source: Source, clip: DistortedClip, folder: Path) -> Path:
    """Write `clip` made from the frames of `lossless` into `folder` and return the file."""
    target = folder / f"{clip.name}.mp4"
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{source.width}x{source.height}"]
    run_ffmpeg(
        [*raw, "-r", f"{source.fps:g}", "-i", "-", "-c:v", "libx264", "-preset", "ultrafast"]
        + ["-threads", "1", "-crf", str(clip.crf), "-pix_fmt", "yuv420p", str(target)],
        frames=(
            np.ascontiguousarray(rgb).tobytes()
            for rgb in distort_clip(
                islice(frames_of(lossless), DISTORTED_FRAMES), clip.kind, clip.level, clip.seed
            )
        ),
    )
    return target


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """Yield the uint8 RGB frames of a source file."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(format="rgb24", threads=1).to_ndarray()
