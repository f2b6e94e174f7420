"""AV1: reference frames, and how a header names all seven by two of them (AV1, 7.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """What later headers may need of a frame: its size, order hint, and whether it is a key."""

    upscaled_width: int
    height: int
    order_hint: int
    key: bool


_LAST, _LAST2, _LAST3, _GOLDEN, _BWDREF, _ALTREF2, _ALTREF = range(7)


def named_references(
    last: int, golden: int, hints: Sequence[int], order_hint: int, hint_bits: int
) -> list[int]:
    """Return the slots of the seven references by set_frame_refs (7.8).

    Args:
        last: slot of LAST_FRAME.
        golden: slot of GOLDEN_FRAME.
        hints: order hint of each of the eight slots.
        order_hint: that of the current frame.
        hint_bits: OrderHintBits, in which order hints wrap around.
    """
    half = 1 << (hint_bits - 1)
    ahead = [((hint - order_hint + half) % (2 * half)) - half for hint in hints]
    slots = {_LAST: last, _GOLDEN: golden}

    def take(name: int, pick: _Pick, candidates: Iterable[int]) -> None:
        free = [slot for slot in candidates if slot not in slots.values()]
        if name not in slots and free:
            slots[name] = pick(free, ahead)

    later = [slot for slot in range(8) if ahead[slot] >= 0]
    earlier = [slot for slot in range(8) if ahead[slot] < 0]
    take(_ALTREF, _latest, later)
    take(_BWDREF, _earliest, later)
    take(_ALTREF2, _earliest, later)
    for name in (_LAST2, _LAST3, _BWDREF, _ALTREF2, _ALTREF):
        take(name, _latest, earlier)
    rest = _earliest(range(8), ahead)
    return [slots.get(name, rest) for name in range(7)]


_Pick = Callable[[Iterable[int], Sequence[int]], int]


def _latest(slots: Iterable[int], ahead: Sequence[int]) -> int:
    """Return the slot furthest ahead; of equals the last one."""
    return max(slots, key=lambda slot: (ahead[slot], slot))


def _earliest(slots: Iterable[int], ahead: Sequence[int]) -> int:
    """Return the slot furthest behind; of equals the first one."""
    return min(slots, key=lambda slot: (ahead[slot], slot))
