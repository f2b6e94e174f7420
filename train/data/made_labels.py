"""Distortion labels of what was made here, known because the distortion was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from train.data.classes import CLEAN, ClassMap, perceived_severity
from train.data.labels import Label, Labels, add_known, split_of
from train.data.looks import below
from train.degrade.clips import read_degraded
from train.degrade.engine import level_of
from train.degrade.records import KADID_KINDS, Degradation
from train.items import Item, read_items
from train.kadid import KADID_TYPES
from vqa2cli.errors import UsageError

#: VMAF under which an encode at full size counts as visibly compressed: more than two just
#: noticeable differences of about 6 points below a perfect 100.
VISIBLE_VMAF: Final = 80.0


def corpus_labels(corpus: Path, media: Path, classes: ClassMap) -> Labels:
    """Return the labels of a corpus made here, and its sources as clean.

    A made distortion has the severity people saw in its type and level. A rendition at full size
    counts as compressed where VMAF says that it shows; others do not count, since a smaller one
    is blurred as well.

    Args:
        corpus: folder with `items.jsonl`, below the media folder `media`.

    Raises:
        UsageError: it is no corpus, or lies elsewhere.
    """
    result = Labels()
    sources = dict[str, Item]()
    for item in corpus_items(corpus):
        sources.setdefault(item.source, item)
        base = _of_item(item, below(media, corpus / item.path), corpus.name)
        if item.distortion is not None:
            kind, level = item.distortion
            severity = perceived_severity(KADID_TYPES[kind], level)
            add_known(result, classes, KADID_TYPES[kind], level, severity, base)
        elif item.scale == 1.0 and item.label < VISIBLE_VMAF:
            add_known(result, classes, "compression", None, None, base)
        else:
            result.left_out["rendition: scaled, or too good to show its compression"] += 1
    for name, item in sources.items():
        path = corpus / "sources" / f"{name}.mkv"
        if path.is_file():
            result.labels.append(_of_item(item, below(media, path), corpus.name))
    return result


def corpus_items(corpus: Path) -> list[Item]:
    """Return the items of a corpus.

    Raises:
        UsageError: the folder holds none, or a line is not an item.
    """
    try:
        return read_items(corpus)
    except OSError as error:
        raise UsageError(f"{corpus}: no corpus ({error.strerror}: items.jsonl)") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def _of_item(item: Item, media: str, dataset: str) -> Label:
    split = split_of(item.split)
    return Label(media, CLEAN, content=item.content, split=split, dataset=dataset, source="made")


def degraded_labels(folder: Path, media: Path, classes: ClassMap) -> Labels:
    """Return the labels of clips that `vqa2 data degrade` made.

    Args:
        folder: its output folder, below the media folder `media`.

    Raises:
        UsageError: it holds no such clips, or lies elsewhere.
    """
    result = Labels()
    for clip in read_degraded(folder):
        base = Label(
            below(media, folder / clip.path),
            CLEAN,
            content=clip.content,
            split=split_of(clip.split or ""),
            dataset=folder.name,
            source="made",
        )
        result.add(degraded_label(base, clip.degradations, classes))
    return result


def degraded_label(base: Label, degradations: Sequence[Degradation], classes: ClassMap) -> Labels:
    """Return the label of one degraded clip: the strongest of its degradations.

    `base` says which clip. Where two are equally strong there is no main one, and the clip is
    left out.
    """
    if not degradations:
        return Labels([base])
    result = Labels()
    ranked = sorted(((_seen(one), one) for one in degradations), key=lambda found: -found[0])
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        result.left_out["several degradations, equally strong"] += 1
        return result
    severity, main = ranked[0]
    spanned = replace(base, start_s=main.start_s or None, end_s=main.end_s)
    add_known(result, classes, main.kind, kadid_level(main), severity, spanned)
    return result


def _seen(degradation: Degradation) -> int:
    return perceived_severity(degradation.kind, kadid_level(degradation))


def kadid_level(degradation: Degradation) -> int:
    """Return the KADID level of a spatial kind, the severity of any other."""
    if degradation.kind in KADID_KINDS:
        return level_of(degradation.kind, degradation.severity)
    return degradation.severity
