"""Decode a clip once and hand everything the models and listeners need on as events."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vqa2cli.config import MAX_SECONDS
from vqa2cli.errors import VideoError
from vqa2cli.video.fragments import fragment_view
from vqa2cli.video.frames import FrameReader, TimedFrame
from vqa2cli.video.marks import Marks, MarkTrack
from vqa2cli.video.measures.records import SignalMeasures
from vqa2cli.video.media import HDR, ClipEvent, Closed, MediaInfo, Opened, Sampling
from vqa2cli.video.memory import keep_freed
from vqa2cli.video.pixels import PictureMaker, foreign_matrix, rotation_of
from vqa2cli.video.probe import why_no_frame
from vqa2cli.video.scan import Scan, facts_of, media_of, scan_packets
from vqa2cli.video.sources import Source
from vqa2cli.video.stalling import Stalling
from vqa2cli.video.windows import Windows

if TYPE_CHECKING:
    import av

    from vqa2cli.video.measures.track import MeasureTrack

__all__ = ["decode_clip", "fragment_view"]

#: A clip this much shorter than its header says, as a share and in seconds, lost its end.
SHORT_SHARE, SHORT_S = 0.10, 0.5


def decode_clip(
    source: Source, sampling: Sampling, max_seconds: float = MAX_SECONDS
) -> Iterator[ClipEvent]:
    """Yield Opened, each window's KeyFrames, MotionFrames and WindowEnd, then Closed.

    Times are seconds since the first presented frame. Memory does not grow with the length
    of the clip, nor with that of a window.

    Args:
        source: a regular file, or a rendition of segments; a still image is a clip of one
            frame.
        sampling: what to keep of it.
        max_seconds: limit of the time spent in here, not counting the consumer's.

    Raises:
        VideoError: the file cannot be scored; its `kind` says why.
    """
    clip = _Clip(source, sampling, max_seconds)
    for event in clip.events():
        handed_over = time.monotonic()
        yield event
        clip.forgive(time.monotonic() - handed_over)


class _Clip:
    """The state of one pass over one clip."""

    def __init__(self, source: Source, sampling: Sampling, max_seconds: float) -> None:
        self._source, self._sampling = source, sampling
        self._started = time.monotonic()
        self._max_seconds = max_seconds
        self._make = PictureMaker(sampling)
        watching = sampling.find_stalls or sampling.measure or sampling.marks
        self._watch = _Watch(sampling) if watching else None
        self._times = array("d")
        self._interlaced = 0
        self._sizes: dict[tuple[int, int], None] = {}
        self._foreign_matrix: int | None = None

    def forgive(self, seconds: float) -> None:
        """Leave out of our time what the consumer took."""
        self._started += seconds

    @property
    def _spent_s(self) -> float:
        return time.monotonic() - self._started

    def events(self) -> Iterator[ClipEvent]:
        """Yield the clip's events.

        Raises:
            VideoError: as `decode_clip`.
        """
        scan = scan_packets(self._source)
        reader = FrameReader(self._source, scan, self._check_time)
        windows = Windows(self._sampling, float(scan.fps), scan.duration_s)
        media: MediaInfo | None = None
        hold_s: float | None = None
        for frame in reader:
            if media is None:
                media = media_of(scan, frame.picture, rotation_of(frame.picture))
                yield Opened(media, facts_of(scan, media))
            yield from self._sample(frame, windows)
            hold_s = frame.hold_s
            if self._sampling.facts_only:
                break
        if media is None:
            raise why_no_frame(self._source)
        end_s = self._times[-1] + (hold_s or 1 / float(scan.fps))
        yield from windows.finish(end_s)
        yield self._closed(scan, media, end_s, tuple(reader.damage.warnings()))

    def _check_time(self) -> None:
        if self._spent_s > self._max_seconds:
            raise VideoError(
                "timeout", f"{self._source.name}: decoding took longer than {self._max_seconds:g} s"
            )

    def _sample(self, frame: TimedFrame, windows: Windows) -> Iterator[ClipEvent]:
        """Make what the window wants of one frame, and note its time, size and stall."""
        yield from windows.begin(frame.pts_s)
        key, motion = self._pictures(frame.picture, windows)
        yield from windows.add(frame.pts_s, key, motion)
        self._times.append(frame.pts_s)
        self._sizes[frame.picture.width, frame.picture.height] = None
        self._interlaced += frame.picture.interlaced_frame
        self._foreign_matrix = foreign_matrix(frame.picture) or self._foreign_matrix
        if self._watch is not None:
            self._watch.add(frame.picture, frame.pts_s)

    def _pictures(
        self, picture: av.VideoFrame, windows: Windows
    ) -> tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None]:
        """Return the key and the motion picture of a frame, each None where not wanted."""
        sampling, make = self._sampling, self._make
        key = motion = shown = None
        if sampling.resize == "pil" and (windows.wants_key or windows.wants_motion):
            shown = make.shown(picture)
        if windows.wants_motion:
            motion = make.squashed(picture, shown, "motion")
        if not windows.wants_key:
            return None, motion
        if sampling.fragments is not None:
            shown = make.shown(picture) if shown is None else shown
            key = fragment_view(shown, sampling.fragments, windows.key_ordinal)
        elif motion is not None and self._same_squash:
            key = motion
        else:
            key = make.squashed(picture, shown, "key")
        return key, motion

    @property
    def _same_squash(self) -> bool:
        sampling = self._sampling
        straight = sampling.resize == "pil" or sampling.display is None
        return straight and sampling.keyframe_size == sampling.motion_size

    def _closed(
        self, scan: Scan, media: MediaInfo, end_s: float, damage: tuple[str, ...]
    ) -> Closed:
        final = replace(media, duration=end_s, nb_frames_decoded=len(self._times))
        seen = self._watch.close(end_s, scan, final) if self._watch else _Seen()
        return Closed(
            media=final,
            facts=facts_of(scan, final),
            warnings=damage + tuple(self._remarks(scan, final, end_s)),
            pts_s=np.array(self._times, np.float64),
            stalling=seen.stalling,
            stalled=seen.stalled,
            decode_s=self._spent_s,
            marks=seen.marks,
            measures=seen.measures,
        )

    def _remarks(self, scan: Scan, media: MediaInfo, end_s: float) -> Iterator[str]:
        declared = scan.declared_s
        if declared and declared - end_s > max(SHORT_S, SHORT_SHARE * declared):
            yield f"only {end_s:.2f} s of the {declared:.2f} s the file declares could be decoded"
        if len(self._sizes) > 1:
            sizes = ", ".join(f"{width}x{height}" for width, height in self._sizes)
            yield f"the frame size changes within the clip: {sizes}"
        if self._interlaced:
            yield f"{self._interlaced} interlaced frames are shown as they are, both fields at once"
        if self._foreign_matrix is not None:
            yield f"colours are approximate: matrix {self._foreign_matrix} (ITU-T H.273) is unknown"
        if media.color_transfer in HDR:
            yield f"HDR ({HDR[media.color_transfer]}) pictures are shown without tone mapping"


@dataclass(frozen=True)
class _Seen:
    """What listeners made of a clip; None where they were not asked."""

    stalling: Stalling | None = None
    stalled: NDArray[np.uint8] | None = None
    measures: SignalMeasures | None = None
    marks: Marks | None = None


class _Watch:
    """Feeds the stall track, the measures and the marks, each only when it is wanted.

    All look at the same sparse samples of a frame, which are taken once.
    """

    def __init__(self, sampling: Sampling) -> None:
        from vqa2cli.video.stalls import StallTrack, luma_of

        keep_freed()
        self._samples_of = luma_of
        self._stalls = StallTrack(sampling.min_stall_s) if sampling.find_stalls else None
        self._measures = _measure_track() if sampling.measure else None
        self._marks = MarkTrack() if sampling.marks else None

    def add(self, picture: av.VideoFrame, pts_s: float) -> None:
        samples = self._samples_of(picture)
        if self._stalls is not None:
            self._stalls.add(samples, pts_s, bool(picture.key_frame))
        if self._measures is not None:
            self._measures.add(picture, samples, pts_s)
        if self._marks is not None:
            self._marks.add(picture, samples, pts_s)

    def close(self, end_s: float, scan: Scan, media: MediaInfo) -> _Seen:
        stalling, stalled = self._stalls.close(end_s) if self._stalls else (None, None)
        pixels = media.width * media.height
        measures = self._measures.close(end_s, scan.cells, pixels) if self._measures else None
        marks = self._marks.close(end_s) if self._marks else None
        return _Seen(stalling, stalled, measures, marks)


def _measure_track() -> MeasureTrack:
    from vqa2cli.video.measures.track import MeasureTrack

    return MeasureTrack()
