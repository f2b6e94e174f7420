"""Stalls in the shapes of other tools: ITU-T P.1203 input, freezedetect's log, intervals.

Only events that count as stalls go out. A file that could not be read has no P.1203 document
and no log line; in the intervals it is a result without periods.
"""

from __future__ import annotations

from fractions import Fraction

from vqa2cli.assessment import Assessment
from vqa2cli.report.output import TextSink
from vqa2cli.report.plain_text import one_line, storable
from vqa2cli.report.rows import Record, compact_json, strict_record
from vqa2cli.report.writers import JsonWriter
from vqa2cli.video.media import MediaInfo
from vqa2cli.video.stalling import StallEvent, Stalling

#: Stream number of the examples of P.1203's reference implementation.
_STREAM_ID = 42
#: Decimals of seconds in an export: a tenth of a millisecond.
_DECIMALS = 4


class P1203Writer:
    """A line of JSON per file: the input document of ITU-T P.1203 with its stalls in `I23`."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream

    def write(self, row: Assessment) -> None:
        """Add one file; one that could not be read has no line here."""
        if row.stalling is not None and row.media is not None:
            self._stream.write(compact_json(p1203_record(row.file, row.media, row.stalling)) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line stands for itself."""


def p1203_record(file: str, media: MediaInfo, stalling: Stalling) -> Record:
    """Return the P.1203 input document of one file.

    `I23.stalling` holds [media time, seconds] pairs. `I13` describes the video as one segment
    on the media clock and `I11` is empty, as P.1203 wants it of a stream without audio.
    """
    media_s = media_seconds(media, stalling)
    segment = {
        "codec": media.codec_name,
        "start": 0,
        "duration": round(media_s, _DECIMALS),
        "bitrate": round(media.bit_rate / 1000, 3) if media.bit_rate else None,
        "resolution": f"{media.width}x{media.height}",
        "fps": round(float(Fraction(media.avg_frame_rate)), 3),
    }
    return {
        "file": storable(file),
        "I11": {"segments": [], "streamId": _STREAM_ID},
        "I13": {"segments": [segment], "streamId": _STREAM_ID},
        "I23": {"stalling": p1203_stalling(stalling, media_s), "streamId": _STREAM_ID},
    }


def media_seconds(media: MediaInfo, stalling: Stalling) -> float:
    """Return how much media was played: the clip's length without the stalls it holds."""
    length_s = media.duration or 0.0
    if stalling.log is not None and not stalling.log.recorded:
        return length_s
    stood_s = stalling.rebuffer_duration_sec + stalling.initial_buffering_sec
    return max(length_s - stood_s, 0.0)


def p1203_stalling(stalling: Stalling, media_s: float) -> list[list[float]]:
    """Return the [start, duration] pairs of `I23`: starts in media time, in order.

    P.1203 takes a first pair at 0 for the initial buffering and shifts all others by the
    start of a first pair that is elsewhere, so a session without it begins with [0, 0]. A
    start behind the end of the media would be dropped, so it is drawn back to it.
    """
    pairs = [
        [round(min(max(event.media_start, 0.0), media_s), _DECIMALS), _seconds(event)]
        for event in stalling.events
        if event.counted
    ]
    if pairs and pairs[0][0] > 0:
        pairs.insert(0, [0.0, 0.0])
    return pairs


def _seconds(event: StallEvent) -> float:
    return round(event.duration, _DECIMALS)


class FreezedetectWriter:
    """Lines as ffmpeg's freezedetect logs them, the file's name in the place of its address.

    Unlike freezedetect, an event that is open at the end has its duration and end too.
    """

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream

    def write(self, row: Assessment) -> None:
        """Add the stalls of one file."""
        for event in row.stalling.events if row.stalling else ():
            if event.counted:
                self._lines(row.file, event)
        self._stream.flush()

    def _lines(self, file: str, event: StallEvent) -> None:
        where = f"[freezedetect @ {one_line(file)}] lavfi.freezedetect."
        for key, value in (
            ("freeze_start", event.start),
            ("freeze_duration", event.duration),
            ("freeze_end", event.end),
        ):
            self._stream.write(f"{where}{key}: {_plain(value)}\n")

    def close(self) -> None:
        """Do nothing: every line stands for itself."""


def _plain(seconds: float) -> str:
    """Return `seconds` to the microsecond, without trailing zeros."""
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


class IntervalsWriter:
    """One JSON object whose `results` hold `stall_periods` and `content_periods` of each file."""

    def __init__(self, stream: TextSink) -> None:
        self._json = JsonWriter(stream)

    def write(self, row: Assessment) -> None:
        """Add one file."""
        stalls = content = None
        if row.stalling is not None:
            stalls, content = stall_periods(row.stalling), content_periods(row.stalling)
        record = {
            "file": row.file,
            "status": row.status,
            "stall_periods": stalls,
            "content_periods": content,
        }
        self._json.write(strict_record(record))

    def close(self) -> None:
        """Close the object."""
        self._json.close()


def stall_periods(stalling: Stalling) -> list[Record]:
    """Return start, end and duration of each stall; `end` is None where the clip ends in it."""
    return [
        {
            "start": event.start,
            "end": None if event.open_ended else event.end,
            "duration": event.duration,
        }
        for event in stalling.events
        if event.counted
    ]


def content_periods(stalling: Stalling) -> list[Record]:
    """Return the spans between the stalls; the last one's `end` is None: it runs to the end."""
    periods: list[Record] = []
    start = 0.0
    for event in stalling.events:
        if not event.counted:
            continue
        if event.start > start:
            periods.append({"start": start, "end": event.start})
        start = event.end
        if event.open_ended:
            return periods
    return [*periods, {"start": start, "end": None}]
