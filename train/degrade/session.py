"""Streaming sessions: pieces of different rungs at one display size, and the stalls between.

A `Session` says what a viewer saw; drawing one needs no pixels, so labels are exact by
construction. `train.degrade.playback` makes the clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from train.degrade.records import Degradation

#: Encoded side over display side, and x264's constant rate factors: the rungs of the ladder.
SCALES = (1.0, 0.75, 0.5, 0.34)
CRFS = (20, 26, 32, 38, 44)

#: Seconds of media between switches of rung, at least and at most.
PIECE_S = (1.0, 4.0)

#: Motion that is left before, after and between stalls, seconds: what tells one from a pause.
CLEAR_S = 1.25

#: Seconds a stall lasts, and most stalls of a session, initial buffering left out.
STALL_S = (0.4, 6.0)
MAX_STALLS = 3

#: How often a session begins with buffering, and how often a stall shows a spinner.
INITIAL_SHARE = 0.35
SPINNER_SHARE = 0.6

#: Seconds from which a stall has severity 2, 3, 4 and 5; ours.
STALL_SEVERITY_S = (0.5, 1.0, 2.0, 4.0)

#: VMAF below which a piece has severity 2, 3, 4 and 5: the five 20-point levels.
VMAF_SEVERITY = (80.0, 60.0, 40.0, 20.0)

Cover = Literal["held", "first", "black"]


@dataclass(frozen=True)
class Piece:
    """Media frames `first` up to `after` of one rung."""

    scale: float
    crf: int
    first: int
    after: int


@dataclass(frozen=True)
class Stall:
    """A wait before media frame `before`, `frames` long.

    `cover` is what shows: the picture held, or at the very beginning the first picture or
    black. A wait before frame 0 is initial buffering, and always has a spinner: without one
    nothing tells it from content.
    """

    before: int
    frames: int
    spinner: bool
    cover: Cover

    def __post_init__(self) -> None:
        """Check the record once.

        Raises:
            ValueError: no length, a held picture where there is none yet, or initial buffering
                without a spinner.
        """
        if self.before < 0 or self.frames < 1:
            raise ValueError(f"a stall of {self.frames} frames before frame {self.before}")
        if (self.cover == "held") != (self.before > 0):
            raise ValueError(f"a stall before frame {self.before} cannot show {self.cover!r}")
        if self.before == 0 and not self.spinner:
            raise ValueError("initial buffering without a spinner cannot be told from content")

    @property
    def kind(self) -> Literal["rebuffer", "freeze", "initial_buffering"]:
        """Its name among the kinds of `vqa2cli.video.stalling`."""
        if self.before == 0:
            return "initial_buffering"
        return "rebuffer" if self.spinner else "freeze"


@dataclass(frozen=True)
class Session:
    """What a viewer saw: pieces without gaps, and stalls in order of media time."""

    pieces: tuple[Piece, ...]
    stalls: tuple[Stall, ...]

    def __post_init__(self) -> None:
        """Check the record once.

        Raises:
            ValueError: pieces that leave a gap or overlap, or stalls out of order or outside.
        """
        joints = [(piece.first, piece.after) for piece in self.pieces]
        if not joints or joints[0][0] != 0 or any(a >= b for a, b in joints):
            raise ValueError(f"pieces {joints} do not begin at 0 and go on")
        if any(here[1] != there[0] for here, there in pairwise(joints)):
            raise ValueError(f"pieces {joints} leave a gap or overlap")
        places = [stall.before for stall in self.stalls]
        if places != sorted(set(places)) or any(place >= self.media_frames for place in places):
            raise ValueError(f"stalls before frames {places} are out of order or after the end")

    @property
    def media_frames(self) -> int:
        """Frames of media, stalls left out."""
        return self.pieces[-1].after

    def shown_at(self, frame: int) -> int:
        """Return which frame of the session shows media frame `frame` first."""
        return frame + sum(stall.frames for stall in self.stalls if stall.before <= frame)


@dataclass(frozen=True)
class MadeStall:
    """A stall as the report of a clip would have it: seconds of presentation and of media."""

    start: float
    end: float
    kind: str
    media_start: float
    spinner: bool
    cover: str

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


def made_stalls(session: Session, fps: float) -> tuple[MadeStall, ...]:
    """Return the stalls of a session with their exact times."""
    return tuple(
        MadeStall(
            start=(session.shown_at(stall.before) - stall.frames) / fps,
            end=session.shown_at(stall.before) / fps,
            kind=stall.kind,
            media_start=stall.before / fps,
            spinner=stall.spinner,
            cover=stall.cover,
        )
        for stall in session.stalls
    )


def degradations_of(
    session: Session, fps: float, vmaf: Sequence[float | None]
) -> tuple[Degradation, ...]:
    """Return one record a stall, and one a piece whose VMAF (0-100, None: not measured) is known.

    Without VMAF a piece has no severity that anyone could stand by, and no record.
    """
    waits = [
        Degradation(
            stall.kind,
            1 + sum(stall.duration >= edge for edge in STALL_SEVERITY_S),
            round(stall.start, 6),
            round(stall.end, 6),
            f"made: {stall.duration:.3f} s, {'spinner' if stall.spinner else 'no spinner'}, "
            f"{stall.cover} picture",
        )
        for stall in made_stalls(session, fps)
    ]
    encodes = [
        Degradation(
            "compression",
            1 + sum(known < edge for edge in VMAF_SEVERITY),
            round((session.shown_at(piece.first)) / fps, 6),
            round((session.shown_at(piece.after - 1) + 1) / fps, 6),
            f"made: x264 crf {piece.crf}, {piece.scale:g} of the display's side, VMAF {known:.1f}",
        )
        for piece, known in zip(session.pieces, vmaf, strict=True)
        if known is not None
    ]
    return tuple(sorted([*waits, *encodes], key=lambda one: one.start_s))


def draw_session(frames: int, fps: float, seed: int) -> Session:
    """Return a session over `frames` media frames, drawn by `seed`."""
    rng = np.random.default_rng(seed)
    return Session(_draw_pieces(frames, fps, rng), _draw_stalls(frames, fps, rng))


def _draw_pieces(frames: int, fps: float, rng: np.random.Generator) -> tuple[Piece, ...]:
    """Return pieces of which no two neighbours have one rung."""
    rungs = [(scale, crf) for scale in SCALES for crf in CRFS]
    pieces: list[Piece] = []
    first = 0
    while first < frames:
        after = first + round(rng.uniform(*PIECE_S) * fps)
        after = frames if frames - after < PIECE_S[0] * fps else after
        others = [rung for rung in rungs if not pieces or rung != _rung(pieces[-1])]
        scale, crf = others[int(rng.integers(len(others)))]
        pieces.append(Piece(scale, crf, first, after))
        first = after
    return tuple(pieces)


def _rung(piece: Piece) -> tuple[float, int]:
    return piece.scale, piece.crf


def _draw_stalls(frames: int, fps: float, rng: np.random.Generator) -> tuple[Stall, ...]:
    stalls = []
    if rng.random() < INITIAL_SHARE:
        cover: Cover = "black" if rng.random() < 0.5 else "first"
        stalls.append(Stall(0, _stall_frames(fps, rng), True, cover))
    clear = round(CLEAR_S * fps)
    room = frames // clear - 1  # stalls that fit with clear media around each
    count = int(rng.integers(0, min(MAX_STALLS, max(room, 0)) + 1))
    spare = frames - clear * (count + 1)
    gaps = np.sort(rng.integers(0, spare + 1, count))
    for index, gap in enumerate(gaps):
        spinner = bool(rng.random() < SPINNER_SHARE)
        stalls.append(
            Stall(int(gap) + clear * (index + 1), _stall_frames(fps, rng), spinner, "held")
        )
    return tuple(stalls)


def _stall_frames(fps: float, rng: np.random.Generator) -> int:
    low, high = np.log(STALL_S)
    return max(round(float(np.exp(rng.uniform(low, high))) * fps), 2)
