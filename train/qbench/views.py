"""What a model sees of the clips of a question, by either protocol."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from train.qbench.letters import Protocol
from train.qbench.prompts import FRAMES, PAIR_FRAMES
from vqa2cli.config import RunConfig
from vqa2cli.errors import VideoError
from vqa2cli.video.media import KeyFrames
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.scan import scan_packets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vqa2cli.model import QualityModel, SeenFrames, WindowTokens

#: Next to no motion is kept where a prompt has no place for it: this side, pixels.
_NO_MOTION_SIZE: Final = 16


def view(
    model: QualityModel, paths: Sequence[Path], protocol: Protocol, config: RunConfig
) -> WindowTokens:
    """Return what the model sees: "paper" all of a clip, "official" frames of one clip or two.

    Raises:
        VideoError: a clip cannot be decoded, or is longer than one window.
    """
    if protocol == "official":
        return _frames(model, paths, config)
    from vqa2cli.asking import look

    (path,) = paths
    windows = look(path, model, config).windows
    if len(windows) != 1:
        limit = model.protocol.window_s
        raise VideoError(
            "too_large", f"longer than the {limit:g} s that a model is asked about at once"
        )
    return windows[0].tokens


def _frames(model: QualityModel, paths: Sequence[Path], config: RunConfig) -> WindowTokens:
    """Return frames spread evenly over each clip."""
    count = FRAMES if len(paths) == 1 else PAIR_FRAMES
    empty = model.open_motion().finish()
    seen = [model.window_tokens([_seen(model, path, count, config)], empty, 0) for path in paths]
    if len(seen) == 1:
        return seen[0]
    first, second = seen
    # The place of motion holds the second clip: see the prompt of two.
    return replace(first, motion=second.visual, keyframes=first.keyframes + second.keyframes)


def _seen(model: QualityModel, path: Path, count: int, config: RunConfig) -> SeenFrames:
    """Return what is seen of frames int(n / count) * i, i from 0, as the benchmark takes them."""
    scan = scan_packets(path)
    step = scan.packets // count
    sampling = replace(
        model.sampling(),
        window_s=float("inf"),
        max_window_frames=sys.maxsize,
        # One key frame every `step` frames; a clip of fewer than `count` frames shows its first.
        keyframes_per_second=float(scan.fps) / max(step, 1),
        motion_stride=sys.maxsize,
        motion_size=_NO_MOTION_SIZE,
    )
    pictures: list[NDArray[np.uint8]] = []
    with DecodePool(1, config.max_seconds) as pool:
        for event in pool.submit(path, sampling):
            if isinstance(event, KeyFrames):
                pictures += _first(event.pixels, count - len(pictures))
    if step == 0:
        pictures = pictures[:1] * count
    if len(pictures) < count:
        raise VideoError("corrupt", f"{len(pictures)} of {count} frames could be decoded")
    return model.encode_keyframes(np.stack(pictures))


def _first(pixels: NDArray[np.uint8], count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield at most `count` pictures."""
    yield from pixels[: max(count, 0)]
