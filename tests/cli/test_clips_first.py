"""Clips and questions on one command line: what is taken for which."""

from __future__ import annotations

from pathlib import Path

import pytest

from vqa2cli.cli.clips_first import clips_and_questions
from vqa2cli.errors import UsageError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder with two files and a folder named like a word."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "no suffix"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sharpness").mkdir()


@pytest.mark.parametrize(
    ("arguments", "clips"),
    [
        (["a.mp4", "Why?"], 1),
        (["missing.mp4", "Why?"], 1),
        (["a.mp4", "a.mp4", "Which is sharper?"], 2),
        (["a.mp4", "no suffix", "Which?"], 2),
        (["a.mp4", "mistyped.MP4", "Which?"], 2),
        (["a.mp4", "my holiday.mkv", "Which?"], 2),
        (["a.mp4", "master.m3u8", "Which?"], 2),
        (["a.mp4", "frame.png", "Which?"], 2),
        (["a.mp4", "runs/b", "Which?"], 2),
        (["a.mp4", "sharpness"], 1),
        (["a.mp4", "sharp/soft?"], 1),
        (["a.mp4", "Is it sharp and/or clean"], 1),
        (["a.mp4", "Is it as sharp as b.mp4?"], 1),
        (["a.mp4", "Why?", "a.mp4?"], 1),
        (["a.mp4", "\0", "x" * 9999], 1),
        (["a.mp4"], 1),
    ],
)
def test_leading_files_and_what_looks_like_one_are_clips(arguments: list[str], clips: int) -> None:
    assert clips_and_questions(arguments, 2) == (
        tuple(arguments[:clips]),
        tuple(arguments[clips:]),
    )


def test_more_clips_than_are_taken_are_counted() -> None:
    with pytest.raises(UsageError, match="3 clips named, at most 2"):
        clips_and_questions(["a.mp4", "a.mp4", "c.mp4", "Which?"], 2)


def test_a_clip_behind_a_question_is_not_asked() -> None:
    with pytest.raises(UsageError, match=r"b\.mp4: looks like a clip behind a question"):
        clips_and_questions(["a.mp4", "Which?", "b.mp4"], 2)
