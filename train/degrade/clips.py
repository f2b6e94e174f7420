"""The degraded clips of a folder, and everything their labels rest on.

`degraded.jsonl` holds one line a clip, sorted by name; the clips lie in `clips/` beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from train.degrade.records import Degradation
from train.degrade.session import MadeStall
from train.journal import read_journal
from vqa2cli.errors import UsageError

#: The journal's name in its folder.
JOURNAL = "degraded.jsonl"


@dataclass(frozen=True)
class MadePiece:
    """A piece of a session as it is seen: seconds of presentation, coded size, CRF, VMAF."""

    start: float
    end: float
    width: int
    height: int
    crf: int
    vmaf: float | None


@dataclass(frozen=True)
class DegradedClip:
    """One degraded clip and everything its labels rest on.

    `path` is relative to the folder of the journal; `content` and `split` are those of the
    original, `seed` and `seconds` those of the run. `stalls` and `pieces` are empty but for
    sessions, which have no `changed`: how far the degraded frames are from what they would be, root
    mean square over all pixels and channels, 8-bit codes.
    """

    name: str
    path: str
    original: str
    content: str
    split: str | None
    seed: int
    seconds: float
    fps: float
    width: int
    height: int
    length_s: float
    degradations: tuple[Degradation, ...]
    stalls: tuple[MadeStall, ...] = ()
    pieces: tuple[MadePiece, ...] = ()
    changed: float | None = None

    @classmethod
    def from_json(cls, line: dict[str, Any]) -> DegradedClip:
        """Return the record of a line of the journal.

        Raises:
            ValueError: it is not one.
        """
        try:
            return cls(
                **{
                    **line,
                    "degradations": tuple(map(Degradation.from_json, line["degradations"])),
                    "stalls": tuple(MadeStall(**stall) for stall in line["stalls"]),
                    "pieces": tuple(MadePiece(**piece) for piece in line["pieces"]),
                }
            )
        except (TypeError, KeyError) as error:
            raise ValueError(f"not a degraded clip: {error}") from error


def read_degraded(folder: Path) -> list[DegradedClip]:
    """Return the degraded clips of a folder, sorted by name.

    Raises:
        UsageError: there are none, or a line is not one.
    """
    path = folder / JOURNAL
    try:
        return [DegradedClip.from_json(line) for line in read_journal(path)]
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
