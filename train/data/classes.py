"""The 13 distortion classes of stage 1, and which label of which dataset belongs to which.

The classes are the paper's (VQA², stage 1): 11 that a picture shows, 2 that only motion shows.
The mapping of labels is ours and stands in `classes.toml`, where it can be read and changed.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from train.data.files import read_text
from train.kadid import KADID_TYPES, human_mean
from vqa2cli.errors import UsageError

#: What a picture can show.
SPATIAL_CLASSES: Final = (
    "compression artifact",
    "spatial blur",
    "motion blur",
    "noise",
    "overexposure",
    "underexposure",
    "low contrast",
    "high contrast",
    "oversaturation",
    "desaturation",
    "block effect",
)

#: What only motion shows.
MOTION_CLASSES: Final = ("flicker (camera shake)", "stuttering")

CLASSES: Final = (*SPATIAL_CLASSES, *MOTION_CLASSES)

#: Where a label of a clean source leads.
CLEAN: Final = "clean"

Degree = Literal["barely visible", "slight", "moderate", "severe", "extreme"]

#: How strong a distortion is, in words; the severities are those of `train.degrade.records`.
DEGREES: Final[dict[int, Degree]] = {
    1: "barely visible",
    2: "slight",
    3: "moderate",
    4: "severe",
    5: "extreme",
}

#: Mean rating (1-5) from which people see no distortion: nearer to 5, "imperceptible", than to 4
#: on the degradation scale KADID-10k was rated on.
IMPERCEPTIBLE_RATING: Final = 4.5

#: Rating points one severity spans, so that 4.5 down to the worst, 1, holds five.
_RATING_STEP: Final = 0.7

_BUILT_IN: Final = Path(__file__).parent / "classes.toml"

_SECTIONS: Final = ("spatial", "motion", "clean", "by_level", "unmapped")

_KADID_NUMBERS: Final = {name: number for number, name in KADID_TYPES.items()}

Dimension = Literal["spatial", "motion"]


def dimension_of(name: str) -> Dimension:
    """Return whether class `name` shows in a picture or only in motion."""
    return "spatial" if name in SPATIAL_CLASSES else "motion"


def label_key(label: str) -> str:
    """Return `label` as labels are compared: lower case, words parted by one space."""
    return " ".join(re.findall(r"[a-z0-9]+", label.casefold()))


def severity_of_rating(rating: float) -> int:
    """Return 0-5 for a mean rating on the five-point degradation scale; 0 is imperceptible.

    The five severities share the span below `IMPERCEPTIBLE_RATING` evenly.

    Raises:
        ValueError: `rating` lies outside 1-5.
    """
    if not 1.0 <= rating <= 5.0:
        raise ValueError(f"rating {rating} lies outside 1-5")
    if rating >= IMPERCEPTIBLE_RATING:
        return 0
    return min(1 + math.floor((IMPERCEPTIBLE_RATING - rating) / _RATING_STEP + 1e-9), 5)


def perceived_severity(label: str, level: int) -> int:
    """Return how strongly people saw `level` of a label: 0 (not at all) to 5.

    A KADID-10k type counts by the mean rating of its level, since level 1 of one type is
    invisible and of another annoying; any other label's level is its severity.
    """
    number = _KADID_KEYS.get(label_key(label))
    if number is None:
        return level
    return severity_of_rating(1 + 4 * human_mean(number, level) / 100)


_KADID_KEYS: Final = {label_key(name): number for name, number in _KADID_NUMBERS.items()}


@dataclass(frozen=True)
class ClassMap:
    """Labels, as `label_key` writes them, and the class of each.

    Attributes:
        classes: a class or CLEAN for each label.
        by_level: a class for each level of a label.
        unmapped: why a known label has no class.
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    by_level: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    unmapped: Mapping[str, str] = field(default_factory=dict)

    def find(self, label: str, level: int | None = None) -> str | None:
        """Return the class of `label`, CLEAN for a clean source, None if it has none."""
        key = label_key(label)
        if key in self.by_level:
            return None if level is None else self.by_level[key].get(level)
        return self.classes.get(key)

    def why_not(self, label: str, level: int | None = None) -> str:
        """Return why `label` has no class."""
        key = label_key(label)
        if key in self.by_level:
            found = "without a level" if level is None else f"level {level}"
            return f"its class depends on its level, and {found} has none"
        return self.unmapped.get(key, "not a label of the mapping")

    def over(self, other: ClassMap) -> ClassMap:
        """Return `other` with what this map says of a label in place of what that one says."""
        own = {*self.classes, *self.by_level, *self.unmapped}

        def kept(theirs: Mapping[str, Any]) -> dict[str, Any]:
            return {key: value for key, value in theirs.items() if key not in own}

        return ClassMap(
            {**kept(other.classes), **self.classes},
            {**kept(other.by_level), **self.by_level},
            {**kept(other.unmapped), **self.unmapped},
        )


def read_classes(path: Path | None = None) -> ClassMap:
    """Return the built-in mapping, with the user's own file laid over it if one is named.

    Raises:
        UsageError: the file cannot be read, or names a class or a section there is not.
    """
    built_in = _read(_BUILT_IN)
    return built_in if path is None else _read(path).over(built_in)


def _read(path: Path) -> ClassMap:
    try:
        raw = tomllib.loads(read_text(path))
        unknown = raw.keys() - set(_SECTIONS)
        if unknown:
            raise ValueError(f"no section {min(unknown)!r}; one of {', '.join(_SECTIONS)}")
        return ClassMap(
            dict(_labels(raw)), _levels(raw.get("by_level", {})), _reasons(raw.get("unmapped", {}))
        )
    except (tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not a mapping of labels to classes ({error})") from error


def _labels(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (label, class): every class's own name and every label listed under it."""
    for section, known in (("spatial", SPATIAL_CLASSES), ("motion", MOTION_CLASSES)):
        for name, labels in raw.get(section, {}).items():
            _check_class(name, known)
            yield from ((label_key(label), name) for label in (name, *labels))
    yield from ((label_key(label), CLEAN) for label in raw.get("clean", {}).get("labels", ()))


def _levels(raw: Mapping[str, Mapping[str, str]]) -> dict[str, dict[int, str]]:
    for levels in raw.values():
        for name in levels.values():
            _check_class(name, CLASSES)
    return {
        label_key(label): {int(level): name for level, name in levels.items()}
        for label, levels in raw.items()
    }


def _reasons(raw: Mapping[str, str]) -> dict[str, str]:
    return {label_key(label): str(why) for label, why in raw.items()}


def _check_class(name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"no class {name!r}; one of {', '.join(known)}")
