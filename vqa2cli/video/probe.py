"""Open a video file safely, or say why not.

FFmpeg opens a great deal more than video files: playlists that name other files or hosts,
text, pipes, names that read as protocols. Only regular files in known containers pass here.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import av
import av.logging
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from vqa2cli.config import MAX_PIXELS
from vqa2cli.errors import VideoError
from vqa2cli.video.encryption import has_encrypted_video_track
from vqa2cli.video.joined import JoinedFile
from vqa2cli.video.sources import Joined, Source, runs_of

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

#: Demuxers of the segments of a playlist.
SEGMENT_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,mpegts,matroska,webm"

#: Bytes fetched at a time from joined segments, each through a call into Python.
_JOINED_BUFFER = 2**18

#: `pattern_type` keeps the still-image reader from expanding `%03d` and `*` in a name.
_OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": FORMATS,
    "max_pixels": str(MAX_PIXELS),
    "pattern_type": "none",
}

#: With a whitelist that names no protocol at all, nothing but the segments can be read.
_JOINED_OPTIONS = {
    **_OPEN_OPTIONS,
    "protocol_whitelist": "none",
    "format_whitelist": SEGMENT_FORMATS,
}

_NOT_MOVING = Disposition.attached_pic | Disposition.timed_thumbnails


@contextmanager
def ffmpeg_errors(path: Path | Joined) -> Iterator[None]:
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
def open_video(path: Path | Joined) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open `path` and its first moving video stream, behind every guard.

    Raises:
        VideoError: the file is no regular file, no known container, protected, or holds no
            video stream that we can decode.
    """
    for part in [path] if isinstance(path, Path) else [extent.path for extent in path.extents]:
        check_regular_file(part)
    with JoinedFile(path) if isinstance(path, Joined) else path.open("rb") as file:
        protected = has_encrypted_video_track(cast(BinaryIO, file))
        file.seek(0)
        with ffmpeg_errors(path):
            container = _open(path, file)
        with container:
            if protected:
                raise encrypted(path)
            stream = _moving_stream(container, path)
            # Probing obeys the option above, decoding only this one.
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            yield container, stream


def _open(path: Path | Joined, file: io.RawIOBase | BinaryIO) -> InputContainer:
    """Return the container that `path` is, or that `file` holds where it is joined.

    Titles in Latin-1 are common and no reason to refuse a clip.
    """
    if isinstance(path, Joined):
        return av.open(
            file,
            "r",
            options=_JOINED_OPTIONS,
            metadata_errors="replace",
            buffer_size=_JOINED_BUFFER,
        )
    # An absolute path behind "file:" can never be read as another protocol.
    name = "file:" + os.path.abspath(path)
    return av.open(name, options=_OPEN_OPTIONS, metadata_errors="replace")


def _moving_stream(container: InputContainer, path: Path | Joined) -> VideoStream:
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


def encrypted(path: Path | Joined) -> VideoError:
    """Return the error of a file whose video is encrypted."""
    return VideoError("encrypted", f"{path.name}: the video is encrypted; score a decrypted copy")


def why_no_frame(source: Source) -> VideoError:
    """Return the error of a file that opened and yielded no frame, named as best we can.

    The picture size that broke the pixel limit stands only in FFmpeg's log, so the first
    packets are decoded once more with the log on.
    """
    path = runs_of(source)[0]
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
