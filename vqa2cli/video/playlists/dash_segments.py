"""The segments of one DASH representation: template, list, or one file."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from vqa2cli.errors import VideoError
from vqa2cli.video.playlists.local import MAX_SEGMENTS, Folder
from vqa2cli.video.sources import Extent

#: Share of a segment by which the declared length may reach into one that is not there:
#: presentations are as long as their sound, and sound is cut elsewhere.
_LAST_SHARE = 0.1


@dataclass(frozen=True)
class Addresses:
    """What a representation's segments are found with.

    `levels` are the presentation, the period, the adaptation set and the representation;
    `base` is what addresses begin with; `length_s` is that of the period, None if unknown.
    """

    folder: Folder
    base: str
    levels: tuple[Any, ...]
    length_s: float | None

    def nearest(self, name: str, field: str | None = None) -> Any:
        """Return element `name` of the innermost level that has it, or its `field`."""
        for level in reversed(self.levels):
            for element in getattr(level, name, None) or []:
                found = element if field is None else getattr(element, field)
                if found is not None:
                    return found
        return None

    def file(self, url: str) -> Path:
        """Return the local file of an address.

        Raises:
            VideoError: it may not or cannot be read.
        """
        self.folder.check_relative(url or self.base)
        head = self.base.rpartition("/")[0]
        joined = f"{head}/{url}" if url and head else url or self.base
        return self.folder.file(joined, self.folder.root)

    def extent(self, url: str, span: str | None) -> Extent:
        """Return the bytes of an address, `span` being `first-last` or None for all."""
        path = self.file(url)
        if not span:
            return self.folder.extent(path, None)
        match = re.fullmatch(r"(\d+)-(\d+)", span.strip(), re.ASCII)
        if not match:
            raise self.folder.refuse(f"{span!r} is no byte range")
        first, last = int(match[1]), int(match[2])
        return self.folder.extent(path, (first, last - first + 1))


def segments_of(addresses: Addresses) -> Iterator[Extent]:
    """Yield the init segment, if there is one, and the media segments in order.

    Raises:
        VideoError: one of them may not or cannot be read, or they are too many.
    """
    if addresses.nearest("segment_templates") is not None:
        yield from _templated(addresses)
    elif addresses.nearest("segment_lists") is not None:
        yield from _listed(addresses)
    else:  # a single file that holds its own header and index
        yield addresses.extent("", None)


def _listed(addresses: Addresses) -> Iterator[Extent]:
    for init in addresses.nearest("segment_lists", "initializations") or []:
        yield addresses.extent(init.source_url or "", init.range)
    urls = addresses.nearest("segment_lists", "segment_urls") or []
    if not urls or len(urls) > MAX_SEGMENTS:
        raise addresses.folder.refuse(f"a list of {len(urls)} segments")
    for url in urls:
        yield addresses.extent(url.media or "", url.media_range)


def _templated(addresses: Addresses) -> Iterator[Extent]:
    template = _Template(addresses)
    if template.initialization:
        yield addresses.extent(template.filled(template.initialization, 0, 0), None)
    if not template.media:
        raise addresses.folder.refuse("a segment template without media")
    places = list(islice(template.places(), MAX_SEGMENTS + 1))
    if not places or len(places) > MAX_SEGMENTS:
        raise addresses.folder.refuse(f"no segment, or over {MAX_SEGMENTS}")
    for index, (number, time) in enumerate(places):
        try:
            yield addresses.extent(template.filled(template.media, number, time), None)
        except VideoError as error:
            last = index and index == len(places) - 1
            if not (last and error.kind == "not_found" and template.last_is_a_rest):
                raise


class _Template:
    """A SegmentTemplate, each attribute from the innermost level that has it."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self.media = self._of("media")
        self.initialization = self._of("initialization")
        self.timescale = self._of("timescale") or 1
        self.duration = self._of("duration")
        self.first = 1 if self._of("start_number") is None else self._of("start_number")
        self.offset = self._of("presentation_time_offset") or 0

    def _of(self, field: str) -> Any:
        return self._addresses.nearest("segment_templates", field)

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield number and time, in units of the timescale, of each segment."""
        timelines = self._of("segment_timelines")
        if timelines:
            yield from enumerate(self._timeline(timelines[0].Ss or []), self.first)
            return
        for index in range(math.ceil(self._count - 1e-6)):
            yield self.first + index, self.offset + index * int(self.duration)

    @property
    def _count(self) -> float:
        """How many segments fill the period."""
        length_s = self._addresses.length_s
        if not self.duration or length_s is None:
            raise self._addresses.folder.refuse(
                "segments are counted by duration, but the duration or the period's is not given"
            )
        return float(length_s * self.timescale / self.duration)

    @property
    def last_is_a_rest(self) -> bool:
        """Whether the last segment would hold next to nothing, so that it may be missing."""
        if self._of("segment_timelines"):
            return False
        return 0 < self._count - math.floor(self._count) <= _LAST_SHARE

    def _timeline(self, spans: list[Any]) -> Iterator[int]:
        time = 0
        for index, span in enumerate(spans):
            time = time if span.t is None else span.t
            if not span.d or span.d < 0:
                raise self._addresses.folder.refuse("a segment without duration")
            repeats = span.r or 0
            if repeats < 0:
                repeats = math.ceil((self._end(spans, index) - time) / span.d) - 1
            for _ in range(repeats + 1):
                yield time
                time += span.d

    def _end(self, spans: list[Any], index: int) -> float:
        """Return where a span that repeats without number ends."""
        after = spans[index + 1].t if index + 1 < len(spans) else None
        if after is not None:
            return float(after)
        length_s = self._addresses.length_s
        if length_s is None:
            raise self._addresses.folder.refuse("segments repeat to an end that is not given")
        return length_s * self.timescale + self.offset

    def filled(self, pattern: str, number: int, time: int) -> str:
        """Return `pattern` with its identifiers filled in.

        Raises:
            VideoError: it holds an identifier that we do not know.
        """
        representation = self._addresses.levels[-1]
        values = {
            "RepresentationID": representation.id or "",
            "Number": number,
            "Time": time,
            "Bandwidth": representation.bandwidth or 0,
        }

        def value(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            if match[1] not in values:
                raise self._addresses.folder.refuse(f"{match[0]} in an address is unknown")
            found = values[match[1]]
            return f"{found:0{match[2]}d}" if match[2] and isinstance(found, int) else str(found)

        return re.sub(r"\$(?:([A-Za-z]+)(?:%0?(\d{1,2})d)?)?\$", value, pattern)


def duration_seconds(folder: Folder, text: str | None) -> float | None:
    """Return an xs:duration of days, hours, minutes and seconds in seconds.

    Raises:
        VideoError: it is no such duration.
    """
    if text is None:
        return None
    match = re.fullmatch(
        r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", text.strip(), re.ASCII
    )
    if not match or not any(match.groups()):
        raise folder.refuse(f"{text[:40]!r} is no duration")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
