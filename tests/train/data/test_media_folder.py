"""A label finds its file under the folder, and never one that merely looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.data.media_folder import MediaFolder
from vqa2cli.errors import UsageError


def folder_of(root: Path, *files: str) -> MediaFolder:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")
    return MediaFolder(root)


@pytest.mark.parametrize(
    ("media", "file"),
    [
        ("a/1.mp4", "a/1.mp4"),
        ("KoNViD_1k_videos/1.mp4", "1.mp4"),
        ("/data/sets/a/1.mp4", "a/1.mp4"),
        ("1.mp4", "deep/below/1.mp4"),
        ("clip", "clip.webm"),
        ("clip_59.94fps_h264", "clip_59.94fps_h264.mp4"),
        ("Focus/0123.yuv", "Focus/0123.mp4"),
    ],
)
def test_a_label_finds_its_file(tmp_path: Path, media: str, file: str) -> None:
    folder = folder_of(tmp_path, file, "other/2.mp4", ".hidden/1.mp4")
    assert folder.find(media) == file


@pytest.mark.parametrize("media", ["10.mp4", "1", "x/1.mp4/1.mp4", "b/11.mp4", "11.5"])
def test_names_that_look_alike_are_no_match(tmp_path: Path, media: str) -> None:
    with pytest.raises(LookupError, match="no such file"):
        folder_of(tmp_path, "a/11.mp4").find(media)


def test_the_closest_of_several_is_taken(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a/1.mp4", "b/1.mp4")
    assert folder.find("set/b/1.mp4") == "b/1.mp4"


def test_two_files_that_fit_are_both_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"2 files fit: a/1.mp4, b/1.mp4"):
        folder_of(tmp_path, "a/1.mp4", "b/1.mp4").find("1.mp4")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder of media"):
        MediaFolder(tmp_path / "none")
