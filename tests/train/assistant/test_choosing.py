"""What the assistant is asked to choose, and how its choices are counted."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from train.assistant import choosing
from train.assistant.choosing import APART, OFFERED, choices_of, comparisons_of, pairs_of
from train.items import Item
from vqa2cli.video.synthesis import moving_scene, write_clip

SIZE = (320, 240)


def item(
    name: str, label: float, distortion: tuple[int, int] | None = None, content: str = "a"
) -> Item:
    kind = "rendition" if distortion is None else "distortion"
    return Item(
        name, f"clips/{name}.mp4", "val", content, content, kind, label, SIZE, "h264", 20, 1.0,
        None, distortion,
    )  # fmt: skip


NOISY = item("noisy", 20.0, (11, 5))
CLEAN = item("clean", 96.0, content="b")


def test_a_plain_distortion_is_one_of_five_names_and_yes_or_no_follows_from_it() -> None:
    first, *rest = choices_of(NOISY, np.random.default_rng(0))
    assert len(set(first.offered)) == OFFERED
    assert first.right == "noise"
    assert {each.question: each.right for each in rest} == {
        "Is it blurry?": "No",
        "Is it sharp?": "Yes",
        "Is it noisy?": "Yes",
        "Is there any noise in this video?": "Yes",
    }


def test_of_a_clip_that_shows_nothing_no_fault_is_there() -> None:
    asked = {each.question: each.right for each in choices_of(CLEAN, np.random.default_rng(0))}
    assert asked["Is it sharp?"] == "Yes"
    assert [right for question, right in asked.items() if "sharp" not in question] == ["No"] * 3


def test_what_is_neither_plain_nor_clean_is_not_asked_about() -> None:
    doubtful = item("doubtful", 60.0), item("mild", 70.0, (11, 2))
    assert [*choices_of(doubtful[0], np.random.default_rng(0))] == []
    assert [*choices_of(doubtful[1], np.random.default_rng(0))] == []


def test_a_pair_is_of_two_contents_far_apart_and_the_higher_label_is_better() -> None:
    near = item("near", 96.0 - APART + 1, content="c")
    found = [*pairs_of([NOISY, CLEAN, near], 20, np.random.default_rng(0))]
    assert len(found) == 20
    assert all({NOISY, CLEAN} == {*pair} or {NOISY, near} == {*pair} for pair in found)
    better, shows = comparisons_of(CLEAN, NOISY)
    assert (better.right, shows.right) == ("The first video.", "The second video.")
    assert shows.question == "Which video shows noise?"


@pytest.mark.slow
def test_the_embedded_assistant_is_asked_and_counted(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    frames = [*moving_scene(2, 25, SIZE)]
    rng = np.random.default_rng(0)
    noisy = [np.clip(f + rng.normal(0, 40, f.shape), 0, 255).astype(np.uint8) for f in frames]
    for each, shown in ((CLEAN, frames), (NOISY, noisy)):
        write_clip(tmp_path / each.path, shown, 25, options={"crf": "12"})
    rows = "".join(json.dumps(asdict(each)) + "\n" for each in (CLEAN, NOISY))
    (tmp_path / "items.jsonl").write_text(rows)
    done = CliRunner().invoke(choosing.main, [str(tmp_path), "--pairs", "2"])
    assert done.exit_code == 0, done.output
    table = dict(re.findall(r"^\| (of .*?|which .*?) \| [\d.]+ \((\d+/\d+)\)", done.output, re.M))
    assert table["of five names"] == "1/1"
    assert table["of yes and no"].endswith("/8")
    assert table["which of two is better"] == "2/2"
