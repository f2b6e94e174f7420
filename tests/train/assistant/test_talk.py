"""Questions and answers: an answer says what the view shows, and nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest

from train.assistant.evaluation import told_by
from train.assistant.shown import COMPRESSED, ENCODED, NAMES, SPANS, Fault, Shown, akin, shown_by
from train.assistant.talk import (
    FIRST,
    OFF_TOPIC,
    SAME,
    SECOND,
    STALLS,
    capital,
    describe,
    how_strong,
    is_there,
    says_yes,
    talk_of,
    talk_of_two,
    when,
)
from train.assistant.words import WORDINGS, noun
from train.kadid import FOUND_AS
from vqa2cli.asking import clean_question
from vqa2cli.levels import degree_of
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.recognition import UNCLEAR, Reading

NOISY = Shown(50.0, Fault("noise", "noticeable", "in the middle"), frozenset({"blur", "banding"}))
CLEAN = Shown(95.0, None, frozenset(NAMES))


def any_shown(rng: np.random.Generator) -> Shown:
    """Return what a view of some quality may show."""
    quality = float(rng.uniform(0, 87))
    name = [None, *NAMES][int(rng.integers(len(NAMES) + 1))]
    span = list(SPANS)[int(rng.integers(len(SPANS)))]
    denied = frozenset(NAMES) - (akin(name) if name else set())
    return Shown(quality, Fault(name, degree_of(quality), span), denied)


def read(quality: float, *names: str) -> Shown:
    """Return what is shown by key frames of these names, all of one quality."""
    return shown_by([Reading(name, quality) for name in names])


def test_a_name_is_told_that_most_key_frames_show_where_something_is_seen() -> None:
    assert read(50.0, "noise", "noise", "blur").fault == Fault("noise", "noticeable")
    assert read(95.0, "noise", "noise").fault is None
    assert read(50.0, "noise", "blur").fault == Fault(None, "noticeable")
    assert read(50.0, UNCLEAR, UNCLEAR, "noise").fault == Fault(None, "noticeable")
    assert read(20.0, ENCODED).fault == Fault(COMPRESSED, "severe")
    assert read(75.0, ENCODED).fault == Fault(COMPRESSED, "slight")
    assert read(82.0, ENCODED).fault is None
    assert read(82.0, "noise").fault == Fault("noise", "slight")
    assert FOUND_AS[0] == ENCODED


def test_what_looks_alike_or_is_read_now_and_then_is_not_denied() -> None:
    denied = read(50.0, ENCODED, ENCODED, "overexposure").denied
    assert not denied & {"compression", "blur", "block_effect", "banding", "overexposure"}
    assert "noise" in denied
    assert read(95.0, ENCODED).denied == set(NAMES)
    assert not read(50.0, UNCLEAR).denied


@pytest.mark.parametrize("seed", range(40))
def test_a_description_says_fault_degree_and_level_of_the_view(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shown = any_shown(rng)
    _, answer = describe(shown, rng)
    told = told_by(answer)
    assert shown.fault is not None
    assert told.read
    assert (told.name, told.level) == (shown.fault.name, shown.level)
    assert told.degree == ("none", "slight", "noticeable", "severe").index(shown.fault.degree)
    assert shown.fault.span in answer


def test_a_clean_view_is_told_to_show_nothing() -> None:
    _, answer = describe(CLEAN, np.random.default_rng(0))
    told = told_by(answer)
    assert (told.read, told.nothing, told.name) == (True, True, None)


def test_yes_is_said_of_what_is_shown_and_no_of_what_is_not() -> None:
    rng = np.random.default_rng(0)
    for ask in (is_there, how_strong, when):
        for _ in range(100):
            question, answer = ask(NOISY, rng) or ("", "")
            name = next(each for each in NAMES if answer.startswith(capital(noun(each)) + ": "))
            words = WORDINGS[name]
            asked = (*words.nouns, *words.adjectives, *words.opposites)
            assert any(each in question.lower() for each in asked), (question, answer)
            there = answer == "Noise: yes, noticeable, in the middle."
            assert there == (name == "noise") == says_yes(answer)
            assert there or answer.endswith(": no.")
        assert all((ask(CLEAN, rng) or ("", ""))[1].endswith(": no.") for _ in range(50))


def test_its_protocol_knows_the_same_opposites() -> None:
    told = {word for wording in WORDINGS.values() for word in wording.opposites}
    assert set(PROTOCOLS["mini-ask-1"].opposites) == told


def test_a_clip_asked_to_be_what_a_faultless_one_is_gets_the_other_letter() -> None:
    asks_opposite = PROTOCOLS["mini-ask-1"].asks_opposite
    assert asks_opposite("Is this video free of noise?")
    assert asks_opposite("does it look sharp")
    assert not asks_opposite("Is it out of focus?")
    assert not asks_opposite("Is it blurry?")


@pytest.mark.parametrize("seed", range(60))
def test_the_right_letter_stands_before_the_right_choice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(40):
        shown = any_shown(rng)
        question, answer = talk_of(shown, rng)
        letters = dict(re.findall(r"^([A-Z])\. (.+)$", question, re.MULTILINE))
        if not letters:
            assert not re.fullmatch(r"[A-Z]\.", answer)
            continue
        right = letters[answer.removesuffix(".")].lower()
        assert shown.fault is not None
        known = {shown.level, shown.fault.degree, "yes", "no"}
        name = shown.fault.name
        known |= {noun(name), *WORDINGS[name].nouns} if name else set()
        assert right in known
        assert len(letters) == len(set(letters.values())) > 1


def test_every_question_may_be_asked() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        question, answer = talk_of(any_shown(rng), rng)
        assert clean_question(question) == question
        assert "{" not in question + answer


def test_what_the_pictures_do_not_tell_is_said_so() -> None:
    rng = np.random.default_rng(1)
    answers = {talk_of(CLEAN, rng)[1] for _ in range(2000)}
    assert {OFF_TOPIC, STALLS} <= answers


def test_of_two_views_the_better_one_is_named() -> None:
    rng = np.random.default_rng(0)
    asked = [talk_of_two(NOISY, CLEAN, rng) for _ in range(400)]
    for question, answer in asked:
        if re.search("better|higher", question) and "A." not in question:
            assert answer == SECOND
        if re.search("worse|lower|degraded", question) and "A." not in question:
            assert answer == FIRST
        if re.search("noise|noisy|grain|speckle", question) and "free" not in question:
            assert answer == FIRST or "clean of" in question
    alike = [talk_of_two(CLEAN, CLEAN, rng) for _ in range(100)]
    assert {answer for question, answer in alike if "better" in question} == {SAME}
