"""Every frame of a clip in presentation order, with its time, and an account of the damage.

Undamaged video decodes to the same bytes on any number of threads; damaged video does not
(14 of 848 real clips, all damaged: RELIABILITY F9). So decoding starts threaded, and at the
first sign of damage starts again on one thread, passing over the frames already handed out:
those came before the damage and are the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vqa2cli.video.probe import open_video
from vqa2cli.video.scan import CLOCK_RESTART_S, Scan
from vqa2cli.video.sources import Joined, Source, runs_of

#: Decoding threads of one clip: more gain little and hold a picture each.
MAX_THREADS = 4

#: Codecs whose sound streams hold packets that show nothing (alternate reference frames).
_HIDES_PACKETS = frozenset({"vp8", "vp9", "av1"})


#: A picture, its time and how long it stays, seconds; None where the file does not say.
Timed = tuple[av.VideoFrame, float | None, float | None]


@dataclass(frozen=True)
class TimedFrame:
    """A frame, its time in seconds since the first one, and how long it says it stays."""

    picture: av.VideoFrame
    pts_s: float
    hold_s: float | None


@dataclass
class Damage:
    """What went wrong so far; counts are exact because damaged files use one thread."""

    packets: int = 0
    frames: int = 0
    cut_off: str | None = None

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each kind of damage met."""
        if self.packets:
            yield f"{self.packets} packet{_s(self.packets)} could not be decoded"
        if self.frames:
            yield f"damage shows in {self.frames} decoded frame{_s(self.frames)}"
        if self.cut_off:
            yield f"reading stopped early at a damaged place in the file ({self.cut_off})"


def _s(count: int) -> str:
    return "" if count == 1 else "s"


class _Damaged(Exception):
    """Threaded decoding met damage."""


class FrameReader:
    """Iterates over a scanned file's frames once; `damage` is complete afterwards."""

    def __init__(self, source: Source, scan: Scan, check_time: Callable[[], None]) -> None:
        self._source, self._scan, self._check_time = source, scan, check_time
        self.damage = Damage()

    def __iter__(self) -> Iterator[TimedFrame]:
        """Yield the frames.

        Raises:
            VideoError: the file cannot be opened; and whatever `check_time` raises, which is
                called before each frame.
        """
        return _on_one_clock(self._pictures(), float(self._scan.fps))

    def _pictures(self) -> Iterator[Timed]:
        done = 0
        if not self._scan.suspect:
            try:
                for picture in self._pass(threads=min(MAX_THREADS, os.cpu_count() or 1)):
                    yield picture
                    done += 1
            except _Damaged:
                pass
            else:
                return
        yield from islice(self._pass(threads=1), done, None)

    def _pass(self, threads: int) -> Iterator[Timed]:
        """Decode the source from its start; with several threads stop at the first damage."""
        self.damage = Damage()
        count = 0
        for timed in self._runs(threads):
            if timed[0].is_corrupt:
                self.damage.frames += 1
            if threads > 1 and self.damage != Damage():
                raise _Damaged
            self._check_time()
            count += 1
            yield timed
        if threads > 1 and (self.damage != Damage() or self._lost_frames(count)):
            raise _Damaged

    def _runs(self, threads: int) -> Iterator[Timed]:
        """Decode every run; each goes on where the clock of the one before it stopped."""
        end: float | None = None
        for run in runs_of(self._source):
            shift = None if end is not None else 0.0
            for picture, pts, hold in self._run(run, threads):
                if pts is not None:
                    shift = (end or 0.0) - pts if shift is None else shift
                    pts += shift
                    end = max(end or pts, pts + (hold or 1 / float(self._scan.fps)))
                yield picture, pts, hold

    def _run(self, run: Path | Joined, threads: int) -> Iterator[Timed]:
        """Decode one file or run of segments, on its own clock."""
        with open_video(run) as (container, stream):
            context = stream.codec_context
            context.thread_type = "AUTO" if threads > 1 else "NONE"
            context.thread_count = threads
            seconds = float(stream.time_base or 1)
            for picture in self._decoded(container, stream):
                pts = None if picture.pts is None else picture.pts * seconds
                yield picture, pts, picture.duration * seconds if picture.duration else None

    def _lost_frames(self, count: int) -> bool:
        """Return whether packets went without a picture, as they do when an error is swallowed.

        PyAV drops an error that follows good frames of the same call, and with it, at the
        end of the stream, every frame behind it.
        """
        codec = self._scan.media.codec_name
        return count < self._scan.packets and codec not in _HIDES_PACKETS

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
        packets = self._packets(container, stream)
        for packet in packets:
            # Empty packets repeat the last picture; the decoder would take them for an error.
            if packet.size:
                yield from self._decode(stream, packet)
        yield from self._decode(stream, None)  # also after a read error: frames are waiting

    def _packets(
        self, container: InputContainer, stream: VideoStream
    ) -> Iterator[av.Packet[VideoStream]]:
        try:
            yield from container.demux(stream)
        except av.FFmpegError as error:
            self.damage.cut_off = error.strerror or type(error).__name__

    def _decode(
        self, stream: VideoStream, packet: av.Packet[VideoStream] | None
    ) -> list[av.VideoFrame]:
        try:
            return stream.codec_context.decode(packet)
        except av.FFmpegError:
            self.damage.packets += 1
            return []


def _on_one_clock(pictures: Iterator[Timed], fps: float) -> Iterator[TimedFrame]:
    """Yield the pictures with times that start at 0 and never go back.

    A missing time is one frame after the last; a clock that starts anew goes on from there.
    """
    shift: float | None = None
    last = 0.0
    for picture, pts, hold in pictures:
        after = last + 1 / fps
        if shift is None:
            shift, now = pts or 0.0, 0.0
        elif pts is None:
            now = after
        elif pts - shift < last - CLOCK_RESTART_S:
            shift, now = pts - after, after
        else:
            now = max(pts - shift, last)
        last = now
        yield TimedFrame(picture, now, hold)
