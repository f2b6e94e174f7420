"""From a decoded frame to RGB pictures: colour, rotation, display size, squashing."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from vqa2cli.video.media import Sampling

Picture = NDArray[np.uint8]

#: From this size on, video that names no colour matrix is taken for BT.709, below for BT.601.
HD_WIDTH, HD_HEIGHT = 1280, 720

#: Matrix tags (ITU-T H.273) that swscale converts by: BT.709, FCC, BT.601 twice, 240M, BT.2020.
_CONVERTIBLE = frozenset({1, 4, 5, 6, 7, 9})
_RGB, _UNSPECIFIED, _BT2020_CL = 0, 2, 10


def source_matrix(frame: av.VideoFrame) -> Colorspace | None:
    """Return the colour matrix to assume, None to leave it to the frame's own tag.

    Tags win. Untagged video converts as BT.709 when it is HD and, as FFmpeg does by
    itself, as BT.601 below; so do tags that swscale cannot follow. RGB and grey have none.
    """
    tag = frame.colorspace
    if tag in _CONVERTIBLE or not _has_matrix(frame):
        return None
    if tag == _BT2020_CL:
        return Colorspace.BT2020
    if frame.width >= HD_WIDTH or frame.height >= HD_HEIGHT:
        return Colorspace.ITU709
    return None if tag == _UNSPECIFIED else Colorspace.ITU601


def foreign_matrix(frame: av.VideoFrame) -> int | None:
    """Return the frame's matrix tag where pictures cannot follow it, else None."""
    known = _CONVERTIBLE | {_RGB, _UNSPECIFIED}
    return None if frame.colorspace in known or not _has_matrix(frame) else frame.colorspace


def _has_matrix(frame: av.VideoFrame) -> bool:
    return not frame.format.is_rgb and len(frame.format.components) >= 3


def rotation_of(frame: av.VideoFrame) -> int:
    """Return degrees clockwise to apply for display: 0, 90, 180 or 270.

    Angles that are no multiple of 90 (a damaged matrix) count as none. `side_data` would
    say the same and is not touched: unknown types crash the process.
    """
    angle = frame.rotation
    return int(-angle % 360) if angle % 90 == 0 else 0


class PictureMaker:
    """Makes the pictures a `Sampling` asks for. One instance serves one clip."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        # A scaler each, because changing its sizes rebuilds its tables.
        self._scalers = {name: VideoReformatter() for name in ("rgb", "motion", "key")}
        self._display = VideoReformatter()

    def shown(self, frame: av.VideoFrame) -> Picture:
        """Return the frame as it is shown: uint8 RGB [H, W, 3], upright, at display size."""
        rgb = self._scale(frame, "rgb", None, Interpolation.BILINEAR)
        upright = _turn(rgb, rotation_of(frame))
        if self._sampling.display is None:
            return upright
        width, height = _oriented(self._sampling.display, upright)
        if upright.shape[:2] == (height, width):
            return upright
        source = av.VideoFrame.from_ndarray(upright, format="rgb24")
        scaled = self._display.reformat(
            source, width=width, height=height, interpolation=Interpolation.BICUBIC, threads=1
        )
        return _bytes_of(scaled)

    def squashed(self, frame: av.VideoFrame, shown: Picture | None, role: str) -> Picture:
        """Return the frame squashed to uint8 RGB [size, size, 3].

        Args:
            shown: the picture `shown` made of it, where one was made already.
            role: "key" or "motion". On the fast route a motion frame is squashed straight
                from its own size: a detour over a display size changes next to nothing.
        """
        size = self._sampling.keyframe_size if role == "key" else self._sampling.motion_size
        if self._sampling.resize == "pil":
            picture = self.shown(frame) if shown is None else shown
            image = Image.fromarray(picture)
            return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
        if role == "key" and self._sampling.display is not None:
            picture = self.shown(frame) if shown is None else shown
            return self._scale(av.VideoFrame.from_ndarray(picture), role, size, Interpolation.AREA)
        # Area averaging reads every source pixel once: no aliasing, and the fastest of
        # swscale's kernels that have none.
        small = self._scale(frame, role, size, Interpolation.AREA)
        return _turn(small, rotation_of(frame))

    def _scale(
        self, frame: av.VideoFrame, role: str, size: int | None, interpolation: Interpolation
    ) -> Picture:
        scaled = self._scalers[role].reformat(
            frame,
            width=size,
            height=size,
            format="rgb24",
            src_colorspace=source_matrix(frame),
            interpolation=interpolation,
            threads=1,  # the tables of a threaded scaler depend on the core count
        )
        return _bytes_of(scaled)


def _bytes_of(frame: av.VideoFrame) -> Picture:
    return np.asarray(frame.to_ndarray(), np.uint8)


def _turn(rgb: Picture, degrees: int) -> Picture:
    return np.ascontiguousarray(np.rot90(rgb, -degrees // 90)) if degrees else rgb


def _oriented(display: tuple[int, int], picture: Picture) -> tuple[int, int]:
    """Return the display's size, turned on its side when the picture lies the other way."""
    wide_display = display[0] >= display[1]
    wide_picture = picture.shape[1] >= picture.shape[0]
    return display if wide_display == wide_picture else (display[1], display[0])
