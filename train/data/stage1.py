"""Stage 1: which distortion is it, how strong, and when.

The paper asks one question of each picture or clip and has it answered in one form, "It is
{class}." (VQA², stage 1). The first wording of each list is the paper's; the others, the degree
and the time are ours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from train.data.asking import first_turn
from train.data.classes import CLEAN, DEGREES, Dimension, dimension_of
from train.data.instructions import Instructions
from train.data.labels import Label
from train.data.looks import MediaFacts, Missing, below, look_at_all
from train.data.records import Provenance, Sample, Turn
from train.data.subclips import (
    Cut,
    draw_crops,
    draw_windows,
    make_cuts,
    middle_frame,
    window_beside,
)

#: Ways to ask for the class; the first is the paper's.
CLASS_QUESTIONS: Final = (
    "What is the main {dimension} distortion presented in this {kind}?",
    "Which {dimension} distortion affects this {kind} most?",
    "Name the main {dimension} distortion of this {kind}.",
    "Which kind of {dimension} distortion stands out in this {kind}?",
    "If this {kind} suffers from a {dimension} distortion, which one is it?",
    "Tell the most apparent {dimension} distortion in this {kind}.",
)

DEGREE_QUESTIONS: Final = (
    "How strong is the {distortion} in this {kind}?",
    "To what degree does {distortion} affect this {kind}?",
    "This {kind} shows {distortion}. How severe is it?",
    "Rate the strength of the {distortion} in this {kind}.",
)

WHEN_QUESTIONS: Final = (
    "When does the {distortion} occur in this video?",
    "In which part of this video is there {distortion}?",
    "From when to when is the {distortion} seen?",
)

ANSWER: Final = "It is {distortion}."
CLEAN_ANSWER: Final = "There is no visible {dimension} distortion."


@dataclass(frozen=True)
class Stage1Settings:
    """How samples are drawn.

    Attributes:
        media: folder that every medium lies below.
        cuts: folder for windows, crops and frames, below `media`.
        windows, crops: pieces cut of each clip with a distortion of motion.
        frames: ask about spatial distortions of clips on one frame, as a picture.
        per_class: most media of one class, drawn by seed; 0 keeps all.
        lead: what stands before a question, see `train.data.asking`.
    """

    media: Path
    cuts: Path
    seed: int = 0
    windows: int = 2
    crops: int = 1
    frames: bool = True
    per_class: int = 0
    lead: str = "scorer"
    jobs: int = 2


@dataclass(frozen=True)
class _Piece:
    """One medium to ask about, and what is known of it."""

    label: Label
    facts: MediaFacts
    dimension: Dimension
    source: str  # the labelled medium it is cut from


def build_stage1(labels: Sequence[Label], settings: Stage1Settings) -> Instructions:
    """Return the samples of `labels`, cutting what has to be cut.

    Deterministic by seed. A medium that is missing or broken is named, and the others go on.

    Raises:
        UsageError: the folder of cuts does not lie below that of the media.
    """
    below(settings.media, settings.cuts)
    chosen = _balanced(labels, settings)
    facts, missing = look_at_all(settings.media, (label.media for label in chosen))
    planned = [
        piece
        for label in chosen
        if label.media in facts
        for piece in _pieces(label, facts[label.media], settings)
    ]
    wanted = [
        (settings.media / piece.source, cut, settings.cuts / cut.name(piece.source))
        for piece, cut in planned
        if cut is not None
    ]
    failed = make_cuts(wanted, settings.jobs)
    made, gone = _made_facts(settings, wanted, failed)
    samples: dict[str, Sample] = {}
    for piece, cut in planned:
        if cut is not None:
            media = below(settings.media, settings.cuts / cut.name(piece.source))
            if media not in made:
                continue
            piece = replace(piece, label=replace(piece.label, media=media), facts=made[media])
        samples.update((sample.id, sample) for sample in _samples(piece, settings))
    return Instructions(tuple(samples.values()), missing + gone)


def _made_facts(
    settings: Stage1Settings,
    wanted: Sequence[tuple[Path, Cut, Path]],
    failed: dict[Path, str],
) -> tuple[dict[str, MediaFacts], tuple[Missing, ...]]:
    """Return the facts of the cuts, and the sources of those that failed."""
    there = [below(settings.media, target) for _, _, target in wanted if target not in failed]
    facts, broken = look_at_all(settings.media, there)
    sources = {target: below(settings.media, source) for source, _, target in wanted}
    gone = tuple(Missing(sources[target], reason) for target, reason in failed.items())
    return facts, gone + broken


def _balanced(labels: Sequence[Label], settings: Stage1Settings) -> list[Label]:
    """Return at most `per_class` labels of each class, in the order given."""
    if not settings.per_class:
        return list(labels)
    by_class = defaultdict[str, list[int]](list)
    for index, label in enumerate(labels):
        by_class[label.distortion].append(index)
    rng = np.random.default_rng([settings.seed, 2])
    kept = sorted(
        int(index)
        for indices in by_class.values()
        for index in rng.permutation(indices)[: settings.per_class]
    )
    return [labels[index] for index in kept]


def _pieces(
    label: Label, facts: MediaFacts, settings: Stage1Settings
) -> Iterator[tuple[_Piece, Cut | None]]:
    """Yield what to ask about of one labelled medium, with the cut to make for it."""
    rng = np.random.default_rng([settings.seed, 1, *label.media.encode()])
    clean = label.distortion == CLEAN
    span = _span(label, facts)
    if clean or dimension_of(label.distortion) == "spatial":
        spatial = _Piece(label, facts, "spatial", label.media)
        if facts.kind == "image" or not settings.frames:
            yield spatial, None
        else:
            yield spatial, middle_frame(facts, span)
    if facts.kind == "video" and (clean or dimension_of(label.distortion) == "motion"):
        piece = _Piece(label, facts, "motion", label.media)
        yield piece, None
        if not clean:
            yield from _motion_cuts(piece, span, settings, rng)


def _motion_cuts(
    piece: _Piece, span: tuple[float, float] | None, settings: Stage1Settings,
    rng: np.random.Generator,
) -> Iterator[tuple[_Piece, Cut]]:  # fmt: skip
    """Yield windows that show the distortion, crops, and a window of a made clip that does not."""
    label = piece.label
    for cut in draw_windows(piece.facts, span, settings.windows, rng):
        yield replace(piece, label=_within(label, cut, span)), cut
    for cut in draw_crops(piece.facts, settings.crops, rng):
        yield piece, cut
    beside = window_beside(piece.facts, span) if span and label.source == "made" else None
    if beside is not None:
        free = replace(label, distortion=CLEAN, severity=None, start_s=None, end_s=None)
        yield replace(piece, label=free), beside


def _span(label: Label, facts: MediaFacts) -> tuple[float, float] | None:
    """Return when the distortion shows, seconds; None is the whole clip."""
    if not label.has_span or facts.duration_s is None:
        return None
    end_s = facts.duration_s if label.end_s is None else min(label.end_s, facts.duration_s)
    return min(label.start_s or 0.0, end_s), end_s


def _within(label: Label, cut: Cut, span: tuple[float, float] | None) -> Label:
    """Return `label` with its span on the clock of a window."""
    if span is None or cut.start_s is None or cut.end_s is None:
        return label
    start, end = max(span[0] - cut.start_s, 0.0), min(span[1], cut.end_s) - cut.start_s
    whole = start <= 0.0 and end >= cut.end_s - cut.start_s
    return replace(label, start_s=None if whole else start, end_s=None if whole else end)


def _samples(piece: _Piece, settings: Stage1Settings) -> Iterator[Sample]:
    """Yield the questions about one piece: its class, its degree, and when."""
    label, facts = piece.label, piece.facts
    words = {
        "dimension": piece.dimension, "kind": facts.kind, "distortion": label.distortion,
    }  # fmt: skip
    rng = np.random.default_rng([settings.seed, 3, *label.media.encode()])
    asked: list[tuple[str, Sequence[str], str]]
    if label.distortion == CLEAN:
        asked = [("class", CLASS_QUESTIONS, CLEAN_ANSWER.format(**words))]
    else:
        asked = [("class", CLASS_QUESTIONS, ANSWER.format(**words))]
        if label.severity is not None:
            asked.append(("degree", DEGREE_QUESTIONS, f"It is {DEGREES[label.severity]}."))
        span = _span(label, facts)
        if span is not None and piece.dimension == "motion":
            asked.append(("when", WHEN_QUESTIONS, f"From {span[0]:.1f} s to {span[1]:.1f} s."))
    for part, questions, answer in asked:
        question = questions[int(rng.integers(len(questions)))].format(**words)
        yield Sample(
            id=f"stage1/{label.media}#{piece.dimension}-{part}",
            media=label.media,
            kind=facts.kind,
            turns=(first_turn(question, facts, settings.lead), Turn("gpt", answer)),
            fps=facts.fps,
            provenance=Provenance(
                stage=1,
                task=f"{piece.dimension}-{part}",
                dataset=label.dataset,
                content=label.content,
                split=label.split,
                source=label.source,
            ),
        )
