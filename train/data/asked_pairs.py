"""The three quality questions on a depiction: yes or no, one of several, and open.

Each returns (question, answer). Which answer is to be right is decided by the caller, so that yes
and no, and the places of right choices, come out even over a set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from train.data.attributes import unlike
from train.data.classes import DEGREES
from train.data.depictions import Depiction, Finding
from train.data.looks import MediaFacts
from train.data.telling import (
    NOTHING,
    capitalised,
    depiction_text,
    is_partial,
    named,
    sentence,
    when,
)
from vqa2cli.levels import LEVELS
from vqa2cli.model.protocols import choice_question, open_question

#: A question and its answer.
Pair = tuple[str, str]

#: A question, its right choice and wrong ones.
Offer = tuple[str, str, list[str]]

#: Choices of a question with one right answer; as many as letters A-D.
CHOICES: Final = 4

#: Severity from which "severe" is a fair word, and up to which it is not.
_SEVERE, _NOT_SEVERE = 4, 2

_PRESENCE = (
    "Is there visible {attribute} in this {kind}?",
    "Does this {kind} suffer from {attribute}?",
    "Can {attribute} be seen in this {kind}?",
    "Would a viewer notice {attribute} in this {kind}?",
)
_FREE = (
    "Is this {kind} free of visible distortion?",
    "Does this {kind} look clean, without any distortion?",
)
_HARD = (
    "Is the {attribute} in this {kind} severe?",
    "Does {attribute} affect this {kind} strongly?",
)
_WHICH = (
    "Which distortion is most apparent in this {kind}?",
    "What harms the quality of this {kind} most?",
    "Which of these best describes the main distortion of this {kind}?",
)
_HOW_STRONG = (
    "How strong is the {attribute} in this {kind}?",
    "Which word fits the degree of {attribute} in this {kind}?",
)
_HOW_GOOD = (
    "How would you rate the quality of this {kind}?",
    "Which level of quality does this {kind} have?",
)
_OPEN = (
    "Describe the distortions of this {kind} and how strong they are.",
    "What is wrong with the quality of this {kind}?",
    "Which distortions can be seen in this {kind}, and to what degree?",
    "Tell what a viewer would criticise in the picture quality of this {kind}.",
    "Give an account of the visual quality of this {kind}.",
)


def one_of(wordings: Sequence[str], rng: np.random.Generator, **words: str) -> str:
    """Return one wording, drawn, with its words filled in."""
    return wordings[int(rng.integers(len(wordings)))].format(**words)


def binary_pair(
    depiction: Depiction, facts: MediaFacts, right: bool, rng: np.random.Generator
) -> Pair:
    """Return a question whose answer is yes if `right`, else no.

    Half are answered in words and half by the letter, as Q-Bench-Video asks.
    """
    asked = _true_ones if right else _false_ones
    options = asked(depiction, facts, rng)
    question, because = options[int(rng.integers(len(options)))]
    word = "Yes" if right else "No"
    if rng.random() < 0.5:
        return question, f"{word}. {because}"
    choices = ["Yes", "No"] if rng.random() < 0.5 else ["No", "Yes"]
    return choice_question(question, choices), f"{letter(choices.index(word))}."


def _true_ones(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> list[Pair]:
    """Return questions that are answered by yes, with the reason."""
    if not depiction.findings:
        return [(one_of(_FREE, rng, kind=facts.kind), _nothing(facts))]
    found = [
        (
            one_of(_PRESENCE, rng, attribute=one.attribute, kind=facts.kind),
            sentence(one, facts, look=False),
        )
        for one in depiction.ranked
    ]
    return found + _hard_ones(depiction, facts, range(_SEVERE, 6), rng)


def _false_ones(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> list[Pair]:
    """Return questions that are answered by no, with the reason."""
    absent = unlike(depiction.present, moving=facts.kind == "video")
    other = str(rng.choice(absent))
    instead = (
        f"What can be seen is {named(depiction.ranked[0])}."
        if depiction.findings
        else _nothing(facts)
    )
    found = [(one_of(_PRESENCE, rng, attribute=other, kind=facts.kind), instead)]
    if depiction.findings:
        strongest = sentence(depiction.ranked[0], facts, look=False)
        found.append((one_of(_FREE, rng, kind=facts.kind), strongest))
    return found + _hard_ones(depiction, facts, range(1, _NOT_SEVERE + 1), rng)


def _hard_ones(
    depiction: Depiction, facts: MediaFacts, severities: range, rng: np.random.Generator
) -> list[Pair]:
    return [
        (
            one_of(_HARD, rng, attribute=one.attribute, kind=facts.kind),
            f"The {one.attribute} is {one.degree}.",
        )
        for one in depiction.findings
        if one.severity in severities
    ]


def _nothing(facts: MediaFacts) -> str:
    return f"There is {NOTHING} in this {facts.kind}."


def choice_pair(
    depiction: Depiction, facts: MediaFacts, place: int, rng: np.random.Generator
) -> Pair:
    """Return a question with four choices, the right one at `place` (0-3).

    Half are answered by the letter alone, half by letter and text.
    """
    offers: list[Offer | None] = [_which(depiction, facts, rng)]
    if depiction.findings:
        offers += [_how_strong(one, facts, rng) for one in depiction.findings]
        offers += [_at_what_time(one, facts, rng) for one in depiction.findings]
    if depiction.word is not None:
        others = [word for word in LEVELS if word != depiction.word]
        offers.append((one_of(_HOW_GOOD, rng, kind=facts.kind), depiction.word, others))
    usable = [offer for offer in offers if offer is not None]
    question, right, wrong = usable[int(rng.integers(len(usable)))]
    choices = [str(one) for one in rng.permutation(wrong)[: CHOICES - 1]]
    choices.insert(place, right)
    choices = [capitalised(one) for one in choices]
    answer = f"{letter(place)}."
    if rng.random() < 0.5:
        return choice_question(question, choices), answer
    listed = "".join(f"\n{letter(index)}. {one}" for index, one in enumerate(choices))
    return question + listed, f"{answer} {choices[place]}"


def _which(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> Offer:
    """Return a question after the main distortion, with attributes unlike any found."""
    question = one_of(_WHICH, rng, kind=facts.kind)
    wrong = unlike(depiction.present, moving=facts.kind == "video")
    if not depiction.findings:
        return question, NOTHING, wrong
    if rng.random() < 0.25:  # else "no visible distortion" would give itself away
        wrong = [NOTHING, *rng.permutation(wrong)[: CHOICES - 2]]
    return question, depiction.ranked[0].attribute, wrong


def _how_strong(finding: Finding, facts: MediaFacts, rng: np.random.Generator) -> Offer:
    question = one_of(_HOW_STRONG, rng, attribute=finding.attribute, kind=facts.kind)
    return question, finding.degree, [word for word in DEGREES.values() if word != finding.degree]


def _at_what_time(finding: Finding, facts: MediaFacts, rng: np.random.Generator) -> Offer | None:
    """Return a question after the time of a finding that has one."""
    duration = facts.duration_s or 0.0
    if not is_partial(finding, facts) or duration < 1.0:
        return None
    third = duration / 3
    spans = ((0.0, third), (third, 2 * third), (2 * third, duration))
    start, end = finding.start_s or 0.0, finding.end_s or duration
    wrong = [
        when(Finding(finding.attribute, finding.degree, *span), facts).strip()
        for span in spans
        if min(end, span[1]) - max(start, span[0]) < 0.25 * third  # elsewhere, by and large
    ]
    wrong.append("throughout the video")
    if len(wrong) < CHOICES - 1:
        return None
    question = f"When is the {finding.attribute} visible in this {facts.kind}?"
    return question, when(finding, facts).strip(), wrong


def open_pair(depiction: Depiction, facts: MediaFacts, rng: np.random.Generator) -> Pair:
    """Return an open question, half of them as Q-Bench-Video asks, and the whole account."""
    question = one_of(_OPEN, rng, kind=facts.kind)
    if rng.random() < 0.5:
        question = open_question(question)
    return question, depiction_text(depiction, facts)


def letter(place: int) -> str:
    """Return the letter of a choice."""
    return chr(ord("A") + place)
