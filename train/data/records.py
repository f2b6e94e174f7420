"""Samples of an instruction set, and the JSON the authors keep them in.

Two spellings are read (REFERENCE.md §5): that of the LLaVA code, where the key `image` names a
video if `frames per sec` is there too and turns hold `value`; and that of the Qwen2.5-VL code,
with `video` or `image`, turns that hold `content`, and `<video>` in the text. The first is
written. Keys we add stand under `provenance`, which the authors' loaders pass over.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from train.data.files import write_whole
from train.data.json_lists import json_records
from train.data.mixtures import parts_of
from vqa2cli.errors import UsageError
from vqa2cli.model.protocols import SLOT

Role = Literal["human", "gpt"]
Kind = Literal["video", "image"]
Split = Literal["train", "val", "test"]

#: Presence of this key, not its value, makes a record a video in the authors' loader.
FPS_KEY: Final = "frames per sec"

#: One `<video>` of the Qwen2.5-VL spelling holds key frames and then motion.
_VIDEO_SLOT: Final = "<video>"

_ROLES: Final[dict[str, Role]] = {
    "human": "human",
    "user": "human",
    "gpt": "gpt",
    "assistant": "gpt",
}


@dataclass(frozen=True)
class Turn:
    """What one side says; `<image>` stands where a block of features goes."""

    role: Role
    text: str


@dataclass(frozen=True)
class Provenance:
    """Where a sample comes from; every field may be unknown (None).

    Attributes:
        stage: 1, 2 or 3.
        task: what it teaches, such as `ugc`, `streaming`, `spatial`, `motion`, `choice`.
        dataset: the set its label is from.
        content: what is seen, `dataset/name`; no content stands in two splits.
        split: the split its content belongs to.
        source: how the label came about: `human`, `made`, `template`, `llm`.
    """

    stage: int | None = None
    task: str | None = None
    dataset: str | None = None
    content: str | None = None
    split: Split | None = None
    source: str | None = None


@dataclass(frozen=True)
class Sample:
    """One conversation about one clip or picture.

    Attributes:
        id: unique within its set.
        media: path below the media folder, with forward slashes.
        turns: human and gpt in alternation, human first and gpt last.
        fps: frames a second the label table or the file states; None where not known.
        gt_score: the label on 0-100, where the sample has one.
        task_mark: the authors' free mark, kept as it is.
    """

    id: str
    media: str
    kind: Kind
    turns: tuple[Turn, ...]
    fps: float | None = None
    gt_score: float | None = None
    task_mark: str | None = None
    provenance: Provenance = Provenance()

    def __post_init__(self) -> None:
        """Check the record once.

        Raises:
            ValueError: the media path leaves its folder, the turns do not alternate, or a
                number is not finite.
        """
        _check_media(self.media)
        expected = ("human", "gpt") * (len(self.turns) // 2)
        if not self.turns or tuple(turn.role for turn in self.turns) != expected:
            found = ", ".join(turn.role for turn in self.turns) or "none"
            raise ValueError(f"turns must alternate human, gpt and end with gpt; found {found}")
        for name, value in ((FPS_KEY, self.fps), ("gt_score", self.gt_score)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value}; give a finite number")
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"{FPS_KEY} is {self.fps}; give a number above 0")


def read_samples(path: Path, *, seed: int = 0) -> list[Sample]:
    """Return the samples of a JSON list, or of several that one path names.

    Args:
        path: a list (.json), one record a line (.jsonl), several lists as `part{1,2}.json`, or
            a YAML that says how much to take of each (see `train.data.mixtures`).
        seed: of what a YAML draws at random.

    Raises:
        UsageError: the file cannot be read, or a record is malformed; the line and the index of
            the record are named.
    """
    return [
        sample for part in parts_of(path) for sample in part.of(_read_list(part.path), seed=seed)
    ]


def _read_list(path: Path) -> list[Sample]:
    samples = []
    for index, (line, record) in enumerate(json_records(path)):
        try:
            samples.append(_sample(record, f"{path.stem}-{index}"))
        except ValueError as error:
            raise UsageError(f"{path}, line {line}, record {index}: {error}") from error
    return samples


def write_samples(path: Path, samples: Iterable[Sample]) -> int:
    """Write a set in the authors' layout, one record a line, and return how many.

    The file appears whole or not at all. A video of unknown rate is written with a null rate,
    since it is the key that marks a video.

    Raises:
        UsageError: the file cannot be written, or two samples share an id.
    """
    lines, seen = [], set[str]()
    for sample in samples:
        if sample.id in seen:
            raise UsageError(f"{path}: two samples are called {sample.id}; ids must be unique")
        seen.add(sample.id)
        lines.append(json.dumps(as_record(sample), allow_nan=False))
    write_whole(path, "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n")
    return len(lines)


def as_record(sample: Sample) -> dict[str, Any]:
    """Return the authors' JSON object of a sample (LLaVA spelling)."""
    record: dict[str, Any] = {"id": sample.id, "image": sample.media}
    if sample.kind == "video":
        record[FPS_KEY] = sample.fps
    record["conversations"] = [{"from": turn.role, "value": turn.text} for turn in sample.turns]
    for key, value in (("gt_score", sample.gt_score), ("task_mark", sample.task_mark)):
        if value is not None:
            record[key] = value
    known = {key: value for key, value in asdict(sample.provenance).items() if value is not None}
    return {**record, "provenance": known} if known else record


def _sample(record: Any, default_id: str) -> Sample:
    """Return the sample of one JSON value in either spelling.

    Raises:
        ValueError: it is not one.
    """
    if not isinstance(record, dict):
        raise ValueError(f"expected an object, found {type(record).__name__}")
    kind: Kind = "video" if FPS_KEY in record or "video" in record else "image"
    fps = _number(record, FPS_KEY)
    mark = record.get("task_mark")
    return Sample(
        id=str(record.get("id", default_id)),
        media=_media(record),
        kind=kind,
        turns=_turns(record.get("conversations")),
        fps=fps,
        gt_score=_number(record, "gt_score"),
        task_mark=None if mark is None else str(mark),
        provenance=_provenance(record.get("provenance", {})),
    )


def _media(record: dict[str, Any]) -> str:
    found = record.get("image", record.get("video"))
    if isinstance(found, list):
        if len(found) != 1:
            raise ValueError(f"{len(found)} media in one record; one clip or picture is read")
        found = found[0]
    if not isinstance(found, str):
        raise ValueError("no key image or video that names a file")
    return found


def _check_media(media: str) -> None:
    path = PurePosixPath(media)
    if not media.strip() or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"media path {media!r}; give one below the media folder")


def _turns(found: Any) -> tuple[Turn, ...]:
    if not isinstance(found, list):
        raise ValueError("no list of conversations")
    return tuple(_turn(turn, number) for number, turn in enumerate(found))


def _turn(found: Any, number: int) -> Turn:
    if not isinstance(found, dict):
        raise ValueError(f"turn {number}: expected an object, found {type(found).__name__}")
    role = found.get("from")
    if not isinstance(role, str) or role not in _ROLES:
        raise ValueError(f"turn {number}: from is {role!r}; one of {', '.join(_ROLES)}")
    text = found.get("value", found.get("content"))
    if not isinstance(text, str):
        raise ValueError(f"turn {number}: no text under value or content")
    return Turn(_ROLES[role], text.replace(_VIDEO_SLOT, SLOT + SLOT))


def _number(record: dict[str, Any], key: str) -> float | None:
    value = record.get(key)
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{key} is {value!r}; give a number") from error


def _provenance(found: Any) -> Provenance:
    if not isinstance(found, dict):
        raise ValueError("provenance is not an object")
    try:
        return Provenance(**found)
    except TypeError as error:
        known = ", ".join(asdict(Provenance()))
        raise ValueError(f"unknown field in provenance; known are {known}") from error
