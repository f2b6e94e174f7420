"""The other pairs on a depiction: temporal, in context, extended, and causal analysis.

Each returns (question, answer), or None where the depiction does not hold what it takes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from train.data.asked_pairs import Pair, one_of
from train.data.attributes import attributes, unlike
from train.data.depictions import Depiction, Finding
from train.data.looks import MediaFacts
from train.data.telling import (
    NOTHING,
    capitalised,
    depiction_text,
    is_partial,
    listed,
    named,
    sentence,
    span_of,
    when,
)

#: The paper's question and the end of its answer (REFERENCE.md §4.5).
CAUSAL_QUESTION: Final = (
    "Please provide a detailed depiction of the overall quality of this {kind}, and based on your "
    "depiction, how would you evaluate the quality of this {kind}?"
)
CAUSAL_END: Final = " Hence, The quality of this {kind} is {level}."

_WHEN = (
    "When is the {attribute} visible?",
    "In which part of the video does {attribute} occur?",
    "From when to when does {attribute} affect the video?",
)
_STEADY = (
    "Does the quality of this video change over time?",
    "Is the quality of this video the same from start to end?",
    "How does the quality develop over the course of this video?",
)
_HALVES = (
    "How does the {half} half of the video compare with the {other} half in quality?",
    "Which half of the video looks better, the {half} or the {other} one?",
)
_WHERE = ("How does {where} look?", "What about the quality of {where}?")
_SCENE = (
    "This {kind} shows {scene}. What disturbs a viewer of it?",
    "Looking at {scene}, how good is the picture?",
)
_STRONGER = (
    "Of {first} and {second}, which harms this {kind} more?",
    "Which is more disturbing here, {first} or {second}?",
)
_BESIDE = (
    "Compared with {first} and {second}, what stands out in this {kind}?",
    "Setting {first} and {second} aside, what is the weakest side of this {kind}?",
)
_CAUSE = (
    "What may have caused the {attribute} in this {kind}?",
    "Where does the {attribute} of this {kind} probably come from?",
)
_REMEDY = (
    "How could the quality of this {kind} be improved?",
    "What would you advise the maker of this {kind}?",
    "Which change would help this {kind} most?",
)


def temporal_pair(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> Pair | None:
    """Return a question after time; None for a picture."""
    if facts.kind == "image":
        return None
    partial = [one for one in depiction.ranked if is_partial(one, facts)]
    if not partial:
        what = listed([named(one) for one in depiction.ranked]) if depiction.findings else NOTHING
        answer = f"It stays the same from start to end, with {what} throughout the video."
        return one_of(_STEADY, rng), answer
    if rng.random() < 0.5:
        one = partial[int(rng.integers(len(partial)))]
        answer = f"The {one.attribute} is visible{when(one, facts)}."
        return one_of(_WHEN, rng, attribute=one.attribute), answer
    changes = " ".join(sentence(one, facts, look=False) for one in partial)
    return one_of(_STEADY, rng), f"It changes. {changes}"


def context_pair(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> Pair:
    """Return a question on quality in its context.

    The context is a part of the picture or the scene where the depiction names them, else a half
    of the clip, another finding, or what is not wrong.
    """
    offers = [*_in_the_picture(depiction, facts, rng), *_in_time(depiction, facts, rng)]
    ranked = depiction.ranked
    if len(ranked) > 1 and ranked[0].severity > ranked[1].severity:
        first, second = rng.permutation([ranked[0].attribute, ranked[1].attribute])
        words = {"first": str(first), "second": str(second), "kind": facts.kind}
        answer = f"The {ranked[0].attribute}: it is {ranked[0].degree}, "
        answer += f"while the {ranked[1].attribute} is {ranked[1].degree}."
        offers.append((one_of(_STRONGER, rng, **words), answer))
    if not offers:
        offers.append(_beside(depiction, facts, rng))
    return offers[int(rng.integers(len(offers)))]


def _in_the_picture(
    depiction: Depiction, facts: MediaFacts, rng: np.random.Generator
) -> list[Pair]:
    offers = [
        (
            one_of(_WHERE, rng, where=one.where),
            f"{capitalised(one.where)} shows {named(one)}{when(one, facts)}.",
        )
        for one in depiction.findings
        if one.where
    ]
    if depiction.scene:
        what = listed([named(one) for one in depiction.ranked]) if depiction.findings else NOTHING
        question = one_of(_SCENE, rng, kind=facts.kind, scene=depiction.scene)
        offers.append((question, f"The picture shows {what}."))
    return offers


def _in_time(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> list[Pair]:
    """Return a comparison of the two halves for each finding that lies in one of them."""
    half = (facts.duration_s or 0.0) / 2
    offers = []
    for one in depiction.findings:
        if not is_partial(one, facts):
            continue
        start, end = span_of(one, facts)
        first, second = max(min(end, half) - start, 0.0), max(end - max(start, half), 0.0)
        if min(first, second) > 0.1 * max(first, second):
            continue
        worse, better = ("first", "second") if first > second else ("second", "first")
        asked, other = rng.permutation([worse, better])
        answer = f"The {better} half looks better: {named(one)} is visible{when(one, facts)}."
        offers.append((one_of(_HALVES, rng, half=str(asked), other=str(other)), answer))
    # Several findings could each make another half the worse one.
    return offers if len(depiction.findings) == 1 else []


def _beside(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> Pair:
    absent = unlike(depiction.present, moving=facts.kind == "video")
    first, second = (str(name) for name in rng.permutation(absent)[:2])
    question = one_of(_BESIDE, rng, first=first, second=second, kind=facts.kind)
    if not depiction.findings:
        return question, f"Nothing: there is {NOTHING} in this {facts.kind}."
    strongest = depiction.ranked[0]
    return question, (
        f"The {strongest.attribute}: it is {strongest.degree}, while neither {first} nor {second} "
        "is apparent."
    )


def extended_pair(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> Pair | None:
    """Return a question that goes beyond what is seen: where it comes from, what would help.

    None where nothing is known of any attribute found.
    """
    known = [one for one in depiction.ranked if one.attribute in attributes()]
    if not depiction.findings:
        answer = f"There is {NOTHING}, so keeping the settings and encoding it with care is enough."
        return one_of(_REMEDY, rng, kind=facts.kind), answer
    if not known:
        return None
    if rng.random() < 0.5:
        one = known[int(rng.integers(len(known)))]
        cause = attributes()[one.attribute].cause
        question = one_of(_CAUSE, rng, attribute=one.attribute, kind=facts.kind)
        return question, f"Usually {one.attribute} comes from {cause}."
    return one_of(_REMEDY, rng, kind=facts.kind), " ".join(map(_advice, known))


def _advice(finding: Finding) -> str:
    return f"Against the {finding.attribute}, try {attributes()[finding.attribute].remedy}."


def causal_pair(depiction: Depiction, facts: MediaFacts) -> Pair | None:
    """Return the paper's causal analysis: the depiction, and hence the level.

    None where the overall level is not known.
    """
    if depiction.word is None:
        return None
    end = CAUSAL_END.format(kind=facts.kind, level=depiction.word)
    return CAUSAL_QUESTION.format(kind=facts.kind), depiction_text(depiction, facts) + end
