"""Hundreds of odd files from public test suites: each decodes, warns or is refused as it should."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from vqa2cli.errors import VideoError
from vqa2cli.video import frames
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, FragmentGrid, KeyFrames, Sampling
from vqa2cli.video.pool import DecodeJob, DecodePool

pytestmark = pytest.mark.slow

SAMPLING = Sampling(
    window_s=2,
    keyframes_per_second=2,
    fragments=FragmentGrid(7, 32),
    motion_size=128,
    resize="swscale",
    find_stalls=True,
)


def outcomes(paths: list[Path]) -> Iterator[Closed | VideoError]:
    """Yield what decoding each path came to, two files ahead."""
    with DecodePool(2, 120) as pool:
        jobs: list[DecodeJob] = []
        for path in paths:
            jobs.append(pool.submit(path, SAMPLING))
            if len(jobs) > 3:
                yield outcome(jobs.pop(0))
        yield from map(outcome, jobs)


def outcome(job: DecodeJob) -> Closed | VideoError:
    try:
        last = list(job)[-1]
    except VideoError as error:
        return error
    assert isinstance(last, Closed)
    return last


def complaint(expected: str, notes: str, found: Closed | VideoError) -> str | None:
    """Return what is wrong with an outcome, None if it is what the manifest asks for.

    The manifest says `ok:WxH:frames`, `damaged:...` (warn or refuse) or `error:kind`.
    """
    verdict, *rest = expected.split(":")
    if isinstance(found, VideoError):
        if found.kind in ("internal", "crashed", "timeout") or len(str(found)) > 400:
            return f"{found.kind}: {found}"
        return f"refused a good file: {found}" if verdict == "ok" else None
    if verdict == "error":
        return "decoded"
    if verdict == "damaged":
        return None if found.warnings else "damaged, and no warning"
    media, count = found.media, int(rest[1])
    if f"{media.width}x{media.height}" != rest[0]:
        return f"{media.width}x{media.height}"
    at_least = "capped" in notes and media.nb_frames_decoded >= count
    return (
        None
        if at_least or media.nb_frames_decoded == count
        else f"{media.nb_frames_decoded} frames"
    )


def test_every_odd_file_is_decoded_warned_of_or_refused(shared_dir: Path) -> None:
    folder = shared_dir / "odd"
    text = (folder / "manifest.csv").read_text(encoding="utf-8", errors="surrogateescape")
    rows = list(csv.DictReader(text.splitlines()))
    found = outcomes([folder / row["path"] for row in rows])
    wrong = {
        row["path"]: (row["expected"], why)
        for row, result in zip(rows, found, strict=True)
        if (why := complaint(row["expected"], row["notes"], result))
    }
    assert rows
    assert wrong == {}


def test_every_real_clip_decodes(shared_dir: Path) -> None:
    paths = sorted(path for path in (shared_dir / "clips").iterdir() if path.suffix != ".csv")
    failed = [
        (path.name, str(result))
        for path, result in zip(paths, outcomes(paths), strict=True)
        if isinstance(result, VideoError)
    ]
    assert paths
    assert failed == []


def test_damaged_files_decode_alike_on_any_number_of_threads(
    shared_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared_dir / "odd"
    text = (folder / "manifest.csv").read_text(encoding="utf-8", errors="surrogateescape")
    rows = [row for row in csv.DictReader(text.splitlines()) if "damaged" in row["expected"]]
    monkeypatch.setattr(frames.os, "cpu_count", lambda: 8)
    for row in rows:
        seen = set()
        for threads in (1, 2, 3, 4, 4):
            monkeypatch.setattr(frames, "MAX_THREADS", threads)
            events = list(decode_clip(folder / row["path"], SAMPLING))
            pictures = [e.pixels.tobytes() for e in events if isinstance(e, KeyFrames)]
            (last,) = (e for e in events if isinstance(e, Closed))
            seen.add((b"".join(pictures), last.pts_s.tobytes(), last.warnings))
        assert len(seen) == 1, row["path"]
