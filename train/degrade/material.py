"""What is degraded: the first seconds of a clip, upright, shrunk, at a constant frame rate.

Most clips at hand were compressed once, so they are shrunk before use. The lossless copy is
made once and lies beside what is made of it.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from pathlib import Path

from train.colour import Frame
from train.distortions import MIN_SIDE
from train.rendering import frames_of
from train.sources import Source, shrunk
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.video.discover import discover
from vqa2cli.video.frames import FrameReader, TimedFrame
from vqa2cli.video.media import Sampling
from vqa2cli.video.pixels import PictureMaker
from vqa2cli.video.scan import Scan, scan_packets
from vqa2cli.video.synthesis import write_clip

#: Frame rates above this are halved, or more, until they are below it, frames a second.
MAX_FPS = 30.5

#: Fewest frames that are worth degrading.
MIN_FRAMES = 12

#: How lossless copies are encoded.
LOSSLESS = {"qp": "0", "preset": "ultrafast"}


@dataclass(frozen=True)
class Original:
    """A clip to degrade: its file, the content it shows, and the split it belongs to."""

    path: Path
    content: str
    split: str | None


def originals(folder: Path) -> list[Original]:
    """Return every clip below `folder`, with the split `folder/manifest.csv` gives it, if any.

    Raises:
        UsageError: there is no clip, two would have one name, or the manifest cannot be read.
    """
    splits = _splits(folder / "manifest.csv")
    found: dict[str, Original] = {}
    below = discover([str(folder)])
    for path in below.files:
        relative = path.relative_to(folder)
        content = "_".join(relative.with_suffix("").as_posix().replace("/", "__").split())
        if content in found:
            raise UsageError(
                f"{found[content].path} and {path} would both be called {content}; rename one"
            )
        found[content] = Original(path, content, splits.get(relative.as_posix()))
    if not found:
        passed = "".join(f"; {path.name} is {why}" for path, why in below.skipped[:3])
        raise UsageError(f"{folder}: no clip in there{passed}; name a folder of videos")
    return list(found.values())


def _splits(manifest: Path) -> dict[str, str]:
    if not manifest.is_file():
        return {}
    with manifest.open(newline="", encoding="utf-8-sig") as table:
        rows = csv.DictReader(table)
        if not {"file", "split"} <= set(rows.fieldnames or ()):
            raise UsageError(f"{manifest}: has no columns file and split; add them or move it away")
        return {row["file"]: row["split"] for row in rows}


@dataclass(frozen=True)
class Material:
    """A lossless copy: `count` frames of `width` x `height` pixels at `fps`, from time 0."""

    path: Path
    fps: Fraction
    width: int
    height: int
    count: int

    @property
    def length_s(self) -> float:
        """Length in seconds."""
        return float(self.count / self.fps)

    def frames(self) -> Iterator[Frame]:
        """Yield its uint8 RGB frames [H, W, 3]."""
        return frames_of(self.path)

    def source(self) -> Source:
        """Return it as what the encodes and VMAF of `train.renditions` are made for."""
        return Source(
            name=self.path.stem,
            content=self.path.stem,
            split="",
            kind="clip",
            origin=self.path,
            start_s=0.0,
            fps=float(self.fps),
            width=self.width,
            height=self.height,
        )


def prepare(clip: Path, target: Path, seconds: float) -> Material:
    """Write the first `seconds` of `clip` losslessly to `target` (.mkv) and return it.

    Raises:
        VideoError: the clip cannot be decoded, or is too small or too short.
    """
    scan = scan_packets(clip)
    fps = (scan.fps / math.ceil(float(scan.fps) / MAX_FPS)).limit_denominator(1001)
    size = shrunk(scan.media.width, scan.media.height)
    if min(size) < MIN_SIDE:
        raise VideoError("not_video", f"{clip.name}: {size[0]}x{size[1]} is too small to degrade")
    partial = target.with_name(f"{target.stem}.{os.getpid()}.part{target.suffix}")
    counted = _Counted(shown_frames(clip, scan, fps, size, math.ceil(seconds * fps)))
    write_clip(partial, counted, fps, options=LOSSLESS)
    if counted.count < MIN_FRAMES:
        partial.unlink()
        raise VideoError("corrupt", f"{clip.name}: {counted.count} frames, too few to degrade")
    partial.replace(target)
    return Material(target, fps, counted.width, counted.height, counted.count)


class _Counted:
    """Hands frames on and knows how many there were, and their size."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = frames
        self.count = self.width = self.height = 0

    def __iter__(self) -> Iterator[Frame]:
        for rgb in self._frames:
            self.count += 1
            self.height, self.width = rgb.shape[:2]
            yield rgb


def shown_frames(
    clip: Path, scan: Scan, fps: Fraction, size: tuple[int, int], count: int
) -> Iterator[Frame]:
    """Yield what is on the screen at 0, 1/fps, 2/fps, ...: at most `count` pictures at `size`.

    A picture that stays longer comes again, one that has gone by then does not come at all.

    Raises:
        VideoError: the clip cannot be decoded.
    """
    maker = PictureMaker(Sampling(window_s=1.0, display=size))
    due = 0
    for frame, gone_s in _with_ends(FrameReader(clip, scan, lambda: None), float(scan.fps)):
        until = min(math.ceil((gone_s - 1e-3) * fps), count)
        if until > due:
            yield from repeat(maker.shown(frame.picture), until - due)
            due = until
        if due >= count:
            return


def _with_ends(frames: Iterable[TimedFrame], fps: float) -> Iterator[tuple[TimedFrame, float]]:
    """Yield each frame and the second at which it leaves the screen."""
    last: TimedFrame | None = None
    for frame in frames:
        if last is not None:
            yield last, frame.pts_s
        last = frame
    if last is not None:
        yield last, last.pts_s + (last.hold_s or 1 / fps)
