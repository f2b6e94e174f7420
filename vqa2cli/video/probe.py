"""Open a video file safely and learn, from its packets alone, what it holds.

FFmpeg opens a great deal more than video files: playlists that name other files or hosts,
text, pipes, names that read as protocols. Only regular files in known containers pass here.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vqa2cli.config import MAX_PIXELS
from vqa2cli.errors import VideoError
from vqa2cli.video.encryption import has_encrypted_video_track
from vqa2cli.video.media import MediaInfo, StreamFacts

#: Demuxers that may run. Left out on purpose: hls, dash, concat, sdp, rtp, lavfi, tty and
#: every device, because they read text or other files. Audio containers only let a file
#: with no video say so.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,ivf,obu,h264,"
    "hevc,vvc,evc,av1,m4v,h261,h263,mjpeg,mjpeg_2000,dirac,dnxhd,vc1,vc1test,avs2,avs3,cavsvideo,"
    "mxf,gxf,asf,rm,wtv,nut,nsv,dv,yuv4mpegpipe,ogg,roq,smk,bink,gif,apng,png_pipe,jpeg_pipe,"
    "jpegls_pipe,jpegxl_pipe,jpegxl_anim,webp_pipe,bmp_pipe,tiff_pipe,ppm_pipe,pgm_pipe,"
    "pam_pipe,exr_pipe,dpx_pipe,qoi_pipe,psd_pipe,dds_pipe,ico,image2,mp3,flac,wav,aac,"
)

#: `pattern_type` keeps the still-image reader from expanding `%03d` and `*` in a name.
_OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": FORMATS,
    "max_pixels": str(MAX_PIXELS),
    "pattern_type": "none",
}

_NOT_MOVING = Disposition.attached_pic | Disposition.timed_thumbnails

#: A declared frame rate is believed when the packets confirm it this closely.
RATE_TOLERANCE = 0.10

#: Clocks that step back further than this, seconds, have started anew (spliced streams).
CLOCK_RESTART_S = 0.1

#: Frame rate of a stream that declares none and shows none (a raw stream, one frame).
FALLBACK_RATE = Fraction(25)


@contextmanager
def ffmpeg_errors(path: Path) -> Iterator[None]:
    """Turn whatever FFmpeg raises inside into the `VideoError` it stands for."""
    try:
        yield
    except av.error.PermissionError as error:
        raise VideoError(
            "encrypted", f"{path.name}: the file is protected; score an unprotected copy"
        ) from error
    except av.error.MemoryError as error:
        raise VideoError("too_large", f"{path.name}: decoding ran out of memory") from error
    except av.error.OSError as error:
        raise VideoError(
            "unreadable",
            f"{path.name}: reading failed ({error.strerror}); the file or its disk is damaged",
        ) from error
    except av.FFmpegError as error:
        raise VideoError(
            "not_video",
            f"{path.name}: not a video in a known container ({error.strerror}); "
            "playlists, text and lone subtitles are refused",
        ) from error


def check_regular_file(path: Path) -> None:
    """Check that `path` is a readable, regular, non-empty file.

    Raises:
        VideoError: not_found, unreadable, not_regular or not_video (empty).
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise VideoError("not_found", f"{path}: no such file") from error
    except (OSError, ValueError) as error:
        raise VideoError("unreadable", f"{path}: cannot be reached ({error})") from error
    if not stat.S_ISREG(found.st_mode):
        raise VideoError("not_regular", f"{path}: not a regular file; give a video file")
    if not os.access(path, os.R_OK):
        raise VideoError("unreadable", f"{path}: no permission to read it")
    if found.st_size == 0:
        raise VideoError("not_video", f"{path.name}: the file is empty")


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open `path` and its first moving video stream, behind every guard.

    Raises:
        VideoError: the file is no regular file, no known container, protected, or holds no
            video stream that we can decode.
    """
    check_regular_file(path)
    with ffmpeg_errors(path):
        # An absolute path behind "file:" can never be read as another protocol.
        # Titles in Latin-1 are common and no reason to refuse a clip.
        container = av.open(
            "file:" + os.path.abspath(path), options=_OPEN_OPTIONS, metadata_errors="replace"
        )
    with container:
        if has_encrypted_video_track(path):
            raise _encrypted(path)
        stream = _moving_stream(container, path)
        # Probing obeys the option above, decoding only this one.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        yield container, stream


def _moving_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first video stream that is not cover art.

    Raises:
        VideoError: no_video, or not_video where no decoder knows the stream.
    """
    streams = [s for s in container.streams.video if not s.disposition & _NOT_MOVING]
    if not streams:
        covers = len(container.streams.video)
        kinds = sorted({str(s.type) for s in container.streams if s.type})
        found = "cover art only" if covers else f"found: {', '.join(kinds) or 'no stream at all'}"
        raise VideoError("no_video", f"{path.name}: no video stream ({found})")
    stream = streams[0]
    # The stubs promise a context; streams of unknown codecs have none.
    if getattr(stream, "codec_context", None) is None:
        raise VideoError("not_video", f"{path.name}: no decoder for its video stream")
    return stream


def _encrypted(path: Path) -> VideoError:
    return VideoError("encrypted", f"{path.name}: the video is encrypted; score a decrypted copy")


@dataclass(frozen=True)
class Scan:
    """What the packets of one video stream say, before any is decoded.

    `fps` is the declared average rate where the packets confirm it within 10 %, else the
    measured one; `duration_s` runs from the first presented frame to the end of the last.
    `suspect` means that packets are marked damaged or reading stopped at an error.
    """

    media: MediaInfo
    packets: int
    keyframes: int
    total_bytes: int
    duration_s: float
    declared_s: float | None
    fps: Fraction
    suspect: bool


def scan_packets(path: Path) -> Scan:
    """Read every packet of `path` without decoding and return what they add up to.

    Raises:
        VideoError: the file cannot be opened (see `open_video`), is encrypted, or holds no
            packet of video.
    """
    with open_video(path) as (container, stream):
        tally = _Tally(float(stream.time_base or Fraction(1, 90000)))
        try:
            for packet in container.demux(stream):
                if packet.has_sidedata("encryption_info"):
                    raise _encrypted(path)
                tally.add(packet)
        except av.FFmpegError:
            tally.suspect = True
        if not tally.packets:
            raise VideoError("corrupt", f"{path.name}: the video stream holds no frame")
        return _summary(container, stream, tally)


class _Tally:
    """Counts packets, and measures the presented time across restarts of the clock."""

    def __init__(self, time_base: float) -> None:
        self.time_base = time_base
        self.packets = self.keyframes = self.total_bytes = self.timed = 0
        self.suspect = False
        self._closed_s = 0.0  # time of the runs before the present one
        self._last_dts: int | None = None
        self._run: tuple[int, int, int] | None = None  # first pts, last pts, end of the last

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Count one packet; empty ones and those cut off by an edit list show nothing."""
        if packet.size == 0 or packet.is_discard:
            return
        self.packets += 1
        self.keyframes += packet.is_keyframe
        self.total_bytes += packet.size
        self.suspect |= packet.is_corrupt
        self._restart_on_jump(packet.dts)
        if packet.pts is None:
            return
        self.timed += 1
        end = packet.pts + max(packet.duration or 0, 0)
        first, last, run_end = self._run or (packet.pts, packet.pts, end)
        self._run = (min(first, packet.pts), max(last, packet.pts), max(run_end, end))

    def _restart_on_jump(self, dts: int | None) -> None:
        if dts is None:
            return
        back = 0 if self._last_dts is None else self._last_dts - dts
        if back * self.time_base > CLOCK_RESTART_S and self._run is not None:
            self._closed_s += (self._run[2] - self._run[0]) * self.time_base
            self._run = None
        self._last_dts = dts

    @property
    def span_s(self) -> float:
        """Seconds from the first to the last timestamp, without the last frame's own."""
        first, last, _ = self._run or (0, 0, 0)
        return self._closed_s + (last - first) * self.time_base

    @property
    def tail_s(self) -> float:
        """Seconds the last frame stays on screen, as far as its packet says."""
        _, last, end = self._run or (0, 0, 0)
        return (end - last) * self.time_base


def _summary(container: InputContainer, stream: VideoStream, tally: _Tally) -> Scan:
    fps = _believed_rate(stream, tally)
    untimed = tally.timed < 2
    duration = tally.packets / float(fps) if untimed else tally.span_s
    if not untimed:
        duration += tally.tail_s or 1 / float(fps)
    context = stream.codec_context
    media = MediaInfo(
        width=context.width,
        height=context.height,
        avg_frame_rate=f"{fps.numerator}/{fps.denominator}",
        duration=duration,
        bit_rate=round(8 * tally.total_bytes / duration) if duration > 0 else None,
        codec_name=context.codec.canonical_name,
        pix_fmt=context.pix_fmt,
        color_transfer=transfer_name(context.color_trc),
        rotation=0,
        nb_frames_decoded=0,
    )
    return Scan(
        media=media,
        packets=tally.packets,
        keyframes=tally.keyframes,
        total_bytes=tally.total_bytes,
        duration_s=duration,
        declared_s=_declared_s(container, stream),
        fps=fps,
        suspect=tally.suspect,
    )


def _believed_rate(stream: VideoStream, tally: _Tally) -> Fraction:
    declared = stream.average_rate or stream.guessed_rate or None
    if tally.timed < 2 or tally.span_s <= 0:
        return declared or FALLBACK_RATE
    measured = (tally.timed - 1) / tally.span_s
    if declared and abs(float(declared) - measured) <= RATE_TOLERANCE * measured:
        return declared
    return Fraction(measured).limit_denominator(1001) or Fraction(measured)


def _declared_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def facts_of(scan: Scan, media: MediaInfo) -> StreamFacts:
    """Return the encode facts of a scanned file whose pictures are as `media` says."""
    frames = media.nb_frames_decoded or scan.packets
    pixels = media.width * media.height * frames
    turned = media.rotation in (90, 270)
    width, height = (media.height, media.width) if turned else (media.width, media.height)
    return StreamFacts(
        codec=media.codec_name,
        bits_per_pixel=8 * scan.total_bytes / pixels if pixels else None,
        width=width,
        height=height,
        fps=float(scan.fps),
    )


def media_of(scan: Scan, frame: av.VideoFrame, rotation: int) -> MediaInfo:
    """Return the facts of `scan` corrected by the first decoded frame."""
    return replace(
        scan.media,
        width=frame.width,
        height=frame.height,
        pix_fmt=frame.format.name,
        color_transfer=transfer_name(frame.color_trc) or scan.media.color_transfer,
        rotation=rotation,
    )


def transfer_name(code: int) -> str | None:
    """Return ffprobe's name of a transfer characteristic, None where it is not given."""
    return _TRANSFERS.get(int(code))


#: ITU-T H.273 transfer characteristics under ffprobe's names.
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}


def why_no_frame(path: Path) -> VideoError:
    """Return the error of a file that opened and yielded no frame, named as best we can.

    The picture size that broke the pixel limit stands only in FFmpeg's log, so the first
    packets are decoded once more with the log on.
    """
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as log, open_video(path) as (container, stream):
            stream.codec_context.thread_type = "NONE"
            _try_packets(container, stream, limit=8)
    finally:
        av.logging.set_level(level)
    text = " ".join(message for _, _, message in log)
    size = re.search(r"[Pp]icture size (\d+x\d+)", text)
    if size:
        return VideoError(
            "too_large", f"{path.name}: frames of {size[1]} pixels are over the limit"
        )
    return VideoError("corrupt", f"{path.name}: no frame could be decoded")


def _try_packets(container: InputContainer, stream: VideoStream, limit: int) -> None:
    try:
        for index, packet in enumerate(container.demux(stream)):
            if index >= limit or not packet.size:
                return
            packet.decode()
    except av.FFmpegError:
        return  # the log says why
