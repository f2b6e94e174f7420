"""What one decode pass tells of a clip, by kind of event, for the tests to look at."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image

from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import ClipEvent, Closed, KeyFrames, MotionFrames, Sampling, WindowEnd

PLAIN = Sampling(window_s=1e9, keyframe_size=32, motion_size=32)
FAST = Sampling(window_s=1e9, keyframe_size=32, motion_size=32, resize="swscale")


def decoded(path: Path, sampling: Sampling = PLAIN) -> list[ClipEvent]:
    return list(decode_clip(path, sampling))


def closed(events: list[ClipEvent]) -> Closed:
    assert isinstance(events[-1], Closed)
    return events[-1]


def ends(events: list[ClipEvent]) -> list[WindowEnd]:
    return [event for event in events if isinstance(event, WindowEnd)]


def key_times(events: list[ClipEvent]) -> list[float]:
    return [float(t) for event in events if isinstance(event, KeyFrames) for t in event.pts_s]


def keys(events: list[ClipEvent]) -> np.ndarray:
    return np.concatenate([event.pixels for event in events if isinstance(event, KeyFrames)])


def motion(events: list[ClipEvent]) -> np.ndarray:
    return np.concatenate([event.pixels for event in events if isinstance(event, MotionFrames)])


def plain_rgb(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [np.asarray(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]


def squashed(rgb: np.ndarray, size: int = 32) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC))
