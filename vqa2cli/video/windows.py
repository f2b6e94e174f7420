"""Which frames of a clip are kept, window by window.

The rules are those the models were trained under (REFERENCE: the authors' scoring scripts):
key frames `range(0, n, r)` of a window of n frames, with r = round(fps / per second), and
motion frames `frames[: n // stride * stride][::stride]`, cut to a multiple.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.media import KeyFrames, MotionFrames, Sampling, WindowEnd

#: Most pictures of one event, so that memory does not grow with a window's length.
MAX_MOTION_RUN = 64
MAX_KEY_RUN = 16

#: Timestamps this close, seconds, to a window's edge lie on it.
_EDGE_S = 1e-6

WindowEvent = KeyFrames | MotionFrames | WindowEnd
Picture = NDArray[np.uint8]


def window_step_s(duration_s: float, window_s: float) -> float:
    """Return the length in seconds of the equal windows a clip is cut into.

    A clip no longer than `window_s` is one window, and its step `window_s` itself.
    """
    count = max(1, math.ceil(duration_s / window_s - _EDGE_S))
    return window_s if count == 1 else duration_s / count


def keyframe_interval(fps: float, per_second: float) -> int:
    """Return r, the number of frames from one key frame to the next.

    Rounds half to even as the authors' `round` does: 24.5 frames a second give 24.
    """
    return max(1, round(fps / per_second))


class Windows:
    """Sorts sampled pictures into windows and hands them on as events.

    Before each frame call `begin`, which says through `wants_key` and `wants_motion` what
    to make of it; after it `add`. Both yield events; `finish` yields the last.
    A window without a frame joins the one before it: what it shows is that one's last frame.
    """

    def __init__(self, sampling: Sampling, fps: float, duration_s: float) -> None:
        self._sampling = sampling
        self._step_s = window_step_s(duration_s, sampling.window_s)
        self._interval = keyframe_interval(fps, sampling.keyframes_per_second)
        group = sampling.motion_multiple
        self._run = max(group, MAX_MOTION_RUN // group * group)
        self._edge = 0  # number of the equal window on the clock
        self._window = -1
        self._start_s = 0.0
        self._reset()

    def _reset(self) -> None:
        self._frames = 0
        self._motion_sent = 0
        self._keys: list[tuple[Picture, float]] = []
        self._motion: list[Picture] = []

    @property
    def wants_key(self) -> bool:
        """Whether the frame begun is a key frame."""
        return self._frames % self._interval == 0

    @property
    def wants_motion(self) -> bool:
        """Whether the frame begun may be a motion frame."""
        return self._frames % self._sampling.motion_stride == 0

    @property
    def key_ordinal(self) -> int:
        """Number of the key frame begun, in its window."""
        return self._frames // self._interval

    def begin(self, pts_s: float) -> Iterator[WindowEvent]:
        """Open the window that the frame at `pts_s` belongs to, closing the one before."""
        edge = int((pts_s + _EDGE_S) / self._step_s)
        full = self._frames >= self._sampling.max_window_frames
        if self._window < 0:
            self._window = 0
        elif edge > self._edge or full:
            end_s = edge * self._step_s if edge > self._edge else pts_s
            yield from self.finish(end_s)
            self._window += 1
            self._start_s = end_s
            self._reset()
        self._edge = edge

    def add(
        self, pts_s: float, key: Picture | None, motion: Picture | None
    ) -> Iterator[WindowEvent]:
        """Take the pictures made of the frame begun, and yield the runs that are complete."""
        if key is not None:
            self._keys.append((key, pts_s))
        if motion is not None:
            self._motion.append(motion)
        self._frames += 1
        if len(self._keys) >= MAX_KEY_RUN:
            yield self._take_keys()
        if self._sure_motion() >= self._run:
            yield self._take_motion(self._run)

    def finish(self, end_s: float) -> Iterator[WindowEvent]:
        """Yield what is left of the window and close it at `end_s` seconds."""
        if self._keys:
            yield self._take_keys()
        group = self._sampling.motion_multiple
        left = self._sure_motion() // group * group
        if left == 0 and self._motion_sent == 0:
            left = len(self._motion)  # too short for the rule: everything there is
        if left:
            yield self._take_motion(left)
        yield WindowEnd(self._window, self._start_s, end_s, self._frames)

    def _sure_motion(self) -> int:
        """Number of pending motion frames whose whole stride of frames has arrived."""
        return self._frames // self._sampling.motion_stride - self._motion_sent

    def _take_keys(self) -> KeyFrames:
        pictures, times = zip(*self._keys, strict=True)
        self._keys = []
        return KeyFrames(self._window, np.stack(pictures), np.array(times, np.float64))

    def _take_motion(self, count: int) -> MotionFrames:
        run, self._motion = self._motion[:count], self._motion[count:]
        self._motion_sent += count
        return MotionFrames(self._window, np.stack(run))
