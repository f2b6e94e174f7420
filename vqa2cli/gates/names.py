"""Names a user wrote, and the known one each is nearest to."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean X?)` for the known name most like `name`, or nothing.

    Dotted names are also compared by their last part alone.
    """
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        by_end = {full.rpartition(".")[2]: full for full in reversed(names)}
        ends = get_close_matches(name.rpartition(".")[2], by_end, n=1, cutoff=0.7)
        close = [by_end[end] for end in ends]
    return f" (did you mean {close[0]}?)" if close else ""
