"""Clips whose degradation is known, and what the measures say of each: for thresholds and tests.

Two folders are read: a corpus of `vqa2 train mini` (items.jsonl: KADID-10k distortions over a whole
clip, and lossless sources), and what `vqa2 data degrade` made (degraded.jsonl: spans).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from train.degrade.clips import JOURNAL, DegradedClip, read_degraded
from train.degrade.engine import level_of, parameter_of
from train.degrade.records import KADID_KINDS, TEMPORAL_KINDS
from train.kadid import FOUND_AS, human_mean, parameter
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.levels import DEGREES, degree_of
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.measures.records import SignalMeasures
from vqa2cli.video.media import NO_PICTURES, Closed

#: What each kind of degradation should be found as. Those whose parameter has two sides, and
#: those that no attribute names, are not here.
ATTRIBUTE_OF = {
    "gaussian-blur": "blur",
    "lens-blur": "blur",
    "motion-blur": "blur",
    "jpeg": "blocking",
    "white-noise": "noise",
    "white-noise-color-component": "noise",
    "impulse-noise": "noise",
    "multiplicative-noise": "noise",
    "brighten": "overexposure",
    "darken": "underexposure",
    "quantization": "banding",
    "color-saturation-1": "undersaturation",
    "color-saturation-2": "oversaturation",
    "camera-shake": "camera_shake",
    "stutter": "stutter",
    "flicker": "flicker",
    "exposure-drift": "exposure_drift",
}

#: What a kind brings with it beside its own attribute, rightly found and not what was labelled.
KIN = {
    "jpeg": {"banding", "blur", "noise"},
    "jpeg2000": {"blur"},
    "brighten": {"undersaturation", "low_contrast", "banding", "exposure_drift"},
    "darken": {"undersaturation", "low_contrast", "exposure_drift"},
    "exposure-drift": {"overexposure", "underexposure", "low_contrast", "undersaturation"},
    "flicker": {"exposure_drift"},
    "gaussian-blur": {"low_contrast"},
    "contrast-change": {
        "undersaturation",
        "underexposure",
        "overexposure",
        "oversaturation",
        "exposure_drift",
    },
    "quantization": {"blocking", "noise"},
    "impulse-noise": {"blocking"},
}

#: Undegraded clips that were judged to have a fault as they came, and what was seen.
JUDGED = Path(__file__).parent / "judged" / "undegraded.csv"

#: A degradation that changes pictures by less than this, root mean square in 8-bit codes, is none:
#: nobody sees that a still picture stutters, or that a grey one lost its colour; ours.
LEAST_CHANGE = 1.0

#: Degree of a temporal kind's severities 1 to 5: no ratings tell, so ours.
_TEMPORAL_DEGREES = (1, 1, 2, 3, 3)


@dataclass(frozen=True)
class Labelled:
    """A clip and its one degradation: `degree` is an index of `DEGREES`, 0 for a clean clip.

    `undegraded` marks a clip as it came: nothing was done to it, and it may have faults.
    """

    path: Path
    content: str
    kind: str | None
    attribute: str | None
    degree: int
    start_s: float = 0.0
    end_s: float | None = None
    undegraded: bool = False


def names_of(label: Labelled) -> set[str]:
    """Return what a clip's degradation is rightly found as: by the measures, and by the model."""
    names = {label.attribute} if label.attribute is not None else set()
    if label.kind in KADID_KINDS:
        names.add(FOUND_AS[KADID_KINDS[label.kind]])
    return names


def degree_of_kind(kind: str, severity: int) -> int:
    """Return how bad people find a severity of a kind, as an index of `DEGREES`.

    For KADID-10k kinds by the mean human rating of type and level, for temporal ones by our
    own table.
    """
    if kind in TEMPORAL_KINDS:
        return _TEMPORAL_DEGREES[severity - 1]
    return _degree_of_level(KADID_KINDS[kind], level_of(kind, severity))


def _degree_of_level(number: int, level: int) -> int:
    return DEGREES.index(degree_of(human_mean(number, level)))


def attribute_of(kind: str, amount: float) -> str | None:
    """Return what a kind should be found as; `amount` is its parameter, whose sign tells a side."""
    if kind == "mean-shift":
        return "overexposure" if amount > 0 else "underexposure"
    if kind == "contrast-change":
        return "low_contrast" if amount < 0 else None
    return ATTRIBUTE_OF.get(kind)


def labelled_clips(folder: Path, split: str) -> list[Labelled]:
    """Return the clips of a folder that belong to `split`, clean sources of a corpus included.

    Raises:
        UsageError: it is neither a corpus nor a folder of degraded clips.
    """
    if (folder / JOURNAL).is_file():
        return [
            one
            for clip in read_degraded(folder)
            if clip.split == split
            for one in _made(clip, folder)
        ]
    if (folder / "items.jsonl").is_file():
        return list(_corpus(folder, split))
    raise UsageError(f"{folder}: holds neither {JOURNAL} nor items.jsonl")


def _made(clip: DegradedClip, folder: Path) -> Iterator[Labelled]:
    unseen = clip.changed is not None and clip.changed < LEAST_CHANGE
    for one in clip.degradations:
        amount = parameter_of(one.kind, one.severity) if one.kind in KADID_KINDS else 0.0
        yield Labelled(
            folder / clip.path, clip.content, one.kind, attribute_of(one.kind, amount),
            0 if unseen else degree_of_kind(one.kind, one.severity), one.start_s, one.end_s,
        )  # fmt: skip


def _corpus(folder: Path, split: str) -> Iterator[Labelled]:
    kinds = {number: kind for kind, number in KADID_KINDS.items()}
    clean: dict[str, str] = {}
    with (folder / "items.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break  # still being written
            item = json.loads(line)
            if item["split"] != split or item["content"].startswith("scene"):
                continue
            clean[item["source"]] = item["content"]
            if item["distortion"]:
                number, level = item["distortion"]
                attribute = attribute_of(kinds[number], parameter(number, level))
                yield Labelled(
                    folder / item["path"], item["content"], kinds[number], attribute,
                    _degree_of_level(number, level),
                )  # fmt: skip
    for source, content in clean.items():
        yield Labelled(folder / "sources" / f"{source}.mkv", content, None, None, 0)


def clean_clips(folder: Path, split: str) -> list[Labelled]:
    """Return the undegraded clips of a folder whose manifest.csv gives them to `split`.

    Raises:
        UsageError: it has no manifest.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise UsageError(f"{folder}: has no manifest.csv with columns file and split")
    with manifest.open(newline="", encoding="utf-8") as rows:
        names = [row["file"] for row in csv.DictReader(rows) if row["split"] == split]
    paths = [folder / name for name in names]
    return [Labelled(path, path.stem, None, None, 0, undegraded=True) for path in paths]


@lru_cache(maxsize=1)
def at_fault() -> frozenset[tuple[str, str]]:
    """Return (content, attribute) of clips that were judged to have a fault as they came.

    They can set no threshold of it, nor can what was made of them: they are not clean, and how bad
    they are nobody rated.
    """
    with JUDGED.open(newline="", encoding="utf-8") as rows:
        return frozenset((Path(row["file"]).stem, row["attribute"]) for row in csv.DictReader(rows))


def measures_of(path: Path) -> SignalMeasures | None:
    """Return the measures of a file, None where it cannot be read."""
    try:
        *_, closed = decode_clip(path, replace(NO_PICTURES, measure=True))
    except VideoError:
        return None
    assert isinstance(closed, Closed)
    return closed.measures
