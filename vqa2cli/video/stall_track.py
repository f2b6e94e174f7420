"""What is measured on every frame, and the still runs it forms.

A frame is compared with the frame before it (how much moves) and with the first frame of the
current still run (does it still stand). Comparing with a held frame tells slow motion from none:
motion adds up, noise does not. A key frame inside a hold steps in every tile at once, evenly; its
flag and that evenness tell it from motion.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.stall_pictures import OUTSIDE, Change, Differences, Luma, Pictures

#: Frames that are compared with a held one together.
_AHEAD = 4
#: Growth of the median since the held frame that is still noise: gain, and levels beyond it.
_GROWTH = (1.5, 0.75)
#: Frames between key frames from which on one may be recoding: an intra-only codec heals nothing.
SPARSE_KEYS = 8
#: Least step (90th percentile of tile means, levels) that what is laid over a picture makes, and
#: the share of it that comes at once.
_LAID_OVER = 6.0
_AT_ONCE = 0.6
#: Factor from which on a picture is dimmed, or lit again.
_DIMS = 1.15
#: Frames on each side of a run in which it is looked at where something moves.
_BESIDE = 5
#: Frames a codec blends over, around a key frame or where motion stops and starts: x265
#: and x264 with three B-frames take up to four.
CODING_FRAMES = 5


class Frame(NamedTuple):
    """Frame `number` of a clip, which shows nothing where it is `blank`.

    Where it is `dark`, it shows nothing outside its middle. `step` is how far it is from the frame
    before it (`Change.shift`).
    """

    number: int
    picture: Pictures
    step: float
    blank: bool
    dark: bool


class Row:
    """Frames that are looked at together, of which the clip's frame `first` is the first.

    Args:
        lumas: their samples [90, 160] each.
        recodes: for each, whether it is a key frame that may code the held picture anew.
        before: samples of the frame before them; the first frame of a clip stands for it.
    """

    def __init__(
        self, first: int, lumas: Sequence[Luma], recodes: Sequence[bool], before: Luma | None
    ) -> None:
        self.first = first
        self.recodes = recodes
        pictures = Pictures.of([lumas[0] if before is None else before, *lumas])
        self._pictures = pictures[1:]
        self.steps = Differences.between(self._pictures, pictures[:-1])
        told = (self.steps.shift, self._pictures.blank(), self._pictures.dark())
        self.frames = [
            Frame(first + at, self._pictures[at : at + 1], *each)
            for at, each in enumerate(zip(*(column.tolist() for column in told), strict=True))
        ]
        self.same, self.same_outside = self._pictures.same(pictures[:-1])
        self.moved = self.steps.changes()
        self._since: dict[tuple[int, int, float], tuple[Change, float]] = {}

    def since(self, at: int, held: Frame, noise: float) -> tuple[Change, float]:
        """Return how frame `at` differs from a held one beyond noise, and how much that is.

        Noise is the most of `noise` and of what frames differed by from there on. Some of the
        frames that follow are looked at as well: it is likely that they are asked for.
        """
        asked = (at, held.number, noise)
        if asked not in self._since:
            ahead = slice(at, at + _AHEAD)
            heard = np.where(self.recodes[ahead], np.float32(0), self.steps.noise[ahead])
            heard[0] = max(heard[0], noise)
            heard = np.maximum.accumulate(heard)
            found = Differences.between(self._pictures[ahead], held.picture).changes(heard)
            for change, most in zip(found, heard.tolist(), strict=True):
                self._since[at, held.number, noise] = change, most
                at, noise = at + 1, most
        return self._since[asked]


@dataclass(slots=True)
class Run:
    """Frames `first` to `last`, both included, that show what frame `first - 1` shows.

    `again` says that the run shortly before it showed the same, `covers` that it shows the picture
    before it with something over a part, or dimmed, as `dims` says; `comes_up` that it faded in on
    black; `dark` that it is black but for its middle, as what was before it is not, and `returns`
    that the shot before it then goes on.
    `crept` says that the run before it ended without a visible step, by slow change adding up;
    `jump` is then how far (`Change.shift`) its held frame is from that run's last. `heat` counts,
    per tile, the frames that moved there, `active` the frames with any such tile. `left` and `met`
    mark the tiles [18, 32] that moved in the moving frames just before and after it.
    """

    first: int
    last: int
    crept: bool
    jump: float
    blank: bool
    again: bool = False
    covers: bool = False
    dims: bool = False
    comes_up: bool = False
    dark: bool = False
    returns: bool = False
    heat: NDArray[np.uint32] | None = None  # None: nothing moved; hours of repeats stay small
    active: int = 0
    left: NDArray[np.bool_] | None = None
    met: NDArray[np.bool_] | None = None


@dataclass
class FrameLog:
    """Per-frame scalars of a clip, in order; a few bytes each, so hours of video fit.

    `moving` is 1 where the frame differs from the one before it beyond noise and recoding;
    `activity` is what moved beyond noise, its mean over all tiles: area times amplitude; `same`
    is the share of samples that are those of the frame before; `shift` and `noise` are those of
    `Change`. `moving_outside`, `outside` and `same_outside` are `moving`, `activity` and `same`
    outside the middle of the picture.
    """

    pts_s: array[float] = field(default_factory=lambda: array("d"))
    key: bytearray = field(default_factory=bytearray)
    moving: bytearray = field(default_factory=bytearray)
    moving_outside: bytearray = field(default_factory=bytearray)
    activity: array[float] = field(default_factory=lambda: array("f"))
    outside: array[float] = field(default_factory=lambda: array("f"))
    same: array[float] = field(default_factory=lambda: array("f"))
    same_outside: array[float] = field(default_factory=lambda: array("f"))
    shift: array[float] = field(default_factory=lambda: array("f"))
    noise: array[float] = field(default_factory=lambda: array("f"))

    def add(self, pts_s: Sequence[float], row: Row) -> None:
        """Take the frames of `row` and their times."""
        self.pts_s.extend(pts_s)
        self.key.extend(row.recodes)
        self.moving.extend(not each.stands for each in row.moved)
        self.moving_outside.extend(not each.stands_around for each in row.moved)
        tiles = row.steps.tiles
        active = np.where(np.stack([each.moved for each in row.moved]), tiles, np.float32(0))
        self.activity.extend(active.mean((1, 2)).tolist())
        self.outside.extend((active[:, OUTSIDE].sum(1) / OUTSIDE.size).tolist())
        self.same.extend(row.same.tolist())
        self.same_outside.extend(row.same_outside.tolist())
        self.shift.extend(row.steps.shift.tolist())
        self.noise.extend(row.steps.noise.tolist())


class RunFinder:
    """Cuts a stream of pictures into still runs; `outside_only` overlooks the middle."""

    def __init__(self, *, outside_only: bool) -> None:
        self.runs: list[Run] = []
        self._outside_only = outside_only
        self._held: Frame | None = None
        self._open: Run | None = None
        self._noise = 0.0
        self._crept = False
        self._last: Frame | None = None  # last frame of the latest run
        self._before: Frame | None = None  # and of the one before, of those that are kept
        self._recent: deque[NDArray[np.bool_]] = deque(maxlen=_BESIDE)
        self._closed: tuple[Run, int] | None = None  # a run, and frames after it to look at
        self._latest: deque[Frame] = deque(maxlen=CODING_FRAMES)  # frames before the present one
        self._entered: tuple[Frame, ...] = ()  # and those up to the held one
        self._broken_off: tuple[Frame, ...] = ()  # and those before the run that closed

    def add(self, row: Row) -> None:
        """Take the frames of `row`."""
        if self._held is None:
            self._held = row.frames[0]
            self._entered = (row.frames[0],)
            self._latest.append(row.frames[0])
        for at in range(int(row.first == 0), len(row.moved)):
            self._take(at, row)
            self._latest.append(row.frames[at])

    def _take(self, at: int, row: Row) -> None:
        moved, recodes = row.moved[at], row.recodes[at]
        still = moved.still(outside_only=self._outside_only)
        if not still:
            self._recent.append(moved.moved)
            if self._closed is not None:
                self._meet(row.frames[at], moved.moved)
        healed = recodes and moved.recoded and self._open is not None
        if not still and not healed:
            self._restart(row.frames[at], crept=False)
        elif self._open is not None and not recodes and self._left(at, row):
            self._restart(row.frames[at], crept=True)
        else:
            self._extend(row.frames[at], moved, healed)

    def _left(self, at: int, row: Row) -> bool:
        """Whether slow change has added up since the held frame."""
        assert self._held is not None
        since, self._noise = row.since(at, self._held, self._noise)
        gain, levels = _GROWTH
        grown = since.noise > gain * self._noise + levels
        return grown or not since.still(outside_only=self._outside_only)

    def _restart(self, frame: Frame, *, crept: bool) -> None:
        """Hold `frame` from now on; forget a run of one frame, a cadence is full of them."""
        if self._open is not None:
            if self._open.first == self._open.last and not self._open.crept:
                self.runs.pop()
            else:
                if crept and self._open.first + 1 == self._open.last and self._last is not None:
                    self._look_back(self._last)  # it is refined before its third frame
                self._before = self._last
                self._closed = self._open, _BESIDE
                self._broken_off = self._entered
                if not crept:
                    self._meet(frame, self._recent[-1])
        if not (frame.dark and all(each.dark for each in self._latest)):  # else it is dark still
            self._entered = (*self._latest, frame)
        self._open, self._held, self._noise, self._crept = None, frame, 0.0, crept

    def _extend(self, frame: Frame, moved: Change, healed: bool) -> None:
        """Lengthen the open run by a frame, or open one."""
        assert self._held is not None
        if self._open is None:
            jump = 0.0
            if self._crept and self._last is not None:
                jump = self._held.picture.jump(self._last.picture)
            self._open = Run(frame.number, frame.number, self._crept, jump, self._held.blank)
            self.runs.append(self._open)
        elif self._open.first == self._open.last:
            self._open.again = self._shown_before(frame)
            if self._recent:
                self._open.left = np.logical_or.reduce(list(self._recent))
        elif self._open.first + 1 == self._open.last:
            self._look_back(frame)
        self._open.last = frame.number
        self._last = frame
        if healed:
            self._held = frame
        elif moved.active:  # what recoding changes is no spinner
            heat = self._open.heat
            self._open.heat = moved.moved.astype(np.uint32) if heat is None else heat + moved.moved
            self._open.active += 1

    def _look_back(self, frame: Frame) -> None:
        """Note what `frame`, which stands, makes of the picture before it stood."""
        assert self._open is not None
        step = 0.0
        for each in reversed(self._entered):
            jump = frame.picture.jump(each.picture)
            if jump >= _LAID_OVER and step >= _AT_ONCE * jump:  # else it dissolved into this
                gain = frame.picture.gain_over(each.picture)
                self._open.covers |= gain is not None
                self._open.dims |= gain is not None and not 1 / _DIMS < gain < _DIMS
            step = max(step, each.step)
        self._open.comes_up = frame.picture.comes_up_from(self._entered[0].picture)
        self._open.dark = frame.dark and not all(each.dark for each in self._entered)

    def _meet(self, frame: Frame, moved: NDArray[np.bool_]) -> None:
        """Note where something moved in a frame after the run that closed last.

        After a dark one it may go on with the shot before.
        """
        assert self._closed is not None
        run, remaining = self._closed
        if run.dark and not run.returns:
            shot = (each.picture for each in self._broken_off if not each.dark)
            run.returns = any(map(frame.picture.of_one_shot, shot))
        run.met = moved.copy() if run.met is None else run.met | moved
        self._closed = (run, remaining - 1) if remaining > 1 else None

    def _shown_before(self, frame: Frame) -> bool:
        """Whether the run that ended shortly before `frame` showed the same."""
        if self._before is None or self._open is None:
            return False
        if self._open.first - self._before.number - 1 > CODING_FRAMES:
            return False
        (since,) = Differences.between(frame.picture, self._before.picture).changes()
        return since.still(outside_only=self._outside_only)
