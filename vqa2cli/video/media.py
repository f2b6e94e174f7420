"""What a file is: the records that probing and decoding fill in."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.marks import Marks
from vqa2cli.video.measures.records import SignalMeasures
from vqa2cli.video.stalling import Stalling

#: Transfer characteristics of HDR, whose codes say nothing of SDR light and colour; their names.
HDR: Final = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


@dataclass(frozen=True)
class MediaInfo:
    """Facts of one video stream, under ffprobe's names where it has one; unknown is None.

    `width` and `height` are those of the coded frame, before `rotation` (degrees
    clockwise to apply for display: 0, 90, 180, 270). `duration` is seconds of presented
    video measured on packet timestamps, `bit_rate` bits a second of the video stream alone.
    `mean_quantizer` is the `quantizer` of `StreamFacts`.
    """

    width: int
    height: int
    avg_frame_rate: str
    duration: float | None
    bit_rate: int | None
    codec_name: str
    pix_fmt: str | None
    color_transfer: str | None
    rotation: int
    nb_frames_decoded: int
    mean_quantizer: float | None = None

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height after rotation."""
        size = (self.width, self.height)
        return size[::-1] if self.rotation in (90, 270) else size


@dataclass(frozen=True)
class DeclaredFacts:
    """What a playlist declares of one rung, unchecked; None where it does not say.

    `bandwidth` and `average_bandwidth` are bits a second of the whole rendition, sound
    included; `codecs` is RFC 6381's list as written.
    """

    bandwidth: int | None = None
    average_bandwidth: int | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    codecs: str | None = None

    @property
    def bit_rate(self) -> int | None:
        """Bits a second that the rendition is to have in the mean, as near as it is told."""
        return self.average_bandwidth or self.bandwidth


@dataclass(frozen=True)
class StreamFacts:
    """Facts of the encode that a model may be told, measured on the packets.

    `bits_per_pixel` is video bits over coded pixels of all frames; `fps` the measured
    frame rate; width and height those of the coded frame, after rotation. `quantizer` is the
    mean over coded pictures of what their headers say: QP (0-51) for H.264 and HEVC, the
    quantizer index (0-255) for VP9 and AV1; None for other codecs and unreadable headers.
    """

    codec: str
    bits_per_pixel: float | None
    width: int
    height: int
    fps: float
    quantizer: float | None = None


@dataclass(frozen=True)
class FragmentGrid:
    """Native-resolution look at a frame: `grid` x `grid` crops of `size` x `size` pixels.

    The crops are tiled into one picture of `grid * size` pixels a side, each from its own
    cell of the frame (FAST-VQA, ECCV 2022), so compression stays visible at any resolution.
    """

    grid: int
    size: int


@dataclass(frozen=True)
class Sampling:
    """What to keep of a clip while it is decoded once.

    Attributes:
        window_s: longest window, seconds; a longer clip is cut into equal windows.
        max_window_frames: most frames of one window, whatever its seconds.
        keyframes_per_second: 1 is the authors' rule, frames `range(0, n, round(fps))`.
        keyframe_size: side of the squashed key frame, pixels; fragments override it.
        fragments: look at key frames through native-resolution crops instead.
        motion_stride: keep every k-th frame for the motion branch.
        motion_multiple: motion frames of a window are cut to a multiple of this.
        motion_size: side of the squashed motion frame, pixels.
        resize: "pil" is PIL's bicubic, bit-exact to the authors; "swscale" the fast route.
        display: (width, height) all pictures are shown at; None keeps each at its own size.
        find_stalls: also watch for stalls.
        min_stall_s: shortest stall reported, seconds.
        marks: also note key frames and black pictures.
        facts_only: stop after the first picture; only `Opened` means anything then.
        measure: also measure the signal.
    """

    window_s: float
    max_window_frames: int = 2000
    keyframes_per_second: float = 1.0
    keyframe_size: int = 384
    fragments: FragmentGrid | None = None
    motion_stride: int = 1
    motion_multiple: int = 4
    motion_size: int = 384
    resize: str = "pil"
    display: tuple[int, int] | None = None
    find_stalls: bool = False
    min_stall_s: float = 0.3
    marks: bool = False
    facts_only: bool = False
    measure: bool = False


#: Keeps next to nothing of a clip: for what is found on the decode pass beside its pictures.
NO_PICTURES = Sampling(
    window_s=float("inf"),
    max_window_frames=sys.maxsize,
    keyframes_per_second=1e-9,
    keyframe_size=16,
    motion_stride=sys.maxsize,
    motion_size=16,
    resize="swscale",
)


# What decoding yields, in this order: Opened, then per window any number of KeyFrames and
# MotionFrames and one WindowEnd, then Closed. Windows never interleave.


@dataclass(frozen=True)
class Opened:
    """The file opened: `media` as its header and packets say, before any frame."""

    media: MediaInfo
    facts: StreamFacts


@dataclass(frozen=True)
class KeyFrames:
    """Key frames of one window: uint8 RGB [k, H, W, 3] and their times in seconds [k]."""

    window: int
    pixels: NDArray[np.uint8]
    pts_s: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.pts_s.shape != self.pixels.shape[:1]:
            raise ValueError(f"{len(self.pixels)} key frames but {self.pts_s.shape} timestamps")


@dataclass(frozen=True)
class MotionFrames:
    """A run of consecutive motion frames of one window: uint8 RGB [t, H, W, 3]."""

    window: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class WindowEnd:
    """A window is complete: [start_s, end_s) of the clip, `frames` decoded frames."""

    window: int
    start_s: float
    end_s: float
    frames: int


@dataclass(frozen=True)
class Closed:
    """The clip is decoded: final facts, what was wrong with it, and its stalls.

    `marks` is None unless the sampling asks for them.
    `pts_s` [n] float64 and `stalled` [n] uint8 hold one entry a decoded frame;
    `stalled` and `stalling` are None when stalls were not looked for, `measures` is None when
    the signal was not measured.
    """

    media: MediaInfo
    facts: StreamFacts
    warnings: tuple[str, ...]
    pts_s: NDArray[np.float64]
    stalling: Stalling | None
    stalled: NDArray[np.uint8] | None
    decode_s: float
    marks: Marks | None = None
    measures: SignalMeasures | None = None


ClipEvent = Opened | KeyFrames | MotionFrames | WindowEnd | Closed
