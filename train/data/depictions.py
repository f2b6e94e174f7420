"""Depictions: what is wrong with a clip or a picture, how much and when, as one JSON line each.

They are read from a user's annotations or made from what is known of a degraded clip. The schema
is `depiction_schema()`; `docs/training-data.md` explains it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from train.data.attributes import weight_of
from train.data.classes import DEGREES, Degree
from train.data.files import read_text, write_whole
from train.data.records import Split
from vqa2cli.errors import UsageError
from vqa2cli.levels import level_of

Level = Literal["high", "good", "fair", "poor", "low"]
Text = Annotated[str, Field(min_length=1)]

_STRICT: Final = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

_SEVERITIES: Final = {word: severity for severity, word in DEGREES.items()}


@dataclass(frozen=True, config=_STRICT)
class Finding:
    """One thing that is wrong.

    Attributes:
        attribute: what, best one of `train.data.attributes`.
        degree: how strong.
        start_s, end_s: when, seconds; None from the start, to the end.
        where: the part of the picture, such as "the background"; None is all of it.
    """

    attribute: Text
    degree: Degree
    start_s: Annotated[float, Field(ge=0)] | None = None
    end_s: Annotated[float, Field(gt=0)] | None = None
    where: Text | None = None

    def __post_init__(self) -> None:
        """Check that the span has a length."""
        if self.end_s is not None and self.end_s <= (self.start_s or 0.0):
            raise ValueError(
                f"{self.attribute} from {self.start_s or 0:g} to {self.end_s:g} s has no length"
            )

    @property
    def severity(self) -> int:
        """1 (barely visible) to 5 (extreme)."""
        return _SEVERITIES[self.degree]

    @property
    def has_span(self) -> bool:
        """Whether it shows in part of the clip only."""
        return self.start_s is not None or self.end_s is not None


@dataclass(frozen=True, config=_STRICT)
class Depiction:
    """What people see in one clip or picture.

    Attributes:
        media: path below the media folder.
        findings: what is wrong; none says that nothing visible is.
        scene: what is shown, such as "a kitten on a wooden floor".
        score: quality on 0-100; `level` is the word, which has to agree.
        source: `human` for an annotation, `made` where the degradation was made.
        content: what is seen, as `dataset/name`; nothing of one content is in two splits.
    """

    media: Text
    findings: tuple[Finding, ...] = ()
    scene: Text | None = None
    score: Annotated[float, Field(ge=0, le=100)] | None = None
    level: Level | None = None
    source: Literal["human", "made"] = "human"
    content: str | None = None
    split: Split | None = None
    dataset: str | None = None

    def __post_init__(self) -> None:
        """Check that score and level agree."""
        if self.score is not None and self.level is not None and self.word != self.level:
            raise ValueError(f"score {self.score:g} is {self.word}, but level says {self.level}")

    @property
    def word(self) -> str | None:
        """The level of the overall quality, None where it is not known."""
        return self.level if self.score is None else level_of(self.score)

    @property
    def ranked(self) -> tuple[Finding, ...]:
        """The findings, strongest first; equals by how much they drag quality down."""
        return tuple(
            sorted(self.findings, key=lambda one: (-one.severity, -weight_of(one.attribute)))
        )

    @property
    def present(self) -> frozenset[str]:
        """The attributes found."""
        return frozenset(one.attribute for one in self.findings)


_ADAPTER: Final = TypeAdapter(Depiction)


def depiction_schema() -> dict[str, Any]:
    """Return the JSON schema of one line."""
    return _ADAPTER.json_schema()


def read_depictions(path: Path) -> list[Depiction]:
    """Return the depictions of a JSON-lines file; blank lines are passed over.

    Raises:
        UsageError: it cannot be read, or a line is no depiction; the line is named.
    """
    found = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(_ADAPTER.validate_json(line))
        except ValidationError as error:
            raise UsageError(
                f"{path}, line {number}: no depiction ({first_fault(error)})"
            ) from error
    return found


def write_depictions(path: Path, depictions: Iterable[Depiction]) -> int:
    """Write one line a depiction, the file whole or not at all, and return how many.

    Raises:
        UsageError: it cannot be written.
    """
    lines = [as_line(depiction) + "\n" for depiction in depictions]
    write_whole(path, "".join(lines))
    return len(lines)


def as_line(depiction: Depiction) -> str:
    """Return a depiction as one line of JSON, without what is not known."""
    return json.dumps(_ADAPTER.dump_python(depiction, mode="json", exclude_none=True))


def first_fault(error: ValidationError) -> str:
    """Return the first thing that is wrong with a record, in one line."""
    fault = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in fault["loc"])
    return f"{where}: {fault['msg']}" if where else str(fault["msg"])


def unique_media(depictions: Sequence[Depiction]) -> list[Depiction]:
    """Return `depictions` as they are.

    Raises:
        UsageError: two are of one medium.
    """
    seen = set[str]()
    for depiction in depictions:
        if depiction.media in seen:
            raise UsageError(f"{depiction.media}: depicted twice; keep one depiction of it")
        seen.add(depiction.media)
    return list(depictions)
