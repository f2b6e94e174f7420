"""Questions about views and the answers that are right: an answer says what a label says, no more.

Each kind of question has several wordings, and one wording of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from train.assistant.forms import (
    ANY,
    BAD,
    BETTER,
    DESCRIBE,
    GOOD,
    HOW_STRONG,
    IS_IT,
    IS_THERE,
    MAIN,
    NUMBER,
    OFF_QUESTIONS,
    RATE,
    STALL_QUESTIONS,
    SUBJECTS,
    WHEN,
    WHICH_DOES_NOT,
    WHICH_SHOWS,
    WORSE,
    WORST,
)
from train.assistant.shown import Fault, Shown
from train.assistant.words import WORDINGS, is_are, noun
from vqa2cli.levels import DEGREES, LEVELS
from vqa2cli.model.protocols import PROTOCOLS, choice_question

#: A question and the answer to it.
Talk = tuple[str, str]

#: Asked of a generator; None where a view gives no answer to it.
Maker = Callable[[Shown, np.random.Generator], Talk | None]

#: Of two clips whose qualities differ by less, neither is the better, points.
ALIKE = 6.0

NOTHING = "No distortion is seen."
OFF_TOPIC = "I can only tell of the quality of the pictures."
STALLS = "I see single pictures; stalls are found by vqa2 stalls."

FIRST, SECOND = "The first video.", "The second video."
BOTH, NEITHER, SAME = "Both videos.", "Neither video.", "Both are alike."


def capital(text: str) -> str:
    """Return `text` with its first letter large."""
    return text[:1].upper() + text[1:]


def fault_sentence(fault: Fault | None) -> str:
    """Return what is seen, how strongly and when."""
    if fault is None:
        return NOTHING
    if fault.name is None:
        return f"A {fault.degree} distortion of no clear kind is seen {fault.span}."
    return f"{capital(fault.degree)} {noun(fault.name)} {is_are(fault.name)} seen {fault.span}."


def verdict(shown: Shown) -> str:
    """Return the sentence that ends a description (paper, the instruction set's causal part)."""
    return f"Hence, the quality of this video is {shown.level}."


def state(shown: Shown, name: str) -> str:
    """Return whether a fault is there, how strong and when; its name first.

    A small language model knows what it is asked about once it has said it.
    """
    fault = shown.fault
    there = fault is not None and fault.name == name
    told = f"yes, {fault.degree}, {fault.span}" if fault is not None and there else "no"
    return f"{capital(noun(name))}: {told}."


def describe(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask for all that is wrong."""
    asked = _one(DESCRIBE, rng).replace("{level}", shown.level)
    return asked, f"{fault_sentence(shown.fault)} {verdict(shown)}"


def rate(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask for the level."""
    return _worded(RATE, rng), f"The quality of the video is {shown.level}."


def number(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask for the score; it is told in steps of ten."""
    return _worded(NUMBER, rng), f"About {round(shown.quality / 10) * 10} of 100."


def main_fault(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask for the fault alone."""
    return _worded(MAIN, rng), fault_sentence(shown.fault)


def any_fault(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask whether anything is wrong."""
    return _worded(ANY, rng), _yes_no(shown.fault is not None, fault_sentence(shown.fault))


def good(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask whether the quality is good, or bad."""
    asks_good = rng.random() < 0.6
    fine = shown.level in ("high", "good")
    wanted = fine if asks_good else shown.level in ("poor", "low")
    answer = _yes_no(wanted, f"The quality of the video is {shown.level}.")
    return _worded(GOOD if asks_good else BAD, rng), answer


def worst(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask when the fault is seen, whatever it is."""
    answer = NOTHING if shown.fault is None else f"It is seen {shown.fault.span}."
    return _worded(WORST, rng), answer


def is_there(shown: Shown, rng: np.random.Generator) -> Talk | None:
    """Ask whether one fault is there, by noun, adjective or opposite."""
    name = _about(shown, rng)
    if name is None:
        return None
    wording, draw = WORDINGS[name], rng.random()
    if draw < 0.25 and wording.opposites:
        asked = _worded(IS_IT, rng, adjective=_one(wording.opposites, rng))
    elif draw < 0.6 and wording.adjectives:
        asked = _worded(IS_IT, rng, adjective=_one(wording.adjectives, rng))
    else:
        asked = _worded(IS_THERE, rng, noun=_one(wording.nouns, rng))
    return asked, state(shown, name)


def how_strong(shown: Shown, rng: np.random.Generator) -> Talk | None:
    """Ask for the degree of one fault."""
    return _by_noun(HOW_STRONG, shown, rng)


def when(shown: Shown, rng: np.random.Generator) -> Talk | None:
    """Ask for the span of one fault."""
    return _by_noun(WHEN, shown, rng)


def choice(shown: Shown, rng: np.random.Generator) -> Talk | None:
    """Ask for one of several answers, by letter."""
    makers: tuple[Callable[..., tuple[str, str, Sequence[str]] | None], ...] = (
        _choice_of_fault,
        _choice_of_fault,  # twice as often as each other one
        _choice_of_level,
        _choice_of_degree,
        _choice_of_yes,
    )
    made = makers[int(rng.integers(len(makers)))](shown, rng)
    return None if made is None else lettered(*made, rng)


def says_yes(answer: str) -> bool:
    """Return whether an answer says yes, of the fault it names if it names one."""
    return answer.startswith("Yes.") or ": yes" in answer


def lettered(question: str, right: str, wrong: Sequence[str], rng: np.random.Generator) -> Talk:
    """Return a multiple-choice question, its answers in random order, and the right letter."""
    offered = [right, *wrong]
    order = rng.permutation(len(offered)).tolist()
    place = order.index(0)
    return choice_question(question, [offered[at] for at in order]), f"{chr(65 + place)}."


def off_topic(shown: Shown, rng: np.random.Generator) -> Talk:
    """Ask what is not told by pictures' quality."""
    del shown
    if rng.random() < 0.5:
        return _worded(STALL_QUESTIONS, rng), STALLS
    return _one(OFF_QUESTIONS, rng), OFF_TOPIC


#: Kinds of questions about one clip, and how often each is asked.
MAKERS: tuple[tuple[Maker, float], ...] = (
    (describe, 3.0),
    (rate, 2.0),
    (number, 1.0),
    (main_fault, 2.0),
    (any_fault, 1.0),
    (good, 1.0),
    (worst, 1.0),
    (is_there, 10.0),
    (how_strong, 2.0),
    (when, 2.0),
    (choice, 6.0),
    (off_topic, 1.0),
)


def talk_of(shown: Shown, rng: np.random.Generator) -> Talk:
    """Return a question about a view and its answer."""
    weights = np.array([weight for _, weight in MAKERS])
    while True:
        maker, _ = MAKERS[int(rng.choice(len(MAKERS), p=weights / weights.sum()))]
        told = maker(shown, rng)
        if told is not None:
            return told


def talk_of_two(first: Shown, second: Shown, rng: np.random.Generator) -> Talk:
    """Return a question about two views and its answer."""
    while True:
        told = _better(first, second, rng) if rng.random() < 0.6 else _which(first, second, rng)
        if told is not None:
            return told


def _better(first: Shown, second: Shown, rng: np.random.Generator) -> Talk:
    better = rng.random() < 0.7
    gap = first.quality - second.quality
    right = SAME if abs(gap) < ALIKE else FIRST if (gap > 0) == better else SECOND
    asked = _one(BETTER if better else WORSE, rng)
    if rng.random() < 0.3 and right != SAME:
        return lettered(asked, right, [SECOND if right == FIRST else FIRST], rng)
    return asked, right


def _which(first: Shown, second: Shown, rng: np.random.Generator) -> Talk | None:
    names = [one.fault.name for one in (first, second) if one.fault and one.fault.name]
    drawn = list(WORDINGS)[int(rng.integers(len(WORDINGS)))]
    name = _one(names, rng) if names and rng.random() < 0.8 else drawn
    seen = [one.fault is not None and one.fault.name == name for one in (first, second)]
    known = [there or name in one.denied for there, one in zip(seen, (first, second), strict=True)]
    if not all(known):
        return None
    wording = WORDINGS[name]
    if wording.opposites and seen[0] != seen[1] and rng.random() < 0.3:
        asked = _worded(WHICH_DOES_NOT, rng, opposite=_one(wording.opposites, rng))
        return asked, SECOND if seen[0] else FIRST
    forms = [form for form in WHICH_SHOWS if wording.adjectives or "{adjective}" not in form]
    words = {"noun": _one(wording.nouns, rng)}
    if wording.adjectives:
        words["adjective"] = _one(wording.adjectives, rng)
    answer = {(True, True): BOTH, (False, False): NEITHER, (True, False): FIRST}
    return _worded(forms, rng, **words), answer.get((seen[0], seen[1]), SECOND)


def _choice_of_fault(
    shown: Shown, rng: np.random.Generator
) -> tuple[str, str, Sequence[str]] | None:
    denied = sorted(shown.denied)
    if len(denied) < 3 or (shown.fault is not None and shown.fault.name is None):
        return None
    drawn = rng.permutation(len(denied))[: int(rng.integers(1, 4))]
    wrong = [_offered(denied[at], rng) for at in drawn]
    right = "no distortion" if shown.fault is None else _offered(str(shown.fault.name), rng)
    if shown.fault is not None and rng.random() < 0.2:
        wrong[0] = "no distortion"
    change = str.capitalize if rng.random() < 0.5 else str
    return _worded(MAIN, rng), change(right), [change(each) for each in wrong]


def _offered(name: str, rng: np.random.Generator) -> str:
    """Return what a fault is called among choices: what answers call it, or any of its nouns."""
    return noun(name) if rng.random() < 0.5 else _one(WORDINGS[name].nouns, rng)


def _choice_of_level(shown: Shown, rng: np.random.Generator) -> tuple[str, str, Sequence[str]]:
    others = [level for level in LEVELS if level != shown.level]
    kept = rng.permutation(len(others))[: int(rng.integers(1, 5))]
    change = str.capitalize if rng.random() < 0.5 else str
    return _worded(RATE[:-1], rng), change(shown.level), [change(others[at]) for at in kept]


def _choice_of_degree(
    shown: Shown, rng: np.random.Generator
) -> tuple[str, str, Sequence[str]] | None:
    if shown.fault is None:
        return None
    right = shown.fault.degree
    if shown.fault.name is None:
        asked = "How strong is the distortion?"
    else:
        asked = _worded(HOW_STRONG, rng, noun=_one(WORDINGS[shown.fault.name].nouns, rng))
    change = str.capitalize if rng.random() < 0.5 else str
    return asked, change(right), [change(each) for each in DEGREES[1:] if each != right]


def _choice_of_yes(shown: Shown, rng: np.random.Generator) -> tuple[str, str, Sequence[str]] | None:
    makers: tuple[Maker, ...] = (is_there, any_fault, good)
    made = makers[int(rng.choice(3, p=(0.7, 0.15, 0.15)))](shown, rng)
    if made is None:
        return None
    question, answer = made
    yes = says_yes(answer) != PROTOCOLS["mini-ask-1"].asks_opposite(question)
    return question, "Yes" if yes else "No", ["No" if yes else "Yes"]


def _by_noun(forms: Sequence[str], shown: Shown, rng: np.random.Generator) -> Talk | None:
    name = _about(shown, rng)
    if name is None:
        return None
    asked = _worded(forms, rng, noun=_one(WORDINGS[name].nouns, rng))
    return asked, state(shown, name)


def _about(shown: Shown, rng: np.random.Generator) -> str | None:
    """Return a fault to ask about: half of the time the one seen, where one is."""
    if shown.fault is not None and shown.fault.name is not None and rng.random() < 0.5:
        return shown.fault.name
    denied = sorted(shown.denied)
    return denied[int(rng.integers(len(denied)))] if denied else None


def _yes_no(yes: bool, sentence: str) -> str:
    return f"{'Yes' if yes else 'No'}. {sentence}"


def _one(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _worded(forms: Sequence[str], rng: np.random.Generator, **words: str) -> str:
    """Return one of the forms with its words; now and then as hastily as people type."""
    words.setdefault("it", _one(SUBJECTS, rng))
    words["any"] = "any " if rng.random() < 0.5 else ""
    words["Noun"] = capital(words.get("noun", ""))
    words["Adjective"] = capital(words.get("adjective", ""))
    text = capital(_one(forms, rng).format_map(words))
    draw = rng.random()
    if draw < 0.1:
        return text.lower()
    if draw < 0.2:
        return text.rstrip("?.").lower()
    return text
