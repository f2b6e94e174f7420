"""Decoding in child processes: the same events, and no file takes another one down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.video.media import FPS, clip, scene
from vqa2cli.errors import VideoError
from vqa2cli.video import pool as pools
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import ClipEvent, Closed, FragmentGrid, Sampling, WindowEnd
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.synthesis import write_clip

SAMPLING = Sampling(
    window_s=1,
    keyframes_per_second=2,
    fragments=FragmentGrid(2, 16),
    motion_size=32,
    resize="swscale",
    display=(320, 240),
    find_stalls=True,
)


def plain(events: list[ClipEvent]) -> list[object]:
    """Return events in a form that compares, without the time they took."""
    told = []
    for event in events:
        fields = {k: v for k, v in vars(event).items() if k != "decode_s"}
        arrays = {k: v.tolist() for k, v in fields.items() if isinstance(v, np.ndarray)}
        told.append((type(event).__name__, {**fields, **arrays}))
    return told


#: Children that were there before a test: other tests' pools may live as long as the process.
OTHERS: set[int] = set()


@pytest.fixture(autouse=True)
def _count_from_here() -> None:
    OTHERS.clear()
    OTHERS.update(children())


def children() -> set[int]:
    """Return the ids of this process's children that the test began."""
    own = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == os.getpid():
            own.add(int(entry.parent.name))
    return own - OTHERS


def command(code: str) -> list[str]:
    """Return a child that runs `code` in the place of the decoder."""
    return [sys.executable, "-c", code]


def test_a_child_tells_exactly_what_decoding_here_would(tmp_path: Path) -> None:
    pictures = scene(50)
    path = write_clip(tmp_path / "v.mp4", [*pictures, *[pictures[-1]] * 20, *pictures], FPS)
    here = list(decode_clip(path, SAMPLING))
    with DecodePool(1) as pool:
        there = list(pool.stream(path, SAMPLING))
    assert plain(there) == plain(here)
    assert isinstance(there[-1], Closed)
    assert there[-1].stalling is not None
    assert there[-1].stalling.events


def test_files_decode_ahead_and_come_back_in_their_own_jobs(tmp_path: Path) -> None:
    lengths = [10, 20, 30, 5, 15]
    paths = [clip(tmp_path / f"{n}.mp4", n) for n in lengths]
    with DecodePool(2) as pool:
        jobs = [pool.submit(path, SAMPLING) for path in paths]
        counts = []
        for job in jobs:
            last = list(job)[-1]
            assert isinstance(last, Closed)
            counts.append(last.media.nb_frames_decoded)
    assert counts == lengths


def test_jobs_can_be_read_in_any_order(tmp_path: Path) -> None:
    paths = [clip(tmp_path / f"{n}.mp4", n) for n in (10, 20, 30)]
    with DecodePool(1) as pool:
        jobs = [pool.submit(path, SAMPLING) for path in paths]
        for job in reversed(jobs):
            assert isinstance(list(job)[-1], Closed)


def test_a_file_that_cannot_be_scored_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no video at all " * 99)
    good = clip(tmp_path / "good.mp4", 10)
    with DecodePool(1) as pool:
        bad, fine = pool.submit(tmp_path / "bad.mp4", SAMPLING), pool.submit(good, SAMPLING)
        with pytest.raises(VideoError, match=r"bad\.mp4") as caught:
            list(bad)
        assert caught.value.kind == "not_video"
        assert isinstance(list(fine)[-1], Closed)


def test_a_name_that_is_not_text_reaches_the_child(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff\xfe.mp4"))
    clip(tmp_path / "v.mp4", 5).rename(path)
    with DecodePool(1) as pool:
        assert isinstance(list(pool.stream(path, SAMPLING))[-1], Closed)


def test_a_child_that_crashes_gives_an_error_and_a_fresh_one_takes_over(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 60)
    with DecodePool(1) as pool:
        list(pool.stream(path, SAMPLING))
        (first,) = children()
        os.kill(first, signal.SIGSTOP)
        job = pool.submit(path, SAMPLING)
        os.kill(first, signal.SIGSEGV)
        os.kill(first, signal.SIGCONT)
        with pytest.raises(VideoError) as caught:
            list(job)
        assert caught.value.kind == "crashed"
        assert isinstance(list(pool.stream(path, SAMPLING))[-1], Closed)
        assert children() != {first}


def test_a_child_that_died_while_idle_is_replaced(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 10)
    with DecodePool(1) as pool:
        list(pool.stream(path, SAMPLING))
        (first,) = children()
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 5
        while children() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert isinstance(list(pool.stream(path, SAMPLING))[-1], Closed)


def test_a_file_is_not_blamed_for_a_child_whose_death_nobody_has_seen_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clip(tmp_path / "v.mp4", 10)
    lost = DecodePool.lost

    def late(pool: DecodePool, child: Any) -> Any:
        time.sleep(0.5)
        return lost(pool, child)

    monkeypatch.setattr(DecodePool, "lost", late)
    with DecodePool(1) as pool:
        list(pool.stream(path, SAMPLING))
        (first,) = children()
        os.kill(first, signal.SIGKILL)
        while children():
            time.sleep(0.01)
        assert isinstance(list(pool.stream(path, SAMPLING))[-1], Closed)


def test_a_child_that_hangs_is_killed_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "GRACE_S", 0.1)
    with DecodePool(1, 0.2, command=command("import time; time.sleep(60)")) as pool:
        started = time.monotonic()
        with pytest.raises(VideoError) as caught:
            list(pool.stream(tmp_path / "v.mp4", SAMPLING))
        assert caught.value.kind == "timeout"
        assert time.monotonic() - started < 5


def test_a_child_that_cannot_start_is_an_error_not_a_hang(tmp_path: Path) -> None:
    with DecodePool(1, command=command("raise SystemExit(7)")) as pool:
        with pytest.raises(VideoError, match="exit code 7") as caught:
            list(pool.stream(tmp_path / "v.mp4", SAMPLING))
        assert caught.value.kind == "crashed"


@pytest.mark.parametrize("noise", ["b'x' * 999", "bytes(8) + b'{}'", "b'\\x02' + bytes(7) + b'{}'"])
def test_a_child_that_talks_nonsense_is_an_error_not_a_hang(tmp_path: Path, noise: str) -> None:
    code = f"import sys, time; sys.stdout.buffer.write({noise}); sys.stdout.flush(); time.sleep(60)"
    with DecodePool(1, command=command(code)) as pool, pytest.raises(VideoError) as caught:
        list(pool.stream(tmp_path / "v.mp4", SAMPLING))
    assert caught.value.kind == "crashed"


def test_events_can_be_taken_once(tmp_path: Path) -> None:
    with DecodePool(1) as pool:
        job = pool.submit(clip(tmp_path / "v.mp4", 5), SAMPLING)
        list(job)
        with pytest.raises(ValueError, match="once"):
            list(job)


def test_a_slow_reader_does_not_count_against_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "GRACE_S", 0.0)
    monkeypatch.setattr(pools, "QUEUE_BYTES", 1)
    path = clip(tmp_path / "v.mp4", 75)
    with DecodePool(1, 1.5) as pool:
        seen = []
        for event in pool.stream(path, SAMPLING):
            seen.append(event)
            if isinstance(event, WindowEnd):
                time.sleep(0.8)
    assert isinstance(seen[-1], Closed)


def test_what_waits_for_a_slow_reader_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "QUEUE_BYTES", 300_000)
    sampling = Sampling(window_s=1e9, motion_size=64, keyframe_size=64, resize="swscale")
    path = clip(tmp_path / "v.mp4", 400, scene_size=(64, 64))
    with DecodePool(1) as pool:
        job = pool.submit(path, sampling)
        time.sleep(1.5)
        assert 0 < job._bytes <= 64 * 64 * 64 * 3 + 300_000
        assert isinstance(list(job)[-1], Closed)


def test_a_reader_that_stops_early_frees_the_pool(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 60)
    with DecodePool(1) as pool:
        for event in pool.stream(path, SAMPLING):
            if isinstance(event, WindowEnd):
                break
        assert isinstance(list(pool.stream(path, SAMPLING))[-1], Closed)


def test_no_child_and_no_thread_outlives_its_pool(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 60)
    threads = threading.active_count()
    pool = DecodePool(3)

    def interrupted() -> None:
        with pool:
            jobs = [pool.submit(path, SAMPLING) for _ in range(5)]
            next(iter(jobs[0]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert children() == set()
    assert threading.active_count() == threads
    pool.close()
    with pytest.raises(ValueError, match="closed"):
        pool.submit(path, SAMPLING)


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 10)
    script = (
        "import sys, time, subprocess\n"
        "from pathlib import Path\n"
        "from vqa2cli.video.media import Sampling\n"
        "from vqa2cli.video.pool import DecodePool\n"
        "pool = DecodePool(1)\n"
        "list(pool.stream(Path(sys.argv[1]), Sampling(window_s=9)))\n"
        "print(pool._children[0]._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and Path(f"/proc/{child}/cmdline").exists():
        if not Path(f"/proc/{child}/cmdline").read_bytes():
            break  # ended, and waiting for whoever inherited it
        time.sleep(0.02)
    else:
        assert not Path(f"/proc/{child}").exists()


def test_a_module_beside_the_clips_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "av.py").write_text("open('ran', 'w')\nraise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    with DecodePool(1) as pool:
        assert isinstance(list(pool.stream(clip(tmp_path / "v.mp4", 5), SAMPLING))[-1], Closed)
    assert not (tmp_path / "ran").exists()
