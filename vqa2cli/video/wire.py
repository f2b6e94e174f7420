"""Clip events as bytes: a JSON header and the arrays' own memory, each with its length.

Nothing here can run code on reading, unlike pickle: the writer has decoded untrusted files.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.detail_track import Detail
from vqa2cli.video.marks import Marks
from vqa2cli.video.measures.records import SignalMeasures
from vqa2cli.video.media import (
    ClipEvent,
    Closed,
    FragmentGrid,
    KeyFrames,
    MediaInfo,
    MotionFrames,
    Opened,
    Sampling,
    StreamFacts,
    WindowEnd,
)
from vqa2cli.video.stalling import StallEvent, Stalling

Array = NDArray[Any]
Fields = dict[str, Any]
Message = tuple[Fields, list[Array]]

_LENGTH = struct.Struct("<Q")

#: Longest header believed, bytes; a year of warnings is shorter.
MAX_HEADER_BYTES = 2**26


def write_message(out: BinaryIO, fields: Fields, arrays: list[Array] | None = None) -> None:
    """Write `fields` and `arrays` to `out` as one message, and flush."""
    arrays = [np.ascontiguousarray(array) for array in arrays or []]
    shapes = [[array.dtype.str, list(array.shape)] for array in arrays]
    head = json.dumps({**fields, "arrays": shapes}).encode()
    out.write(_LENGTH.pack(len(head)) + head)
    for array in arrays:
        out.write(array.data.cast("B") if array.size else b"")
    out.flush()


def read_message(source: BinaryIO) -> Message | None:
    """Return the next message of `source`, None where the writer ended or broke off.

    Raises:
        ValueError, TypeError, LookupError, MemoryError: it is no message.
    """
    prefix = _exactly(source, _LENGTH.size)
    if prefix is None:
        return None
    length = _LENGTH.unpack(prefix)[0]
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    head = _exactly(source, length)
    if head is None:
        return None
    fields: Fields = json.loads(head)
    arrays = []
    for dtype, shape in fields.pop("arrays"):
        array = np.empty(shape, dtype)
        if array.size and not _fill(source, array.data.cast("B")):
            return None
        arrays.append(array)
    return fields, arrays


def _exactly(source: BinaryIO, count: int) -> bytes | None:
    data = source.read(count)
    return data if len(data) == count else None


def _fill(source: BinaryIO, target: memoryview) -> bool:
    done = 0
    while done < len(target):
        count = source.readinto(target[done:])  # type: ignore[attr-defined]
        if not count:
            return False
        done += count
    return True


def event_message(event: ClipEvent) -> Message:
    """Return the message of a clip event; `event_of` reads it back."""
    kind = type(event).__name__
    match event:
        case Opened():
            return {"event": kind, **asdict(event)}, []
        case KeyFrames():
            return {"event": kind, "window": event.window}, [event.pixels, event.pts_s]
        case MotionFrames():
            return {"event": kind, "window": event.window}, [event.pixels]
        case WindowEnd():
            return {"event": kind, **asdict(event)}, []
        case Closed():
            fields = {
                "event": kind,
                "media": asdict(event.media),
                "facts": asdict(event.facts),
                "warnings": list(event.warnings),
                "stalling": asdict(event.stalling) if event.stalling else None,
                "decode_s": event.decode_s,
                "marks": asdict(event.marks) if event.marks else None,
                "stalled": event.stalled is not None,
            }
            found = event.measures
            if found is not None:
                told = {"end_s": found.end_s, "cuts_s": found.cuts_s, "cadence": found.cadence}
                fields["measures"] = told
            flags = [] if event.stalled is None else [event.stalled]
            values = [] if found is None else [found.values]
            return fields, [event.pts_s, *flags, *values]


def event_of(message: Message) -> ClipEvent:
    """Return the event that `event_message` made `message` of."""
    fields, arrays = message
    kind = fields.pop("event")
    if kind == "KeyFrames":
        return KeyFrames(fields["window"], arrays[0], arrays[1])
    if kind == "MotionFrames":
        return MotionFrames(fields["window"], arrays[0])
    if kind == "WindowEnd":
        return WindowEnd(**fields)
    media, facts = MediaInfo(**fields["media"]), StreamFacts(**fields["facts"])
    if kind == "Opened":
        return Opened(media, facts)
    return Closed(
        media=media,
        facts=facts,
        warnings=tuple(fields["warnings"]),
        pts_s=arrays[0],
        stalling=_stalling_of(fields["stalling"]),
        stalled=arrays[1] if fields["stalled"] else None,
        decode_s=fields["decode_s"],
        marks=_marks_of(fields["marks"]),
        measures=_measures_of(fields.get("measures"), arrays[-1]),
    )


def _measures_of(fields: Fields | None, values: Array) -> SignalMeasures | None:
    if fields is None:
        return None
    return SignalMeasures(values, fields["end_s"], tuple(fields["cuts_s"]), fields["cadence"])


def _stalling_of(fields: Fields | None) -> Stalling | None:
    if fields is None:
        return None
    events = [
        StallEvent(**{**event, "evidence": tuple(event["evidence"])})
        for event in fields.pop("events")
    ]
    return Stalling(events=tuple(events), **fields)


def _marks_of(fields: Fields | None) -> Marks | None:
    if fields is None:
        return None
    spans = tuple((start, end) for start, end in fields["black_s"])
    detail = tuple(Detail(seen["side"], tuple(seen["codes"])) for seen in fields["detail"])
    return Marks(tuple(fields["keyframes_s"]), spans, detail)


def sampling_fields(sampling: Sampling) -> Fields:
    """Return `sampling` as JSON-able fields; `sampling_of` reads them back."""
    return asdict(sampling)


def sampling_of(fields: Fields) -> Sampling:
    """Return the sampling that `sampling_fields` wrote."""
    grid, display = fields.pop("fragments"), fields.pop("display")
    return Sampling(
        fragments=FragmentGrid(**grid) if grid else None,
        display=(display[0], display[1]) if display else None,
        **fields,
    )
