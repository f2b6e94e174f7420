"""Pieces cut out of media: windows and crops of clips, and single frames as pictures.

A distortion of motion shows in any window and any crop, so each labelled clip gives several
samples; a spatial one shows in a single frame, which trains the picture path.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from train.data.looks import MediaFacts
from train.ffmpeg import run_ffmpeg

#: Shortest window worth cutting, seconds: one key frame and motion around it.
MIN_WINDOW_S: Final = 1.0

#: Longest window cut, seconds.
MAX_WINDOW_S: Final = 4.0

#: Share of their length that two windows' starts lie apart at least, or they are much the same.
MIN_APART: Final = 0.1

#: Share of each side a crop keeps.
CROP_SHARE: Final = 0.75

#: Smallest side of a crop, pixels.
MIN_CROP: Final = 64

#: What a cut is encoded with: so little loss that only the source's own distortion shows.
_ENCODED: Final = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-pix_fmt", "yuv420p")


@dataclass(frozen=True)
class Cut:
    """A window in seconds and a crop (left, top, width, height) in pixels; None is all of it.

    A window without length is one frame, as a picture.
    """

    start_s: float | None = None
    end_s: float | None = None
    crop: tuple[int, int, int, int] | None = None

    @property
    def is_frame(self) -> bool:
        """Whether it is a single frame."""
        return self.start_s is not None and self.start_s == self.end_s

    def name(self, media: str) -> str:
        """Return the file name of this cut of `media`."""
        parts = [media.rpartition(".")[0].replace("/", "__") or media]
        if self.start_s is not None:
            parts.append(f"t{self.start_s:.2f}" + ("" if self.is_frame else f"-{self.end_s:.2f}"))
        if self.crop is not None:
            parts.append("x{}y{}w{}h{}".format(*self.crop))
        return "_".join(parts) + (".png" if self.is_frame else ".mp4")


def draw_windows(
    facts: MediaFacts, span: tuple[float, float] | None, count: int, rng: np.random.Generator
) -> list[Cut]:
    """Return up to `count` windows that show what is in `span` (seconds; None is everywhere).

    A window lasts half of the clip, within `MIN_WINDOW_S` and `MAX_WINDOW_S`, and holds as much
    of the span as fits. A clip too short for it gives none.
    """
    duration = facts.duration_s or 0.0
    length = min(max(duration / 2, MIN_WINDOW_S), MAX_WINDOW_S)
    if duration < length + 0.2:
        return []
    latest = duration - length
    least, most = (0.0, latest) if span is None else sorted((span[0], span[1] - length))
    least, most = min(max(least, 0.0), latest), min(max(most, 0.0), latest)
    starts = (least + (most - least) * (k + float(rng.random())) / count for k in range(count))
    cuts: list[Cut] = []
    for start in starts:  # in rising order, since each lies in a part of its own
        if not cuts or start >= (cuts[-1].start_s or 0.0) + MIN_APART * length:
            cuts.append(Cut(round(start, 2), round(start + length, 2)))
    return cuts


def window_beside(facts: MediaFacts, span: tuple[float, float]) -> Cut | None:
    """Return the longest window that shows nothing of `span`, None if there is hardly any."""
    duration = facts.duration_s or 0.0
    before, after = (0.0, span[0]), (span[1], duration)
    start, end = max((before, after), key=lambda window: window[1] - window[0])
    if end - start < MIN_WINDOW_S:
        return None
    return Cut(round(start, 2), round(min(end, start + MAX_WINDOW_S), 2))


def draw_crops(facts: MediaFacts, count: int, rng: np.random.Generator) -> list[Cut]:
    """Return up to `count` different crops, none of a picture too small for it."""
    width, height = (2 * int(CROP_SHARE * side / 2) for side in (facts.width, facts.height))
    if min(width, height) < MIN_CROP:
        return []
    corners = {
        (
            2 * int(rng.integers((facts.width - width) // 2 + 1)),
            2 * int(rng.integers((facts.height - height) // 2 + 1)),
        )
        for _ in range(count)
    }
    return [Cut(crop=(left, top, width, height)) for left, top in sorted(corners)]


def middle_frame(facts: MediaFacts, span: tuple[float, float] | None) -> Cut:
    """Return the frame in the middle of `span`, or of the clip."""
    start, end = span or (0.0, facts.duration_s or 0.0)
    at = round((start + end) / 2, 2)
    return Cut(at, at)


def make_cuts(wanted: Sequence[tuple[Path, Cut, Path]], jobs: int) -> dict[Path, str]:
    """Make each (source, cut, target) that is not there yet; return why some could not be.

    The result maps targets to reasons. Each file appears whole or not at all, so a build that was
    killed goes on where it stopped.
    """
    open_ones = [task for task in wanted if not task[2].exists()]
    failed: dict[Path, str] = {}
    with (
        ThreadPoolExecutor(jobs) as pool,
        tqdm(total=len(open_ones), desc="cuts", unit="file", disable=None) as bar,
    ):
        for task, reason in zip(open_ones, pool.map(_try_cut, open_ones), strict=True):
            bar.update()
            if reason:
                failed[task[2]] = reason
    return failed


def _try_cut(task: tuple[Path, Cut, Path]) -> str:
    """Make one cut and return why it failed, nothing if it did not."""
    source, cut, target = task
    partial = target.with_name(f".{os.getpid()}.part-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        run_ffmpeg([*_arguments(source, cut), "file:" + os.path.abspath(partial)])
        if not partial.exists():
            return "the window holds no frame"
        partial.replace(target)
    except (RuntimeError, OSError) as error:  # ffmpeg's own failures, or a full disk
        return f"cannot be cut ({error})"
    finally:
        partial.unlink(missing_ok=True)
    return ""


def _arguments(source: Path, cut: Cut) -> list[str]:
    # A window is taken after -i, which decodes from the start: exact in any container.
    found = ["-protocol_whitelist", "file", "-i", "file:" + os.path.abspath(source)]
    if cut.start_s is not None and cut.end_s is not None:
        found += ["-ss", f"{cut.start_s}"]
        found += [] if cut.is_frame else ["-t", f"{cut.end_s - cut.start_s:.3f}"]
    found += ["-map", "0:v:0", "-an", "-sn", "-dn", "-map_metadata", "-1", "-threads", "1"]
    if cut.is_frame:
        return [*found, "-frames:v", "1", "-update", "1"]
    x, y, w, h = cut.crop or (0, 0, 0, 0)
    frame = f"crop={w}:{h}:{x}:{y}" if cut.crop else "crop=trunc(iw/2)*2:trunc(ih/2)*2"
    # Frames keep their own times: a stutter may be nothing but uneven times.
    return [*found, "-vf", frame, "-fps_mode", "passthrough", "-fflags", "+bitexact", *_ENCODED]
