"""What a view shows, as an answer may tell it: a fault, its degree, its span, and the quality."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from train.kadid import FOUND_AS
from vqa2cli.levels import degree_of, level_of
from vqa2cli.model.recognition import UNCLEAR, Reading

#: What a clip is called that is encoded and not distorted besides.
ENCODED = FOUND_AS[0]

#: What such a clip shows where its quality says that something is seen.
COMPRESSED = "compression"

#: Names of faults, each once.
NAMES = tuple(dict.fromkeys(name for name in FOUND_AS if name != ENCODED))

#: Words for parts of a view, each from and to which share of it.
SPANS: dict[str, tuple[float, float]] = {
    "throughout": (0.0, 1.0),
    "at the beginning": (0.0, 1 / 3),
    "in the middle": (1 / 3, 2 / 3),
    "at the end": (2 / 3, 1.0),
    "in the first half": (0.0, 0.5),
    "in the second half": (0.5, 1.0),
}


@dataclass(frozen=True)
class Fault:
    """What is wrong: its name, None for one without; how bad it is; a word of `SPANS`."""

    name: str | None
    degree: str
    span: str = "throughout"


@dataclass(frozen=True)
class Shown:
    """What a view of a clip shows.

    Attributes:
        quality: of its pictures, 0-100.
        fault: the fault seen in it; None where nothing is.
        denied: names of faults that it does not show; of the others nothing is said.
    """

    quality: float
    fault: Fault | None
    denied: frozenset[str]

    @property
    def level(self) -> str:
        """The word for its quality."""
        return level_of(self.quality)


def shown_by(told: Sequence[Reading]) -> Shown:
    """Return what key frames show throughout, by what is read in them.

    It is what more than half of them are read to show; a name that none is read to show, nor one
    that looks like it, is denied. Compression counts as seen below the highest level only.
    """
    quality = sum(one.quality for one in told) / len(told)
    degree = degree_of(quality)
    counts = Counter(one.name for one in told)
    name, count = counts.most_common(1)[0]
    known = name if name != UNCLEAR and 2 * count > len(told) else None
    if degree == "none" or (known == ENCODED and level_of(quality) == "high"):
        return Shown(quality, None, frozenset(NAMES))
    shown = [COMPRESSED if each == ENCODED else each for each in counts if each != UNCLEAR]
    denied = frozenset(NAMES).difference(*map(akin, shown)) if known else frozenset()
    return Shown(quality, Fault(COMPRESSED if known == ENCODED else known, degree), denied)


#: Faults that look alike: where one is seen, nothing is said of the others.
_KIN = (
    {"compression", "blur", "block_effect", "banding"},
    {"blur", "motion_blur", "scattered_pixels"},
    {"overexposure", "brightness_shift", "contrast_change"},
    {"underexposure", "brightness_shift", "contrast_change"},
    {"undersaturation", "contrast_change"},
    {"noise", "scattered_pixels", "oversharpening"},
    {"color_bleeding", "color_shift", "oversaturation"},
)


def akin(name: str) -> set[str]:
    """Return the faults that may be taken for the one called `name`, itself among them."""
    return {name}.union(*(kin for kin in _KIN if name in kin))
