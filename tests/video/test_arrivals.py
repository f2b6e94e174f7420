"""Files that appear while one watches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vqa2cli.errors import UsageError
from vqa2cli.video.arrivals import POLL_S, arrivals


class Scripted:
    """A clock that moves when slept on, and does what is due by then."""

    def __init__(self, *events: tuple[float, Callable[[], object]]) -> None:
        self.now = 0.0
        self.events = sorted(events, key=lambda event: event[0])

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.events and self.events[0][0] <= self.now:
            self.events.pop(0)[1]()

    def watch(self, folder: Path, idle_s: float = 5.0) -> list[tuple[float, list[str]]]:
        found = arrivals(
            [str(folder)], idle_s=idle_s, settled_s=2.0, clock=self.clock, sleep=self.sleep
        )
        return [(self.now, [path.name for path in batch]) for batch in found]


def append(path: Path, data: bytes = b"x") -> Callable[[], object]:
    def act() -> None:
        with path.open("ab") as file:
            file.write(data)

    return act


def test_what_is_there_and_what_comes_is_given_once_it_stands_still(tmp_path: Path) -> None:
    append(tmp_path / "b10.mp4")()
    append(tmp_path / "b9.mp4")()
    script = Scripted((4.0, append(tmp_path / "later.mkv")), (4.0, append(tmp_path / "notes.txt")))
    assert script.watch(tmp_path) == [(2.0, ["b9.mp4", "b10.mp4"]), (6.0, ["later.mkv"])]


def test_a_file_that_still_grows_is_not_taken(tmp_path: Path) -> None:
    growing = tmp_path / "a.mp4"
    script = Scripted(*((second / 2, append(growing)) for second in range(1, 21)))
    ((when, names),) = script.watch(tmp_path, idle_s=15.0)
    assert names == ["a.mp4"]
    assert 12.0 <= when <= 12.0 + 2 * POLL_S


def test_a_file_written_anew_comes_again_and_an_empty_one_never(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    append(clip)()
    (tmp_path / "empty.mp4").touch()
    script = Scripted((6.0, append(clip)))
    assert script.watch(tmp_path, 6.0) == [(2.0, ["a.mp4"]), (8.0, ["a.mp4"])]


def test_a_file_that_was_moved_in_whole_waits_no_longer_than_the_others(tmp_path: Path) -> None:
    part = tmp_path / "a.mp4.part"
    append(part)()
    script = Scripted((3.0, lambda: part.rename(tmp_path / "a.mp4")))
    assert script.watch(tmp_path) == [(5.0, ["a.mp4"])]


def test_watching_ends_when_nothing_came_for_so_long(tmp_path: Path) -> None:
    script = Scripted()
    assert script.watch(tmp_path, idle_s=3.0) == []
    assert 3.0 <= script.now <= 3.0 + 2 * POLL_S


def test_only_folders_are_watched(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder; name folders to watch"):
        next(arrivals([str(tmp_path / "none")]))
