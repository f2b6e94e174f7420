"""A title and its rungs, before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vqa2cli.video.media import DeclaredFacts
from vqa2cli.video.playlists.expand import Refused
from vqa2cli.video.sources import Source

#: What told which files belong together.
GroupedBy = Literal["playlist", "map", "names"]


@dataclass(frozen=True)
class Rung:
    """One rendition: its clip, its short name, and what is declared of it."""

    clip: Source | Refused
    name: str
    declared: DeclaredFacts = field(default_factory=DeclaredFacts)

    @property
    def file(self) -> str:
        """Name of the clip in reports."""
        return str(self.clip)


@dataclass(frozen=True)
class Title:
    """Renditions of one content in one codec, lowest declared bit rate or size first."""

    name: str
    rungs: tuple[Rung, ...]
    grouped_by: GroupedBy


def in_order(rungs: list[Rung]) -> tuple[Rung, ...]:
    """Return `rungs` by declared bit rate, then size, then name."""

    def place(rung: Rung) -> tuple[float, float, str]:
        told = rung.declared
        return (told.bit_rate or 0, told.height or 0, rung.name)

    return tuple(sorted(rungs, key=place))
