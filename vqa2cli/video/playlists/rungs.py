"""Names for the rungs of a playlist, no two alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vqa2cli.video.media import DeclaredFacts


def rung_names(rungs: Sequence[DeclaredFacts]) -> list[str]:
    """Return a name for each rung: `720p`, with its bit rate (`720p-2400k`) where two share it.

    A rung that declares no height is named by its bit rate, one that declares neither by its
    place. Names that are still alike get their place too.
    """
    heights = Counter(rung.height for rung in rungs)
    names = []
    for place, rung in enumerate(rungs, 1):
        rate = f"{round(rung.bandwidth / 1000)}k" if rung.bandwidth else ""
        if rung.height and heights[rung.height] == 1:
            name = f"{rung.height}p"
        elif rung.height:
            name = f"{rung.height}p-{rate or place}"
        else:
            name = rate or str(place)
        names.append(name)
    counts = Counter(names)
    return [f"{name}-{place}" if counts[name] > 1 else name for place, name in enumerate(names, 1)]
