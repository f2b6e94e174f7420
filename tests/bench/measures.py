"""What measuring the signal costs beside decoding, in CPU time of one process.

    python tests/bench/measures.py [CLIP...] [--repeats 5]

Without clips it makes 4 s of a moving scene at 1920x1080 and 640x360. Each line gives CPU
milliseconds a frame: `bare` decodes with PyAV and drops the pictures, `pass` is the decode pass
of `vqa2 score` with the embedded model's sampling and without measures, `measures` the time
spent in them in such a pass, on the decoding thread; then what they are of both others. Medians
of the repeats, which take turns: the difference of two passes would be lost in their noise.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import av

from vqa2cli.video.decode import decode_clip
from vqa2cli.video.measures.track import MeasureTrack
from vqa2cli.video.media import FragmentGrid, Sampling
from vqa2cli.video.synthesis import moving_scene, write_clip

#: Sampling of the embedded model.
PASS = Sampling(
    window_s=2.0, keyframes_per_second=2.0, fragments=FragmentGrid(7, 32), motion_multiple=1,
    motion_size=112, resize="swscale",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for clip in args.clips or made(Path(scratch)):
            print(line_of(clip, args.repeats))


def made(folder: Path) -> list[Path]:
    """Write the scenes that are measured when no clip is named."""
    sizes = {"1080p30": (1920, 1080), "360p30": (640, 360)}
    return [
        write_clip(folder / f"{name}.mp4", moving_scene(4, 30, size), 30)
        for name, size in sizes.items()
    ]


def line_of(clip: Path, repeats: int) -> str:
    """Return the figures of one clip."""
    frames = sum(1 for _ in bare_frames(clip))
    works = (lambda: list(bare_frames(clip)), lambda: run(clip, PASS))
    runs = [(*map(cpu_seconds, works), measuring(clip)) for _ in range(repeats)]
    plain, passed, measured = (statistics.median(each) for each in zip(*runs, strict=True))
    a_frame = [f"{1e3 * seconds / frames:.3f}" for seconds in (plain, passed, measured)]
    return (
        f"{clip.name[:40]}: {frames} frames, CPU ms a frame: bare {a_frame[0]}, pass {a_frame[1]}, "
        f"measures {a_frame[2]}: {measured / passed:.1%} of the pass, "
        f"{measured / plain:.1%} of bare decoding"
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of `work`, all threads together."""
    started = time.process_time()
    work()
    return time.process_time() - started


def measuring(clip: Path) -> float:
    """Return the CPU seconds that a pass with measures spends in them."""
    spent = [0.0]

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            started = time.thread_time()
            found = method(*args)
            spent[0] += time.thread_time() - started
            return found

        return counted

    with (
        mock.patch.object(MeasureTrack, "add", timed(MeasureTrack.add)),
        mock.patch.object(MeasureTrack, "close", timed(MeasureTrack.close)),
    ):
        run(clip, replace(PASS, measure=True))
    return spent[0]


def bare_frames(clip: Path) -> Iterable[None]:
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            yield


def run(clip: Path, sampling: Sampling) -> None:
    for _ in decode_clip(clip, sampling):
        pass


if __name__ == "__main__":
    main()
