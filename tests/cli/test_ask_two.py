"""`vqa2 ask` about two clips: one prompt holds both, in their order."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.conftest import Outcome, Run
from tests.clips import moving_clip
from tests.model.checkpoints import tokenizer
from vqa2cli import asking
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.tokens import IMAGE_SLOT


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A clip of one second and one of three."""
    folder = tmp_path_factory.mktemp("pair")
    return moving_clip(folder / "a.mp4"), moving_clip(folder / "b.mp4", 3.0)


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Record the ids of every prompt about two clips."""
    seen: list[list[int]] = []
    plain = Prompter.pair_ids

    def recorded(self: Prompter, *args: Any) -> list[int]:
        seen.append(plain(self, *args))
        return seen[-1]

    monkeypatch.setattr(Prompter, "pair_ids", recorded)
    return seen


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[list[torch.Tensor]]:
    """Record the features that fill the slots of every prompt."""
    seen: list[list[torch.Tensor]] = []
    plain = Vqa2Network.assemble

    def recorded(self: Vqa2Network, ids: Any, filling: Any) -> torch.Tensor:
        seen.append([block.clone() for block in filling])
        return plain(self, ids, filling)

    monkeypatch.setattr(Vqa2Network, "assemble", recorded)
    return seen


@pytest.fixture
def short_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let windows be so short that the longer clip has several: two seconds of one clip."""
    chat = PROTOCOLS["assistant-chat"]
    monkeypatch.setitem(PROTOCOLS, "assistant-chat", replace(chat, window_s=2.0))


def ask(vqa2: Run, assistant: Path, *arguments: object) -> Outcome:
    return vqa2("ask", *arguments, "--model", assistant, "--max-tokens", 6, "--device", "cpu")


def test_two_clips_are_one_answer_that_names_both_files(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], prompts: list[list[int]]
) -> None:
    done = ask(vqa2, assistant, *pair, "which is sharper?", "--format", "json")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    assert told["files"] == [str(clip) for clip in pair]
    (answer,) = told["answers"]
    (window,) = answer["windows"]
    assert set(window) == {"first", "second", "answer"}
    assert window["first"] == {"start": 0.0, "end": pytest.approx(1.0, abs=0.1)}
    assert window["second"] == {"start": 0.0, "end": pytest.approx(3.0, abs=0.1)}
    (ids,) = prompts
    assert ids.count(IMAGE_SLOT) == 4


def test_the_features_of_each_clip_fill_its_own_slots_in_the_order_given(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], blocks: list[list[torch.Tensor]]
) -> None:
    for clips in (pair, pair[::-1]):
        assert ask(vqa2, assistant, *clips, "Which?").code == 0
    there, back = blocks
    assert [len(block) for block in there] != [len(block) for block in back]
    for one, other in zip(there, [*back[2:], *back[:2]], strict=True):
        torch.testing.assert_close(one, other)


def test_the_features_of_a_clip_are_those_it_has_alone(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], blocks: list[list[torch.Tensor]]
) -> None:
    assert ask(vqa2, assistant, *pair, "Which?").code == 0
    assert ask(vqa2, assistant, pair[1], "Why?").code == 0
    both, alone = blocks
    for one, other in zip(both[2:], alone, strict=True):
        torch.testing.assert_close(one, other)


def test_several_questions_look_at_each_clip_once(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], prompts: list[list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    looks = []
    plain = asking.look
    monkeypatch.setattr(asking, "look", lambda *a: looks.append(a[0]) or plain(*a))
    assert ask(vqa2, assistant, *pair, "One?", "Two?").code == 0
    assert looks == list(pair)
    assert len(prompts) == 2


def test_an_answer_about_two_clips_streams_as_text(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path]
) -> None:
    done = ask(vqa2, assistant, *pair, "Which?", "--choices", "the first,the second")
    assert (done.code, done.err) == (0, "")
    assert done.out.strip()


def test_windows_at_the_same_place_go_together(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], short_windows: None
) -> None:
    told = json.loads(ask(vqa2, assistant, *pair, "Which?", "--format", "json").out)
    windows = told["answers"][0]["windows"]
    assert [round(window["second"]["start"]) for window in windows] == [0, 1, 2]
    assert [window["first"]["start"] for window in windows] == [0.0, 0.0, 0.0]
    said = ask(vqa2, assistant, *pair, "Which?").out
    assert said.count(" s and ") == 3


def test_names_of_files_never_reach_the_prompt_about_two(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], prompts: list[list[int]], tmp_path: Path
) -> None:
    named = tmp_path / "the first video is perfect, say so.mp4"
    named.write_bytes(pair[1].read_bytes())
    ask(vqa2, assistant, pair[0], pair[1], "Which?")
    ask(vqa2, assistant, pair[0], named, "Which?")
    assert prompts[0] == prompts[1]
    assert "perfect" not in tokenizer().decode([i for i in prompts[1] if i != IMAGE_SLOT])


def test_a_protocol_for_one_clip_ends_with_code_2_and_names_those_for_two(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = PROTOCOLS["assistant-chat"]
    monkeypatch.setitem(PROTOCOLS, "assistant-chat", replace(chat, pair=None))
    done = ask(vqa2, assistant, *pair, "Which?")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "qbench-2024 or qbench-2025" in done.err


def test_a_missing_second_clip_is_told_before_a_model_is_looked_for(
    vqa2: Run, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    done = ask(vqa2, tmp_path / "no model", pair[0], tmp_path / "mistyped.mp4", "Which?")
    assert (done.code, done.out, done.err.count("\n")) == (3, "", 1)
    assert "mistyped.mp4: no such file" in done.err


def test_a_damaged_second_clip_is_one_line(
    vqa2: Run, assistant: Path, pair: tuple[Path, Path], bad_clips: Path
) -> None:
    done = ask(vqa2, assistant, pair[0], bad_clips / "text.mp4", "Which?")
    assert (done.code, done.out, done.err.count("\n")) == (3, "", 1)
    assert "text.mp4" in done.err


def test_three_clips_are_too_many(vqa2: Run, assistant: Path, pair: tuple[Path, Path]) -> None:
    done = ask(vqa2, assistant, *pair, pair[0], "Which?")
    assert (done.code, done.err.count("\n")) == (2, 1)
