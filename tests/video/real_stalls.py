"""Real clips that are made to stall where they move.

What a clip does, when, for how long and how it is encoded are drawn by lot from its name.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np

from tests.video.stall_cases import Encode, Matched, Shown, matched, stalls_of
from tests.video.stall_media import (
    Cover,
    blacked_out,
    covered,
    dimmed,
    spinning,
    under_controls,
)
from vqa2cli.video.synthesis import Frame, with_freeze

#: What a clip is made to do.
KINDS = ("freeze", "spinner", "at the start", "at the end", "twice", "none")

#: And what a player lays over it while it stands, in kinds of their own.
COVERS: dict[str, Cover] = {
    "dimmed": dimmed, "black screen": blacked_out, "controls": under_controls
}  # fmt: skip

#: Longest that is taken of a clip, seconds.
TAKEN_S = 6.0

#: Longer side that clips are shown at, pixels.
_SIDE = 640
#: Seconds on each side of a stall in which most frames must move: a picture at rest cannot be
#: seen to stop. The share of frames, and the mean difference of two frames in motion, codes.
_MOVING_S, _MOST = 0.5, 0.75
_MOTION = 0.5
_SECONDS = (0.5, 0.7, 1.0, 2.0, 4.0)
_CODECS = {
    "libx264": (".mp4", (20, 38)),
    "libx265": (".mp4", (22, 36)),
    "libvpx-vp9": (".webm", (25, 45)),
    "libsvtav1": (".mp4", (25, 45)),
}


@dataclass(frozen=True)
class Case:
    """A clip that was made to do `kind`, and how it was encoded; what it shows, and what was found.

    `shown` and `found` are None where it does not move enough to be seen to stop.
    """

    clip: str
    kind: str
    encoded_as: str
    shown: Shown | None
    found: Matched | None


def made_to_stall(
    clip: Path, kinds: Sequence[str] = KINDS, taken_s: float = TAKEN_S, drawn: int = 0
) -> Iterator[Case]:
    """Show the first `taken_s` seconds of `clip` smaller, once a kind; `drawn` is another lot."""
    frames, fps = _frames(clip, taken_s)
    lot = random.Random(f"{clip.name} {drawn}")
    for kind in kinds:
        encoded_as, encode = _encode(lot)
        shown = _shown(frames, fps, kind, lot)
        found = None
        if shown is not None:
            with tempfile.TemporaryDirectory() as folder:
                found = matched(shown, stalls_of(shown, encode, Path(folder)))
        yield Case(clip.name, kind, encoded_as, shown, found)


def _frames(clip: Path, taken_s: float) -> tuple[list[Frame], float]:
    """Return the first frames of a clip, its longer side at most `_SIDE`, and their rate."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 25)
        scale = min(1.0, _SIDE / max(stream.width, stream.height))
        size = [round(scale * length / 8) * 8 for length in (stream.width, stream.height)]
        shown = islice(container.decode(video=0), round(taken_s * rate))
        return [
            frame.reformat(*size, "rgb24", interpolation="AREA", threads=1).to_ndarray()
            for frame in shown
        ], rate


def _encode(lot: random.Random) -> tuple[str, Encode]:
    """Return an encode drawn by lot, and what to call it."""
    codec = lot.choice(list(_CODECS))
    suffix, qualities = _CODECS[codec]
    gop, crf = lot.choice((30, 48, 60, 120, 250)), lot.randint(*qualities)
    options = {"crf": str(crf)} | ({"b": "0"} if codec == "libvpx-vp9" else {})
    encode = Encode(suffix, {"codec": codec, "gop": gop, "options": options})
    return f"{codec} gop {gop} crf {crf}", encode


def _shown(frames: Sequence[Frame], fps: float, kind: str, lot: random.Random) -> Shown | None:
    """Return what is shown of a clip that stalls; None where it does not move enough for it."""
    if kind == "none":
        return Shown(lambda: frames, (), fps=fps)
    small = np.stack([frame[::4, ::4, 1] for frame in frames]).astype(np.int16)
    moves = np.abs(np.diff(small, axis=0)).mean((1, 2)) >= _MOTION
    length, near = round(lot.choice(_SECONDS) * fps), max(round(_MOVING_S * fps), 6)
    if kind == "at the start":
        if len(moves) < 2 * near or moves[:near].mean() < _MOST:
            return None
        return Shown(lambda: with_freeze(frames, 1, length), ((0, length + 1),), fps=fps)
    places = [
        at
        for at in range(2 * near, len(frames) - near)
        if min(moves[at - near : at].mean(), moves[at : at + near].mean()) >= _MOST
    ]
    if not places:
        return None
    at = lot.choice(places)
    spans: tuple[tuple[int, int], ...] = ((at, at + length),)
    if kind == "at the end":
        return Shown(lambda: with_freeze(frames[:at], at, length), spans, fps=fps)
    stalled = with_freeze(frames, at, length)
    if kind in COVERS:
        late = lot.choice((0, 0, length // 3))
        stalled = covered(stalled, at + late, length - late, COVERS[kind])
    if kind == "spinner":
        side = round(min(frames[0].shape[:2]) * lot.uniform(0.05, 0.25))
        stalled = spinning(stalled, at, length, side)
    if kind == "twice":
        later = [place for place in places if place >= at + fps]
        if not later:
            return None
        again = lot.choice(later) + length
        stalled = with_freeze(stalled, again, length)
        spans += ((again, again + length),)
    return Shown(lambda: stalled, spans, fps=fps)
