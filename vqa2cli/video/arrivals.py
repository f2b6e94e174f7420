"""Files as they appear in folders, each once it is written completely."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from vqa2cli.errors import UsageError
from vqa2cli.video.discover import discover

#: Seconds between two looks, and seconds that a file must stay as it is to count as complete.
POLL_S: Final = 0.5
SETTLED_S: Final = 2.0

#: Size in bytes and time of the last change in nanoseconds: what tells that a file changed.
_State = tuple[int, int]


def arrivals(
    folders: Sequence[str],
    *,
    idle_s: float | None = None,
    settled_s: float = SETTLED_S,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[list[Path]]:
    """Yield the videos in `folders` that became complete since the last time, in stable order.

    A file is complete when its size and its time of change have stood still for `settled_s`
    seconds; an empty one never is. One that changes after it was given comes again. Folders are
    looked through, so network drives work, which tell of no changes.

    Args:
        folders: folders, walked as for scoring.
        idle_s: end after so many seconds in which no file was complete; None is never.

    Raises:
        UsageError: something named is no folder, or a folder goes away.
    """
    seen: dict[Path, tuple[_State, float]] = {}
    given: dict[Path, _State] = {}
    last = clock()
    while idle_s is None or clock() - last <= idle_s:
        ready = []
        for path, state in _states(folders):
            before, since = seen.get(path, (None, clock()))
            if state != before:
                since = clock()
            seen[path] = state, since
            if state[0] and clock() - since >= settled_s and given.get(path) != state:
                given[path] = state
                ready.append(path)
        if ready:
            yield ready
            last = clock()
        else:
            sleep(POLL_S)


def _states(folders: Sequence[str]) -> Iterator[tuple[Path, _State]]:
    for folder in folders:
        if not Path(folder).is_dir():
            raise UsageError(f"{folder}: is no folder; name folders to watch")
    for path in discover(folders).files:
        try:
            told = path.stat()
        except OSError:
            continue  # it went away between the two looks
        yield path, (told.st_size, told.st_mtime_ns)
