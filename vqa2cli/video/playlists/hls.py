"""HLS playlists (RFC 8216) as renditions of local segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import m3u8

from vqa2cli.errors import VideoError
from vqa2cli.video.media import DeclaredFacts
from vqa2cli.video.playlists.local import MAX_SEGMENTS, Folder
from vqa2cli.video.playlists.rungs import rung_names
from vqa2cli.video.sources import Extent, Joined, Rendition, rung_name

#: Codec prefixes (RFC 6381) of sound and text: a variant of these alone has no picture.
_NO_PICTURE = ("mp4a", "ac-3", "ec-3", "ac-4", "opus", "flac", "fLaC", "stpp", "wvtt", "mp3")


def hls_renditions(path: Path) -> list[Rendition]:
    """Return the rungs of a multivariant playlist, or the one of a media playlist.

    Raises:
        VideoError: it is no playlist, names what may not or cannot be read, is encrypted, or
            holds no picture.
    """
    folder = Folder(path)
    playlist = _parsed(folder, path)
    if not playlist.is_variant:
        runs, remarks, peak = _runs(folder, path, playlist, path.name)
        return [Rendition(path, "", runs, DeclaredFacts(), remarks, peak)]
    if any(key and key.method != "NONE" for key in playlist.session_keys):
        raise _encrypted(folder)
    rungs = _variants(folder, path, playlist)
    names = rung_names([declared for _, declared in rungs])
    found = []
    for name, (media, declared) in zip(names, rungs, strict=True):
        child = _parsed(folder, media)
        if child.is_variant:
            raise folder.refuse(f"{media.name} is a multivariant playlist inside another")
        runs, remarks, peak = _runs(folder, media, child, rung_name(path.name, name))
        found.append(Rendition(path, name, runs, declared, remarks, peak))
    return found


def _parsed(folder: Folder, path: Path) -> Any:
    """Return the parsed playlist; only its text is handed over, so nothing is fetched."""
    text = folder.text(path)
    if not text.lstrip().startswith("#EXTM3U"):
        raise folder.refuse(f"{path.name} does not begin with #EXTM3U")
    try:
        return m3u8.loads(text)
    except (ValueError, LookupError, TypeError, AttributeError, m3u8.ParseError) as error:
        # The parser lets whatever a malformed line causes through.
        raise folder.refuse(f"{path.name} cannot be read as a playlist ({error})") from error


def _variants(folder: Folder, path: Path, playlist: Any) -> list[tuple[Path, DeclaredFacts]]:
    """Return the media playlist and the facts of each rung with a picture, each file once."""
    rungs: dict[Path, DeclaredFacts] = {}
    for variant in playlist.playlists:
        info = variant.stream_info
        width, height = info.resolution or (None, None)
        codecs = [codec.strip() for codec in (info.codecs or "").split(",") if codec.strip()]
        if not height and codecs and all(codec.startswith(_NO_PICTURE) for codec in codecs):
            continue
        media = folder.file(variant.uri or "", path.parent)
        rungs.setdefault(
            media,
            DeclaredFacts(
                bandwidth=info.bandwidth,
                average_bandwidth=info.average_bandwidth,
                width=width,
                height=height,
                frame_rate=info.frame_rate,
                codecs=info.codecs,
            ),
        )
    if not rungs:
        raise folder.refuse("no variant with a picture")
    return list(rungs.items())


def _runs(
    folder: Folder, path: Path, playlist: Any, name: str
) -> tuple[tuple[Joined, ...], tuple[str, ...], int | None]:
    """Return the segments of a media playlist, cut at discontinuities, remarks, and the peak."""
    segments = [segment for segment in playlist.segments if segment.uri]
    present = [segment for segment in segments if not segment.gap_tag]
    if playlist.is_i_frames_only:
        raise folder.refuse(f"{path.name} holds I-frames only; name the playlist of a rung")
    if not present:
        raise folder.refuse(f"{path.name} names no segment")
    if len(present) > MAX_SEGMENTS:
        raise folder.refuse(f"{path.name} names over {MAX_SEGMENTS} segments")
    if any(segment.key and segment.key.method != "NONE" for segment in present):
        raise _encrypted(folder)
    reader = _Segments(folder, path.parent)
    runs = tuple(Joined(name, tuple(run)) for run in reader.runs(present))
    peak = peak_bit_rate(reader.sizes, float(playlist.target_duration or 0))
    return runs, tuple(_remarks(playlist, len(segments) - len(present))), peak


def peak_bit_rate(segments: Sequence[tuple[float, int]], target_s: float) -> int | None:
    """Return the highest bit rate of any run of segments, bits a second.

    A run lasts from half to one and a half target durations (RFC 8216, section 4.1: peak segment
    bit rate). None where no run does.

    Args:
        segments: seconds and bytes of each, in order.
    """
    peak = 0.0
    for first in range(len(segments)):
        seconds, size = 0.0, 0
        for length_s, length in segments[first:]:
            seconds, size = seconds + length_s, size + length
            if seconds > 1.5 * target_s:
                break
            if seconds > 0 and seconds >= 0.5 * target_s:
                peak = max(peak, 8 * size / seconds)
    return round(peak) or None


def _remarks(playlist: Any, gaps: int) -> Iterable[str]:
    if not playlist.is_endlist:
        yield "the playlist has no EXT-X-ENDLIST: only the segments that it lists now were read"
    if gaps:
        yield f"{gaps} segment{'s' if gaps > 1 else ''} marked EXT-X-GAP left out"


class _Segments:
    """Resolves segments one after the other, because byte ranges may go on from the last."""

    def __init__(self, folder: Folder, base: Path) -> None:
        self._folder, self._base = folder, base
        self._range_ends: dict[Path, int] = {}
        #: Seconds and bytes of each segment taken, init segments left out.
        self.sizes: list[tuple[float, int]] = []

    def runs(self, segments: Iterable[Any]) -> list[list[Extent]]:
        """Return the extents of each run, led by its init segment where it has one."""
        runs: list[list[Extent]] = []
        header: Extent | None = None
        for segment in segments:
            init = segment.init_section
            found = self._extent(init.uri, init.byterange) if init else None
            if not runs or segment.discontinuity or found != header:
                runs.append([found] if found else [])
                header = found
            extent = self._extent(segment.uri, segment.byterange)
            runs[-1].append(extent)
            self.sizes.append((float(segment.duration or 0.0), extent.length))
        return runs

    def _extent(self, uri: str | None, byterange: str | None) -> Extent:
        path = self._folder.file(uri or "", self._base)
        if not byterange:
            return self._folder.extent(path, None)
        length, _, start = byterange.partition("@")
        if not length.isdecimal() or (start and not start.isdecimal()):
            raise self._folder.refuse(f"{byterange!r} is no byte range")
        first = int(start) if start else self._range_ends.get(path, 0)
        self._range_ends[path] = first + int(length)
        return self._folder.extent(path, (first, int(length)))


def _encrypted(folder: Folder) -> VideoError:
    return VideoError(
        "encrypted", f"{folder.name}: its segments are encrypted (EXT-X-KEY); score a clear copy"
    )
