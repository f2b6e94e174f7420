"""What the page tells of a clip: real clips, a tiny model, names that try to be HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.conftest import bad_clips, clips, model_dir
from vqa2cli import asking
from vqa2cli.config import RunConfig
from vqa2cli.demo.desk import Desk
from vqa2cli.model import QualityModel, load_model

pytest.importorskip("matplotlib", reason="the page draws with matplotlib")
__all__ = ["bad_clips", "clips", "model_dir"]

HOSTILE = "<img src=x onerror=alert(1)>${alert(2)}{{3}}.mp4"


class Reader(HTMLParser):
    """Collects the elements, the text and the sources of pictures of a fragment."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def scorer(model_dir: Path) -> QualityModel:
    return load_model(model_dir, device="cpu")


@pytest.fixture(scope="module")
def desk(scorer: QualityModel, assistant: Path) -> Desk:
    """A desk with a tiny model that scores and another that answers."""
    config = RunConfig(streaming=True, device="cpu", model=str(assistant))
    return Desk(scorer, config, asking.answering_model(config))


def test_a_clip_is_told_with_score_timeline_findings_and_worst_frames(
    desk: Desk, clips: Path
) -> None:
    told = Reader(desk.told(clips / "stalled.mp4"))
    assert re.search(r"\d+\.\d of 100", told.text)
    for words in ("stalled.mp4", "Timeline", "Findings", "Worst frames", "stall"):
        assert words in told.text
    assert told.elements.count("svg") == 1
    pictures = [value for name, value in told.attributes if name == "src"]
    assert pictures
    assert all(str(value).startswith("data:image/jpeg;base64,") for value in pictures)


def test_a_name_that_looks_like_html_is_text(desk: Desk, clips: Path, tmp_path: Path) -> None:
    named = tmp_path / HOSTILE
    named.write_bytes((clips / "moving.mp4").read_bytes())
    plain, told = Reader(desk.told(clips / "moving.mp4")), Reader(desk.told(named))
    assert told.elements == plain.elements
    assert HOSTILE in told.text
    assert not [name for name, _ in told.attributes if name.startswith("on")]


@pytest.mark.parametrize(
    "name", ["empty.mp4", "text.mp4", "playlist.mp4", "truncated.mp4", "sound.mp4", "missing.mp4"]
)
def test_a_bad_clip_is_one_line_without_the_folder(desk: Desk, bad_clips: Path, name: str) -> None:
    fragment = desk.told(bad_clips / name)
    told = Reader(fragment)
    assert "\n" not in fragment
    assert told.elements == ["p", "bdi"]
    assert told.text.startswith(f"{name}: ")
    assert str(bad_clips) not in fragment
    assert told.text.count(name) == 1


def test_a_playlist_is_refused(desk: Desk, tmp_path: Path) -> None:
    playlist = tmp_path / "master.m3u8"
    playlist.write_text("#EXTM3U\n/etc/passwd\n")
    assert "a playlist without the files it names" in Reader(desk.told(playlist)).text


def test_an_unexpected_error_is_one_line(
    desk: Desk, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError("by\nhand")

    monkeypatch.setattr("vqa2cli.demo.desk.explain", fail)
    told = Reader(desk.told(clips / "moving.mp4"))
    assert told.text.startswith("internal error: ZeroDivisionError")


def test_answers_grow_and_the_clip_is_looked_at_once(
    desk: Desk, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    plain = asking.look
    monkeypatch.setattr("vqa2cli.demo.desk.look", lambda *a: looks.append(1) or plain(*a))
    monkeypatch.setattr("vqa2cli.demo.desk.MAX_TOKENS", 6)
    for question in ("Why?", "Which?"):
        grown = list(desk.answer(clips / "moving.mp4", question))
        assert grown
        assert all(after.startswith(before) for before, after in pairwise(grown))
    assert len(looks) == 1


def test_a_question_that_is_none_is_one_line(desk: Desk, clips: Path) -> None:
    assert list(desk.answer(clips / "moving.mp4", " ")) == ["the question is empty; ask one"]
