"""Stalls from the event logs of hls.js, dash.js and media elements.

A log is a list of events in any order. Each has a name (`event`, `type` or `name`), a wall
time (`timestamp`, `timeStamp`, `ts` or `time`: milliseconds, or ISO 8601) and, where known,
the position of the playhead (`currentTime`, `position` or `media_time`, seconds). Fields may
stand in any order, and those of hls.js and dash.js payloads under `data` or `payload`.

Event names are those of hls.js (`Hls.Events`, `Hls.ErrorDetails`), of dash.js
(`MediaPlayerEvents`) and of HTMLMediaElement. The element's own `stalled` is not a stall:
it tells that data stopped coming, with whatever is buffered still playing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vqa2cli.errors import UsageError
from vqa2cli.video.logs.records import SAME_S, LogFormat, LoggedStall, StallLog, checked

_NAME_KEYS = ("event", "type", "name", "eventType")
_WALL_KEYS = ("timestamp", "timeStamp", "ts", "time")
_POSITION_KEYS = ("currentTime", "current_time", "position", "media_time", "mediaTime")
_PAYLOAD_KEYS = ("data", "payload")

#: Names of events in lower case, because dash.js changed the case of its own.
_BEGINS = frozenset({"hlsmanifestloading", "manifestloadingstarted", "loadstart", "play"})
_STALLS = frozenset({"bufferstallederror", "bufferstalled", "waiting", "playbackwaiting"})
_RESUMES = frozenset({"hlsstallresolved", "playing", "playbackplaying"})
_LOADED = "bufferloaded"
_SEEKS = frozenset({"seeking", "playbackseeking"})
_SEEKED = frozenset({"seeked", "playbackseeked"})
_ENDS = frozenset({"ended", "playbackended", "hlsdestroying", "hlsmediaended"})
_OF_HLS = frozenset({"bufferstallederror"})
_OF_DASH = frozenset({"bufferstalled", "bufferloaded"})


@dataclass(frozen=True)
class _Event:
    number: int
    name: str
    wall_s: float
    position_s: float | None
    media_type: str


def is_player_event(value: object) -> bool:
    """Return whether `value` looks like an event: an object with a name and a wall time."""
    return isinstance(value, dict) and _name(value) != "" and _find(value, _WALL_KEYS) is not None


def player_log(name: str, entries: Sequence[Any]) -> StallLog:
    """Return the stalls of a player's log.

    The initial buffering runs from the first load or play event to the first `playing`; it
    is only known where the log has both. What happens while the user seeks is no stall.

    Raises:
        UsageError: an entry is no event, a stall has no end, or the stalls are refused.
    """
    events = [_event(name, number, entry) for number, entry in enumerate(entries, 1)]
    ordered = sorted(events, key=lambda event: event.wall_s)
    told = {event.name for event in ordered}
    form: LogFormat = "hls.js" if told & _OF_HLS or any(n.startswith("hls") for n in told) else (
        "dash.js" if told & _OF_DASH or any(n.startswith("playback") for n in told) else "player"
    )  # fmt: skip
    reader = _Reader(name, ordered)
    stalls = reader.stalls()
    notes = () if ordered == events else ("the log's events were not in order",)
    clock = "media" if reader.positions_known else "session"
    return checked(StallLog(name, form, clock, (), notes=notes), stalls)  # type: ignore[arg-type]


def _event(name: str, number: int, entry: Any) -> _Event:
    if not isinstance(entry, dict) or not _name(entry):
        raise UsageError(f"{name}: event {number} has no name; give `event` and `timestamp`")
    wall = _wall_seconds(_find(entry, _WALL_KEYS))
    if wall is None or not math.isfinite(wall):
        raise UsageError(
            f"{name}: event {number} ({_name(entry)}) has no time; give `timestamp` in "
            "milliseconds or ISO 8601"
        )
    position = _find({**_payload(entry), **entry}, _POSITION_KEYS)
    known = isinstance(position, int | float) and not isinstance(position, bool)
    media_type = entry.get("mediaType") or _payload(entry).get("mediaType") or ""
    return _Event(
        number,
        _name(entry),
        wall,
        float(position) if known else None,
        str(media_type),
    )


def _name(entry: dict[str, Any]) -> str:
    """Return what happened, in lower case: hls.js tells of stalls as details of an error."""
    details = entry.get("details") or _payload(entry).get("details")
    if isinstance(details, str) and details:
        return details.lower()
    for key in _NAME_KEYS:
        if isinstance(entry.get(key), str):
            return str(entry[key]).lower()
    return ""


def _payload(entry: dict[str, Any]) -> dict[str, Any]:
    for key in _PAYLOAD_KEYS:
        if isinstance(entry.get(key), dict):
            payload: dict[str, Any] = entry[key]
            return payload
    return {}


def _find(entry: dict[str, Any], keys: Iterable[str]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _wall_seconds(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value / 1000
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _joined(stalls: Sequence[LoggedStall]) -> list[LoggedStall]:
    """Return `stalls`, one for each position: nothing was played between those that share it."""
    joined: list[LoggedStall] = []
    for stall in stalls:
        if joined and abs(stall.start_s - joined[-1].start_s) < SAME_S:
            length_s = joined[-1].duration_s + stall.duration_s
            joined[-1] = replace(joined[-1], duration_s=length_s)
        else:
            joined.append(stall)
    return joined


class _Reader:
    """Walks through the events of one log in the order of time."""

    def __init__(self, name: str, events: Sequence[_Event]) -> None:
        self._name, self._events = name, events
        self._origin_s = events[0].wall_s if events else 0.0
        self._begin: _Event | None = None
        self._stalled_at: _Event | None = None
        self._causes: set[str] = set()
        self._seeking = False
        self._found: list[tuple[_Event, float]] = []
        self._initial: tuple[_Event, float] | None = None

    @property
    def positions_known(self) -> bool:
        """Whether every stall has a position on the media clock."""
        return all(event.position_s is not None for event, _ in self._found)

    def stalls(self) -> list[LoggedStall]:
        """Return the stalls, in media time where it is known, else from the session's start."""
        for event in self._events:
            self._take(event)
        self._end_open_stall()
        stalls = []
        if self._initial is not None:
            event, length_s = self._initial
            stalls.append(LoggedStall(0.0, length_s, f"event {event.number}"))
        for event, length_s in self._found:
            start_s = event.position_s if self.positions_known else event.wall_s - self._origin_s
            assert start_s is not None
            stalls.append(LoggedStall(start_s, length_s, f"event {event.number}"))
        return _joined(stalls) if self.positions_known else stalls

    def _take(self, event: _Event) -> None:
        if event.name in _BEGINS:
            self._begins(event)
        elif event.name in _STALLS:
            self._stalls(event)
        elif event.name == _LOADED:
            self._causes.discard(event.media_type)
            if not self._causes:
                self._resumes(event)
        elif event.name in _RESUMES | _ENDS:
            self._seeking = False
            self._causes.clear()
            self._resumes(event)
        elif event.name in _SEEKS | _SEEKED:
            self._seeking = event.name in _SEEKS
            self._stalled_at = None  # the wait is the user's doing
            self._causes.clear()

    def _begins(self, event: _Event) -> None:
        """Note the first load or play; what follows is initial buffering until it plays."""
        if self._begin is None and self._stalled_at is None and not self._found:
            self._begin, self._origin_s = event, event.wall_s

    def _stalls(self, event: _Event) -> None:
        waits_to_start = self._begin is not None and self._initial is None
        if self._seeking or waits_to_start:
            return
        self._causes.add(event.media_type)
        self._stalled_at = self._stalled_at or event

    def _resumes(self, event: _Event) -> None:
        if self._begin is not None and self._initial is None:
            if event.name in _RESUMES:
                self._initial = (self._begin, event.wall_s - self._begin.wall_s)
            return
        if self._stalled_at is not None:
            self._found.append((self._stalled_at, event.wall_s - self._stalled_at.wall_s))
            self._stalled_at = None

    def _end_open_stall(self) -> None:
        """Let a stall that no event ends last until the log does.

        Raises:
            UsageError: it is the last thing the log tells.
        """
        if self._stalled_at is None:
            return
        length_s = self._events[-1].wall_s - self._stalled_at.wall_s
        if length_s <= 0:
            raise UsageError(
                f"{self._name}: event {self._stalled_at.number} ({self._stalled_at.name}) is a "
                "stall without an end; log `playing` or `hlsStallResolved` too"
            )
        self._found.append((self._stalled_at, length_s))
        self._stalled_at = None
