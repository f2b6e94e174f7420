"""Clips with one made distortion, well encoded, so that only the distortion shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.distortions import distort_clip
from train.ffmpeg import run_ffmpeg
from train.rendering import frames_of
from train.renditions import Rendition, encoder_options, mean_qp
from train.sources import Source


@dataclass(frozen=True)
class DistortedClip:
    """One distortion to make: KADID type and level, the seed of its pattern, and the encode.

    Nothing but the picture may tell a distorted clip from a rendition, so it is encoded like one,
    well.
    """

    kind: int
    level: int
    seed: int
    encode: Rendition


def write_distorted(
    lossless: Path, source: Source, clip: DistortedClip, target: Path
) -> float | None:
    """Write `clip` made from the frames of `lossless` and return its encoder's own mean QP."""
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{source.width}x{source.height}"]
    log = run_ffmpeg(
        [*raw, "-r", f"{source.fps:g}", "-i", "-", *encoder_options(source, clip.encode)]
        + [str(target)],
        frames=(
            np.ascontiguousarray(rgb).tobytes()
            for rgb in distort_clip(frames_of(lossless), clip.kind, clip.level, clip.seed)
        ),
    )
    return mean_qp(log)
