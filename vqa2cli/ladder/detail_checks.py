"""A check by the pictures themselves: rungs of one title show the same, so they can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from vqa2cli.ladder.findings import Measure
from vqa2cli.ladder.measured import Ladder, Scored
from vqa2cli.ladder.quality_checks import ONE_RUNG
from vqa2cli.video.detail_track import RATE, Detail

#: Fine detail, codes, below which a picture has none to lose.
_LEAST_CODES = 0.2

#: Shapes this far apart, as a share, are other pixels: one is not compared with the other.
_SAME_SHAPE = 0.02


def losses(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure the share of fine detail that each rung lacks beside the next cheaper one.

    Both are looked at in the same moments and at the same size, which neither need be enlarged to.
    A measure is the second in which most is lost: the smaller loss of its moments, so that a cut
    one frame apart is none. What is black is left to the check of that, and so is all from a stall
    on, after which two rungs need not show the same any more.
    """
    if len(ladder.rungs) < 2:
        return ONE_RUNG
    found = []
    for low, high in ladder.steps():
        pair = _common(low, high)
        if pair is None:
            continue
        seconds = [
            (lost, start)
            for lost, start in _lost(*pair)
            if not _broken(low, start) and not _broken(high, start)
        ]
        if seconds:
            lost, start = max(seconds)
            message = (
                f"{high.name} shows {lost:.0%} less fine detail than {low.name}, which costs less, "
                f"at {start:.0f}-{start + 1:.0f} s"
            )
            found.append(Measure((high.name,), lost, message, start, start + 1.0))
    return found or "no two neighbours have detail in common"


def _common(low: Scored, high: Scored) -> tuple[Detail, Detail] | None:
    """Return the detail of both at the largest size that both have, None where they have none."""
    if low.marks is None or high.marks is None:
        return None
    shapes = [rung.media.width / rung.media.height for rung in (low, high)]
    if abs(shapes[0] / shapes[1] - 1) > _SAME_SHAPE:
        return None
    ours = {seen.side: seen for seen in low.marks.detail}
    both = [(ours[seen.side], seen) for seen in high.marks.detail if seen.side in ours]
    return max(both, key=lambda pair: pair[0].side, default=None)


def _lost(low: Detail, high: Detail) -> list[tuple[float, float]]:
    """Return for each second in which both show something the share lost, and its start."""
    lost = [
        1 - b / a if a is not None and b is not None and a >= _LEAST_CODES else None
        for a, b in zip(low.codes, high.codes, strict=False)
    ]
    return [
        (min(first, second), index / RATE)
        for index, (first, second) in enumerate(pairwise(lost))
        if first is not None and second is not None
    ]


def _broken(rung: Scored, start: float) -> bool:
    """Return whether a rung is black in the second from `start` on, or has stalled by then."""
    end = start + 1.0 + 1 / RATE
    black = rung.marks.black_s if rung.marks else ()
    stalls = rung.stalling.events if rung.stalling else ()
    return any(since < end and until > start for since, until in black) or any(
        event.start < end for event in stalls
    )
