"""What there is to say of each attribute of quality: its look, cause, remedy and weight."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from train.data.classes import MOTION_CLASSES, ClassMap, label_key

_FILE: Final = Path(__file__).parent / "attributes.toml"

#: Attributes that only time shows, so no picture is asked about them.
TEMPORAL: Final = frozenset({*MOTION_CLASSES, "exposure drift", "stall", "initial buffering"})


@dataclass(frozen=True)
class Attribute:
    """One attribute; the texts are parts of sentences, `weight` orders equals."""

    name: str
    seen: str
    cause: str
    remedy: str
    weight: float
    like: tuple[str, ...]
    labels: tuple[str, ...] = ()


@cache
def attributes() -> dict[str, Attribute]:
    """Return every attribute that we can say something of, by name."""
    raw = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: Attribute(
            name=name,
            seen=entry["seen"],
            cause=entry["cause"],
            remedy=entry["remedy"],
            weight=entry["weight"],
            like=tuple(entry["like"]),
            labels=tuple(entry.get("labels", ())),
        )
        for name, entry in raw.items()
    }


def attribute_of(label: str, level: int | None, classes: ClassMap) -> str:
    """Return the attribute that a distortion label is told as; the label itself if none fits."""
    found = classes.find(label, level)
    if found is not None:
        return found
    key = label_key(label)
    for name, attribute in attributes().items():
        if key in map(label_key, attribute.labels):
            return name
    return key


def weight_of(name: str) -> float:
    """Return how much an attribute drags quality down; one we do not know comes last."""
    known = attributes().get(name)
    return 0.0 if known is None else known.weight


def unlike(present: frozenset[str], *, moving: bool) -> list[str]:
    """Return attributes that are not in `present` and look like none of it.

    Those that only time shows are among them if `moving`.
    """
    table = attributes()
    near = {other for name in present if name in table for other in table[name].like}
    return [
        name
        for name, attribute in table.items()
        if name not in present
        and name not in near
        and not present & set(attribute.like)
        and (moving or name not in TEMPORAL)
    ]
