"""Depictions of what was made here, from what is known to have been done to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from train.data.attributes import attribute_of
from train.data.classes import DEGREES, ClassMap, perceived_severity
from train.data.depictions import Depiction, Finding
from train.data.labels import split_of
from train.data.looks import below
from train.data.made_labels import VISIBLE_VMAF, corpus_items, kadid_level
from train.degrade.clips import read_degraded
from train.degrade.records import Degradation
from train.items import Item
from train.kadid import KADID_TYPES

#: VMAF points one severity of compression spans below `VISIBLE_VMAF`; our own convention.
_VMAF_STEP = 15.0


def findings_of(degradations: Iterable[Degradation], classes: ClassMap) -> tuple[Finding, ...]:
    """Return what people see of degradations; what they do not see is left out."""
    return tuple(_findings(degradations, classes))


def _findings(degradations: Iterable[Degradation], classes: ClassMap) -> Iterator[Finding]:
    for one in degradations:
        level = kadid_level(one)
        severity = perceived_severity(one.kind, level)
        if severity:
            name = attribute_of(one.kind, level, classes)
            yield Finding(name, DEGREES[severity], one.start_s or None, one.end_s)


def degraded_depictions(folder: Path, media: Path, classes: ClassMap) -> list[Depiction]:
    """Return a depiction of each clip that `vqa2 data degrade` made; their score is not known.

    Raises:
        UsageError: the folder holds no such clips, or does not lie below `media`.
    """
    return [
        Depiction(
            media=below(media, folder / clip.path),
            findings=findings_of(clip.degradations, classes),
            source="made",
            content=clip.content,
            split=split_of(clip.split or ""),
            dataset=folder.name,
        )
        for clip in read_degraded(folder)
    ]


def corpus_depictions(
    corpus: Path, media: Path, classes: ClassMap
) -> tuple[list[Depiction], Counter[str]]:
    """Return a depiction of each item of a corpus whose faults are known, and of its sources.

    A made distortion is told by its class, with the severity and the mean rating people gave its
    type and level. A rendition at full size is told as compressed, by its VMAF; of a smaller
    one VMAF does not say what is compression and what is scaling, so it is left out and counted.

    Raises:
        UsageError: it is no corpus, or does not lie below `media`.
    """
    found: list[Depiction] = []
    left_out = Counter[str]()
    sources = dict[str, Item]()
    for item in corpus_items(corpus):
        sources.setdefault(item.source, item)
        if item.kind == "rendition" and item.scale != 1.0:
            left_out["rendition: scaled"] += 1
            continue
        found.append(
            _depicted(item, corpus, media, findings=_item_findings(item, classes), score=item.label)
        )
    for name, item in sources.items():
        path = corpus / "sources" / f"{name}.mkv"
        if path.is_file():
            found.append(_depicted(item, corpus, media, path=path))
    return found, left_out


def _item_findings(item: Item, classes: ClassMap) -> Sequence[Finding]:
    if item.distortion is not None:
        kind, level = item.distortion
        severity = perceived_severity(KADID_TYPES[kind], level)
        name = attribute_of(KADID_TYPES[kind], level, classes)
        return (Finding(name, DEGREES[severity]),) if severity else ()
    if item.label >= VISIBLE_VMAF:
        return ()
    severity = min(1 + int((VISIBLE_VMAF - item.label) // _VMAF_STEP), 5)
    return (Finding("compression artifact", DEGREES[severity]),)


def _depicted(
    item: Item,
    corpus: Path,
    media: Path,
    *,
    path: Path | None = None,
    findings: Sequence[Finding] = (),
    score: float | None = None,
) -> Depiction:
    return Depiction(
        media=below(media, path or corpus / item.path),
        findings=tuple(findings),
        score=score,
        source="made",
        content=item.content,
        split=split_of(item.split),
        dataset=corpus.name,
    )
