"""DASH presentations (ISO/IEC 23009-1) as renditions of local segments.

Every period is a run of its own, and representations of different periods go together by
their id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

from mpegdash.nodes import MPEGDASH
from mpegdash.utils import parse_child_nodes

from vqa2cli.errors import VideoError
from vqa2cli.video.media import DeclaredFacts
from vqa2cli.video.playlists.dash_segments import Addresses, duration_seconds, segments_of
from vqa2cli.video.playlists.local import Folder
from vqa2cli.video.playlists.rungs import rung_names
from vqa2cli.video.sources import Extent, Joined, Rendition, rung_name


def dash_renditions(path: Path) -> list[Rendition]:
    """Return the video representations of a DASH presentation, lowest bandwidth first.

    Raises:
        VideoError: it is no presentation, names what may not or cannot be read, is
            encrypted, or holds no picture.
    """
    folder = Folder(path)
    mpd = _parsed(folder, path)
    rungs: dict[str, list[_Found]] = {}
    for number, period in enumerate(mpd.periods or []):
        for found in _videos(folder, path, mpd, number, period):
            rungs.setdefault(found.id, []).append(found)
    if not rungs:
        raise folder.refuse("no representation with a picture")
    periods = len({found.period for parts in rungs.values() for found in parts})
    ladder = sorted(rungs.values(), key=lambda parts: parts[0].declared.bandwidth or 0)
    names = rung_names([parts[0].declared for parts in ladder])
    remarks = ("the presentation is live: only the segments that it lists now were read",)
    renditions = []
    for name, parts in zip(names, ladder, strict=True):
        if len(parts) != periods:
            raise folder.refuse(f"representation {parts[0].id!r} is not once in every period")
        runs = tuple(Joined(rung_name(path.name, name), part.extents) for part in parts)
        live = mpd.type == "dynamic"
        renditions.append(Rendition(path, name, runs, parts[0].declared, remarks if live else ()))
    return renditions


@dataclass(frozen=True)
class _Found:
    """One representation in one period."""

    id: str
    period: int
    declared: DeclaredFacts
    extents: tuple[Extent, ...]


def _parsed(folder: Folder, path: Path) -> Any:
    """Return the parsed presentation; only its text is handed over, so nothing is fetched."""
    text = folder.text(path)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise folder.refuse("holds a document type; a DASH presentation has none")
    try:
        nodes = parse_child_nodes(minidom.parseString(text.encode()), "MPD", MPEGDASH)
    except (ExpatError, ValueError, TypeError, AttributeError, LookupError) as error:
        # The parser lets whatever a malformed attribute causes through.
        raise folder.refuse(f"cannot be read as a DASH presentation ({error})") from error
    if not nodes:
        raise folder.refuse("is XML, but no DASH presentation (MPD)")
    return nodes[0]


def _videos(folder: Folder, path: Path, mpd: Any, number: int, period: Any) -> Iterator[_Found]:
    """Yield the representations of one period that show a picture."""
    length = period.duration or (mpd.media_presentation_duration if len(mpd.periods) == 1 else None)
    length_s = duration_seconds(folder, length)
    for group in period.adaptation_sets or []:
        for representation in group.representations or []:
            if not _is_video(group, representation):
                continue
            levels = (mpd, period, group, representation)
            if any(getattr(level, "content_protections", None) for level in levels):
                raise VideoError(
                    "encrypted",
                    f"{folder.name}: it is encrypted (ContentProtection); score a clear copy",
                )
            addresses = Addresses(folder, _base(folder, levels), levels, length_s)
            yield _Found(
                representation.id or "",
                number,
                _declared(group, representation),
                tuple(segments_of(addresses)),
            )


def _is_video(group: Any, representation: Any) -> bool:
    mime = representation.mime_type or group.mime_type or ""
    return group.content_type == "video" or mime.startswith("video/")


def _declared(group: Any, representation: Any) -> DeclaredFacts:
    rate = representation.frame_rate or group.frame_rate
    try:
        frame_rate = float(Fraction(rate)) if rate else None
    except (ValueError, ZeroDivisionError):
        frame_rate = None
    return DeclaredFacts(
        bandwidth=representation.bandwidth,
        width=representation.width or group.width,
        height=representation.height or group.height,
        frame_rate=frame_rate,
        codecs=representation.codecs or group.codecs,
    )


def _base(folder: Folder, levels: Sequence[Any]) -> str:
    """Return what all addresses begin with: the first BaseURL of each level, joined.

    Raises:
        VideoError: one of them is not a relative address.
    """
    base = ""
    for level in levels:
        urls = getattr(level, "base_urls", None)
        url = (urls[0].base_url_value or "").strip() if urls else ""
        if url:
            folder.check_relative(url)
            base = base.rpartition("/")[0] + "/" + url if "/" in base else url
    return base
