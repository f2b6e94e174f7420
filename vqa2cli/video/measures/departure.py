"""What a picture has beside others of its shot, which needs no idea of how things should look.

How bright, colourful and sharp a scene is meant to be nobody can tell from its pictures alone. A
shot in which that changes and comes back was changed.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.measures.ranks import quantiles

Floats = NDArray[np.float32]

#: Ends of a shot are alike if they differ by no more than this share of all that it spans; ours.
_ALIKE = 0.25

#: Codes above black that a place, or a picture, has at least: less light tells of no change; ours.
LEAST_LIGHT = 10.0

#: Saturation of a place, %, from which it has colour, and least that counts: noise has some; ours.
_COLOUR, _LEAST_COLOUR = 6.0, 4.0
#: Share of the places that must have light, colour or detail, to tell how it changed, and share of
#: those that must have changed alike; ours.
_LEAST_SHARE, _SHARED = 0.2, 0.65
#: Exponent that codes follow light with, about that of BT.709 displays.
GAMMA = 2.2

#: Least blur of a place, 0-1; ours.
_LEAST_BLUR = 0.05
#: Noise passes for detail. A picture does not speak for its shot where its noise is this many
#: codes, and more than this many times that of the quieter pictures, this share of all; ours.
_NOISE_CODES, _NOISIER, _QUIETER = 2.0, 2.0, 0.25
#: Pictures of a shot, half a second apart, above which it is not told what is soft in it: things of
#: all kinds come and go; ours.
_LONGEST = 40


def usual(
    values: Floats, ends: int = 1, least: float = -np.inf, *, lower_end: bool = False
) -> float:
    """Return what is usual among the `values` [n] of a shot; NaN where there are none.

    What a shot begins and ends with alike is usual, however long it is something else between.
    Where its ends differ, or one is at `least` (it fades from black, or to it), the middle one is,
    or, with `lower_end`, the lower of the two ends.

    Args:
        values: in the order of time, NaN where nothing is known.
        ends: how many values make an end.
        least: value that says no more than that there is too little.
        lower_end: faults raise these values, and as a rule nothing lowers them.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan")
    begins, stops = known[:ends], known[-ends:]
    first, last = (float(end[0] if len(end) == 1 else np.median(end)) for end in (begins, stops))
    too_little = min(begins.min(), stops.min()) <= least
    if not too_little and abs(first - last) <= _ALIKE * float(np.ptp(known)):
        return (first + last) / 2
    return min(first, last) if lower_end else float(np.median(known))


class Places:
    """How pictures changed since the one before, place by place.

    The change of a picture is what most of its places have in common, so that what comes into it,
    moves in it or leaves it does not count, as it would in a mean over the picture.
    """

    def __init__(self) -> None:
        self._last: dict[str, Floats] = {}
        self._changes = array("f")

    def add(self, places: dict[str, Floats]) -> None:
        """Take the next picture: `light` and `colour` of points of it, and `blur` of patches.

        One that is not there, or of another number of places, changed by nothing.
        """
        now = {name: np.asarray(values).ravel() for name, values in places.items()}
        pairs = {
            name: (self._last[name], values)
            for name, values in now.items()
            if name in self._last and len(self._last[name]) == len(values)
        }
        light, colour, blur = (
            _change(*which(*pairs[name])) if name in pairs else 0.0 for name, which in _COMPARED
        )
        self._last = now
        self._changes.extend((light, colour, blur))

    def exposure(self, shot: slice, stops: Floats) -> Floats:
        """Return the stops between the exposure of a shot's pictures and the usual one of it: [n].

        What the mean of the pictures tells counts as far as most places share it, in the picture
        that a half second begins with or in that after it.

        Args:
            shot: where its pictures stand among all.
            stops: `pace.drift` of the shot's half seconds, mean over their frames.
        """
        light = self._along(shot, _LIGHT)
        places = GAMMA * (light - usual(light))
        after = np.append(places[1:], places[-1])
        shared = np.maximum(*(each * np.sign(stops) for each in (places, after)))
        told: Floats = np.minimum(np.abs(stops), np.maximum(shared, 0)).astype(np.float32)
        return told

    def saturation(self, shot: slice, values: Floats) -> Floats:
        """Return the saturation of a shot's pictures in % of what is usual in it: [n].

        Light that grows makes colour grow with it, as a rule, and small changes of places add up
        over a long shot: what is no change beside the light, or by itself, or of the picture as a
        whole, counts as none.

        Args:
            shot: where its pictures stand among all.
            values: mean saturation of the shot's pictures, %; NaN where it is not known.
        """
        light, places = self._along(shot, _LIGHT), self._along(shot, _COLOURS)
        whole: Floats = np.log2(np.maximum(values, _LEAST_COLOUR))
        told = (each - usual(each) for each in (places, places - light, whole))
        return _in_percent(*told)

    def blur(self, shot: slice, values: Floats, noise: Floats) -> Floats:
        """Return the blur of a shot's pictures in % of what is usual in it: [n].

        Where its ends differ, that is the blur of the sharper one: faults make pictures softer.

        The picture as a whole must be softer and its places as well, as for `saturation`. NaN for
        pictures whose noise hides how sharp they are, and in long shots.

        Args:
            shot: where its pictures stand among all.
            values: `detail.blur` of the shot's pictures; NaN where it is not known.
            noise: `detail.noise` of them, codes; NaN where it is not known.
        """
        beside = np.full(len(values), np.nan, np.float32)
        known = np.isfinite(values) & np.isfinite(noise)
        if known.any() and len(values) <= _LONGEST:
            quiet = _NOISIER * float(np.quantile(noise[known], _QUIETER))
            known &= noise <= max(quiet, _NOISE_CODES)
            whole = np.log2(np.maximum(values[known], _LEAST_BLUR))
            both = (self._along(shot, _DETAILS)[known], whole)
            beside[known] = _in_percent(*(each - usual(each, lower_end=True) for each in both))
        return beside

    def _along(self, shot: slice, which: int) -> Floats:
        """Return the changes since the first picture of a shot, added up."""
        changes = np.frombuffer(self._changes, np.float32).reshape(-1, len(_COMPARED))[shot, which]
        return np.cumsum(np.append(np.float32(0.0), changes[1:]))


def _least(*departures: NDArray[Any]) -> Floats:
    """Return the least of departures; 0 where they part, NaN where one is not known."""
    stacked = np.stack(departures)
    agree = np.abs(np.sign(stacked).sum(0)) == len(stacked)
    least = np.sign(stacked[0]) * np.abs(stacked).min(0)
    told: Floats = np.where(agree | np.isnan(least), least, 0.0)
    return told


def _in_percent(*departures: NDArray[Any]) -> Floats:
    """Return the least of departures (powers of 2) in percent of the usual."""
    percent: Floats = 100 * np.exp2(_least(*departures))
    return percent


def _change(before: Floats, now: Floats) -> float:
    """Return the change that `_SHARED` of a picture's places reach, powers of 2; 0 without one."""
    if not len(now):
        return 0.0
    least, most = quantiles(np.log2(now / before), (1 - _SHARED, _SHARED))
    return float(max(least, 0.0) + min(most, 0.0))


def _coloured(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Return the places that have colour in one of two pictures, none where those are few."""
    some = np.maximum(before, now) >= _COLOUR
    some &= np.count_nonzero(some) >= _LEAST_SHARE * some.size
    return np.maximum(before[some], _LEAST_COLOUR), np.maximum(now[some], _LEAST_COLOUR)


def _detailed(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Return the places with detail in one of two pictures; where it is gone, all is blurred."""
    some = np.isfinite(before) | np.isfinite(now)
    some &= np.count_nonzero(some) >= _LEAST_SHARE * some.size
    shown = (each[some] for each in (before, now))
    first, second = (np.where(np.isfinite(each), each, np.float32(1)) for each in shown)
    return np.maximum(first, _LEAST_BLUR), np.maximum(second, _LEAST_BLUR)


def _lit(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Return the places that have light in one of two pictures, none where those are few."""
    some = np.maximum(before, now) > LEAST_LIGHT
    some &= np.count_nonzero(some) >= _LEAST_SHARE * some.size
    return before[some], now[some]


#: What is compared in pictures, and which of its places; and where each stands among changes.
_COMPARED = (("light", _lit), ("colour", _coloured), ("blur", _detailed))
_LIGHT, _COLOURS, _DETAILS = range(3)
