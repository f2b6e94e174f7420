"""Templates write what the depiction says, in balance, and the paper's causal analysis."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.clips import moving_clip
from train.data.attributes import attributes
from train.data.depictions import Depiction, Finding
from train.data.records import Sample
from train.data.stage3 import TASKS, Stage3Settings, build_stage3

COUNT = 40


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    moving_clip(folder / "clip.mp4", 3.0)
    for index in range(COUNT):
        (folder / f"clip{index}.mp4").symlink_to(folder / "clip.mp4")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder / "picture.png")
    return folder


def many() -> list[Depiction]:
    """Depictions of every attribute: whole, in part, two at once, and none."""
    degrees = ("barely visible", "slight", "moderate", "severe", "extreme")
    names = list(attributes())
    found = []
    for index in range(COUNT):
        name, other = names[index % len(names)], names[(index + 7) % len(names)]
        findings: tuple[Finding, ...] = (Finding(name, degrees[index % 5]),)  # type: ignore[arg-type]
        if index % 4 == 1:
            findings = (Finding(name, "severe", 0.2, 1.1),)
        elif index % 4 == 2:
            findings = (Finding(name, "severe"), Finding(other, "slight", 1.0))
        elif index % 8 == 3:
            findings = ()
        found.append(Depiction(f"clip{index}.mp4", findings, score=float(index * 100 // COUNT)))
    return found


def written(media: Path, depictions: list[Depiction], **changes: object) -> dict[str, Sample]:
    settings = Stage3Settings(media, **changes)  # type: ignore[arg-type]
    return {
        sample.provenance.task or "": sample
        for sample in build_stage3(depictions, settings).samples
    }


def test_a_clip_gets_all_seven_tasks(media: Path) -> None:
    result = build_stage3(many(), Stage3Settings(media))
    counts = Counter(sample.provenance.task for sample in result.samples)
    assert counts == {task: COUNT for task in TASKS}
    assert len({sample.id for sample in result.samples}) == len(result.samples)
    assert all(sample.turns[0].text.count("<image>") == 2 for sample in result.samples)


def test_the_causal_analysis_is_the_papers(media: Path) -> None:
    depiction = Depiction("clip0.mp4", (Finding("noise", "severe", 1.0, 2.0),), score=30)
    turns = written(media, [depiction])["causal"].turns
    assert turns[0].text.endswith(
        "Please provide a detailed depiction of the overall quality of this video, and based on "
        "your depiction, how would you evaluate the quality of this video?"
    )
    assert turns[1].text == (
        "Severe noise is visible from 1.0 s to 2.0 s: grain covers areas that should be smooth. "
        "Hence, The quality of this video is poor."
    )


def test_yes_and_no_and_the_places_of_right_choices_come_out_even(media: Path) -> None:
    samples = build_stage3(many(), Stage3Settings(media, seed=5)).samples
    truths, places = Counter[str](), Counter[str]()
    for sample in samples:
        question, answer = (turn.text for turn in sample.turns)
        if sample.provenance.task == "binary":
            listed = re.search(rf"^{answer[0]}\. (Yes|No)$", question, re.MULTILINE)
            truths[listed[1] if listed else answer.partition(".")[0]] += 1
        elif sample.provenance.task == "choice":
            places[answer[0]] += 1
    assert truths == {"Yes": COUNT // 2, "No": COUNT // 2}
    assert places == {letter: COUNT // 4 for letter in "ABCD"}


def test_yes_is_never_said_of_what_is_not_there(media: Path) -> None:
    for seed in range(6):
        samples = build_stage3(many(), Stage3Settings(media, seed=seed, tasks=("binary",))).samples
        for sample, depiction in zip(samples, many(), strict=True):
            question, answer = (turn.text for turn in sample.turns)
            listed = re.search(rf"^{answer[0]}\. (Yes|No)$", question, re.MULTILINE)
            truth = (listed[1] if listed else answer.partition(".")[0]) == "Yes"
            asked = question.rpartition("<image>\n")[2].partition("\n")[0]
            told = [name for name in attributes() if name in asked]
            if not told:  # whether it is free of distortion
                assert truth == (not depiction.findings), asked
            elif "severe" in asked or "strongly" in asked:
                (found,) = (one for one in depiction.findings if one.attribute in told)
                assert truth == (found.severity >= 4)
            else:
                assert truth == bool(depiction.present & set(told)), asked


def test_the_right_choice_is_right_and_no_other_is_close(media: Path) -> None:
    for seed in range(6):
        samples = build_stage3(many(), Stage3Settings(media, seed=seed, tasks=("choice",))).samples
        for sample, depiction in zip(samples, many(), strict=True):
            question, answer = (turn.text for turn in sample.turns)
            choices = dict(re.findall(r"^([A-D])\. (.+)$", question, re.MULTILINE))
            assert len(set(choices.values())) == 4, question
            right = choices[answer[0]].lower()
            wrong = {text.lower() for text in choices.values()} - {right}
            present = {name.lower() for name in depiction.present}
            if right in {name.lower() for name in attributes()}:
                assert right == depiction.ranked[0].attribute.lower()
                assert not wrong & present


def test_time_is_told_as_it_is(media: Path) -> None:
    partial = Depiction("clip0.mp4", (Finding("noise", "severe", 0.0, 1.5),))
    answers = {
        written(media, [partial], seed=seed, tasks=("temporal",))["temporal"].turns[1].text
        for seed in range(10)
    }
    assert all("from the start to 1.5 s" in answer for answer in answers)
    steady = written(media, [Depiction("clip1.mp4")], tasks=("temporal",))["temporal"]
    assert "stays the same from start to end" in steady.turns[1].text


def test_scene_and_place_give_the_context(media: Path) -> None:
    depiction = Depiction(
        "clip0.mp4", (Finding("noise", "slight", where="the sky"),), scene="a quiet harbour"
    )
    asked = {
        written(media, [depiction], seed=seed, tasks=("in-context",))["in-context"].turns[0].text
        for seed in range(12)
    }
    assert any("the sky" in question for question in asked)
    assert any("a quiet harbour" in question for question in asked)


def test_the_better_half_is_the_one_without_the_distortion(media: Path) -> None:
    depiction = Depiction("clip0.mp4", (Finding("noise", "severe", 2.0, None),))
    answer = written(media, [depiction], tasks=("in-context",))["in-context"].turns[1].text
    assert answer == "The first half looks better: severe noise is visible from 2.0 s to the end."


def test_a_picture_has_no_time_and_no_motion(media: Path) -> None:
    depiction = Depiction("picture.png", (Finding("noise", "severe"),), level="low")
    for seed in range(8):
        result = build_stage3([depiction], Stage3Settings(media, seed=seed))
        assert result.left_out == {"temporal: a picture has no time": 1}
        for sample in result.samples:
            text = " ".join(turn.text for turn in sample.turns)
            assert sample.turns[0].text.count("<image>") == 1
            assert "video" not in text.partition("<image>")[2]
            assert "tuttering" not in text


def test_an_unknown_level_gives_no_causal_analysis_and_is_counted(media: Path) -> None:
    result = build_stage3([Depiction("clip0.mp4")], Stage3Settings(media))
    assert result.left_out == {"causal: its overall quality is not known": 1}
    assert "causal" not in {sample.provenance.task for sample in result.samples}


def test_an_attribute_of_a_users_own_is_spoken_of_too(media: Path) -> None:
    depiction = Depiction("clip0.mp4", (Finding("moiré", "severe"),), level="poor")
    result = build_stage3([depiction], Stage3Settings(media))
    assert result.left_out == {"extended: nothing is known of its attributes": 1}
    causal = next(s for s in result.samples if s.provenance.task == "causal")
    assert causal.turns[1].text.startswith("Severe moiré is visible throughout the video.")


def test_leaving_a_task_out_changes_no_other(media: Path) -> None:
    every = build_stage3(many(), Stage3Settings(media)).samples
    some = build_stage3(many(), Stage3Settings(media, tasks=("open", "causal"))).samples
    assert some == tuple(s for s in every if s.provenance.task in {"open", "causal"})


def test_seeds_vary_the_words_and_repeat_themselves(media: Path) -> None:
    assert (
        build_stage3(many(), Stage3Settings(media)).samples
        == build_stage3(many(), Stage3Settings(media)).samples
    )
    opens = {
        written(media, [Depiction("clip0.mp4")], seed=seed, tasks=("open",))["open"].turns[0].text
        for seed in range(20)
    }
    assert len(opens) > 4


def test_missing_media_are_named(media: Path) -> None:
    result = build_stage3([Depiction("gone.mp4"), Depiction("clip0.mp4")], Stage3Settings(media))
    assert [gone.media for gone in result.missing] == ["gone.mp4"]
    assert {sample.media for sample in result.samples} == {"clip0.mp4"}


def test_counts_in_the_assistants_lead_are_those_of_the_clip(media: Path) -> None:
    sample = written(media, [Depiction("clip0.mp4")], tasks=("open",))["open"]
    assert "You will receive 3 distinct frames" in sample.turns[0].text
    assert "from all 44 frames" in sample.turns[0].text  # 45 frames, in fours
