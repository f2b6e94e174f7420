"""Distortion labels of media, from a user's table or from KADID-10k's own."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, cast, get_args

from train.data.classes import CLEAN, DEGREES, ClassMap, severity_of_rating
from train.data.files import read_text
from train.data.records import Split
from train.degrade.records import SEVERITIES
from train.kadid import KADID_TYPES
from vqa2cli.errors import UsageError

#: Columns of a label table; the first two must be there.
COLUMNS: Final = ("media", "label", "severity", "start_s", "end_s", "content", "split", "dataset")

#: A distorted picture of KADID-10k: content, type, level.
_KADID_FILE: Final = re.compile(r"^(I\d+)_(\d\d)_(\d\d)\.png$", re.IGNORECASE)


@dataclass(frozen=True)
class Label:
    """One medium and its main distortion.

    Attributes:
        media: path below the media folder.
        distortion: one of the 13 classes, or CLEAN.
        severity: 1-5, None where not known.
        start_s, end_s: when it shows, seconds; None from the start, to the end.
        content: what is seen; nothing of one content is in two splits.
        source: how the label is known.
    """

    media: str
    distortion: str
    severity: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    content: str | None = None
    split: Split | None = None
    dataset: str | None = None
    source: Literal["human", "made"] = "human"

    @property
    def has_span(self) -> bool:
        """Whether it is known to show in part of the clip only."""
        return self.start_s is not None or self.end_s is not None


@dataclass
class Labels:
    """Labels read, and how often each label without a class was met, with the reason."""

    labels: list[Label] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, other: Labels) -> None:
        """Take in what another source gave."""
        self.labels += other.labels
        self.left_out += other.left_out


def read_label_table(
    path: Path, classes: ClassMap, columns: Mapping[str, str] | None = None
) -> Labels:
    """Return the labels of a CSV table with a header.

    Args:
        columns: the table's own name for each of `COLUMNS` that is called otherwise.

    Raises:
        UsageError: it cannot be read, lacks a column, or a line has a bad value.
    """
    own = {name: (columns or {}).get(name, name) for name in COLUMNS}
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    missing = [own[name] for name in COLUMNS[:2] if own[name] not in (reader.fieldnames or ())]
    if missing:
        found = ", ".join(reader.fieldnames or ()) or "nothing"
        raise UsageError(f"{path}: no column {missing[0]!r} (found: {found}); name it by --column")
    result = Labels()
    for row in reader:
        values = {name: (row.get(own[name]) or "").strip() for name in COLUMNS}
        try:
            _add_row(result, values, classes)
        except ValueError as error:
            raise UsageError(f"{path}, line {reader.line_num}: {error}") from error
    return result


def _add_row(result: Labels, row: Mapping[str, str], classes: ClassMap) -> None:
    if not row["media"] or not row["label"]:
        raise ValueError("media or label is empty")
    severity = _severity(row["severity"])
    name = classes.find(row["label"], severity)
    if name is None:
        result.left_out[f"{row['label']}: {classes.why_not(row['label'], severity)}"] += 1
        return
    start_s, end_s = _seconds(row["start_s"]), _seconds(row["end_s"])
    if end_s is not None and end_s <= (start_s or 0.0):
        raise ValueError(f"a distortion from {start_s or 0:g} to {end_s:g} s has no length")
    result.labels.append(
        Label(
            row["media"],
            name,
            None if name == CLEAN else severity,
            start_s,
            end_s,
            row["content"] or None,
            split_of(row["split"]),
            row["dataset"] or None,
        )
    )


def _severity(text: str) -> int | None:
    """Return 1-5 for a number or a degree word, None for nothing."""
    if not text:
        return None
    for severity, word in DEGREES.items():
        if text.casefold() == word:
            return severity
    if not text.isdigit() or int(text) not in SEVERITIES:
        words = ", ".join(DEGREES.values())
        raise ValueError(f"severity {text!r}; give 1 (mildest) to 5, or one of {words}")
    return int(text)


def _seconds(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time in seconds") from error
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{text} s; give seconds from 0")
    return value


def split_of(text: str) -> Split | None:
    """Return a split by name, None for no name.

    Raises:
        ValueError: there is none of that name.
    """
    for split in get_args(Split):
        if text == split:
            return cast(Split, split)
    if text:
        raise ValueError(f"split {text!r}; one of {', '.join(get_args(Split))}")
    return None


def read_kadid_table(path: Path, media: Path, classes: ClassMap) -> Labels:
    """Return the labels of KADID-10k's own `dmos.csv`: distorted pictures, and references as clean.

    Type and level stand in the file name; the severity is that of the picture's own mean rating,
    and one that people could not tell from its reference counts as clean.

    Args:
        media: folder of the pictures, below the media folder, as samples name it.

    Raises:
        UsageError: it is not that table.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
    result, references = Labels(), dict[str, None]()
    for row in reader:
        where = f"{path}, line {reader.line_num}"
        try:
            name, reference, rating = row["dist_img"], row["ref_img"], float(row["dmos"])
            severity = severity_of_rating(rating)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{where}: not KADID-10k's dist_img,ref_img,dmos ({error})") from error
        found = _KADID_FILE.match(name)
        if found is None or int(found[2]) not in KADID_TYPES:
            raise UsageError(f"{where}: {name!r} is not named like I01_01_01.png")
        references[reference] = None
        label = KADID_TYPES[int(found[2])]
        add_known(
            result, classes, label, int(found[3]), severity,
            Label(
                (media / name).as_posix(), CLEAN, content=f"kadid/{found[1]}", dataset="KADID-10k"
            ),
        )  # fmt: skip
    result.labels += [
        Label(
            (media / name).as_posix(), CLEAN,
            content=f"kadid/{Path(name).stem}", dataset="KADID-10k",
        )
        for name in references
    ]  # fmt: skip
    return result


def add_known(
    result: Labels,
    classes: ClassMap,
    label: str,
    level: int | None,
    severity: int | None,
    base: Label,
) -> None:
    """Add `base` under the class of `label`, left as clean where the severity is 0."""
    if severity == 0:
        result.labels.append(base)
        return
    name = classes.find(label, level)
    if name is None:
        result.left_out[f"{label}: {classes.why_not(label, level)}"] += 1
        return
    result.labels.append(replace(base, distortion=name, severity=severity))
