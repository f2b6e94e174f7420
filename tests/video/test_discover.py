"""What the inputs of a command come to."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from vqa2cli.errors import UsageError
from vqa2cli.video.discover import discover


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: clips, one folder deeper, and things that are no video."""
    for name in ("clip10.mp4", "clip2.mkv", "b/c.TS", "notes.txt", "thumb.png", ".hidden.mp4"):
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*inputs: str, stdin: str | None = None) -> list[str]:
    found = discover(inputs, None if stdin is None else io.StringIO(stdin))
    return [path.as_posix() for path in found.files]


def test_a_folder_is_walked_in_natural_order(folder: Path) -> None:
    assert names("media") == ["media/clip2.mkv", "media/clip10.mp4", "media/b/c.TS"]


def test_a_walk_says_what_it_left_out_and_why(folder: Path) -> None:
    skipped = {path.name: why for path, why in discover(["media"]).skipped}
    assert skipped == {
        "notes.txt": "not a video by its name",
        "thumb.png": "not a video by its name",
        ".hidden.mp4": "a hidden file",
    }


def test_a_file_named_outright_is_never_left_out(folder: Path) -> None:
    assert names("media/notes.txt", "media/thumb.png") == ["media/notes.txt", "media/thumb.png"]
    assert "media/thumb.png" in names("media", "media/thumb.png")
    assert not any(p.name == "thumb.png" for p, _ in discover(["media", "media/thumb.png"]).skipped)


def test_a_missing_file_stays_to_become_an_error_row(folder: Path) -> None:
    assert names("gone.mp4", "media/clip2.mkv") == ["gone.mp4", "media/clip2.mkv"]


def test_each_file_counts_once(folder: Path) -> None:
    assert names("media/clip2.mkv", "./media//clip2.mkv", "media/*.mkv") == ["media/clip2.mkv"]


def test_patterns_are_expanded_here_also_across_folders(folder: Path) -> None:
    assert names("media/clip*.mp4") == ["media/clip10.mp4"]
    assert names("media/**/*.TS") == ["media/b/c.TS"]


def test_a_name_that_looks_like_a_pattern_is_taken_as_it_is(folder: Path) -> None:
    (folder / "a[1].mp4").touch()
    assert names("a[1].mp4") == ["a[1].mp4"]


def test_a_pattern_without_a_match_is_a_usage_error(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"media/\*\.avi: nothing matches"):
        names("media/*.avi")


def test_a_list_names_files_relative_to_itself(folder: Path) -> None:
    (folder / "media" / "list.txt").write_text("# rungs\n\nclip2.mkv\n  b  \n")
    assert names("@media/list.txt") == ["media/clip2.mkv", "media/b/c.TS"]


def test_a_list_comes_in_on_standard_input(folder: Path) -> None:
    assert names("-", stdin="media/clip2.mkv\n") == ["media/clip2.mkv"]
    with pytest.raises(UsageError, match="no standard input"):
        names("-")


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_list_is_a_usage_error(folder: Path, text: str) -> None:
    (folder / "list.txt").write_text(text)
    with pytest.raises(UsageError, match="names no file"):
        names("@list.txt")


def test_a_list_that_is_not_there_is_a_usage_error(folder: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        names("@none.txt")


def test_lists_that_name_each_other_are_refused(folder: Path) -> None:
    (folder / "list.txt").write_text("@list.txt\n")
    with pytest.raises(UsageError, match="do they name each other"):
        names("@list.txt")


def test_links_do_not_lead_a_walk_out_of_its_folder(folder: Path) -> None:
    outside = folder / "outside"
    outside.mkdir()
    (outside / "secret.mp4").touch()
    os.symlink(outside / "secret.mp4", folder / "media" / "file_link.mp4")
    os.symlink(outside, folder / "media" / "folder_link")
    os.symlink(folder / "media" / "nowhere", folder / "media" / "dangling.mp4")
    os.symlink("loop.mp4", folder / "media" / "loop.mp4")
    os.symlink("clip2.mkv", folder / "media" / "inside.mkv")
    found = discover(["media"])
    assert {path.name for path in found.files} == {"clip2.mkv", "clip10.mp4", "c.TS", "inside.mkv"}
    skipped = {path.name: why for path, why in found.skipped}
    assert skipped["folder_link"] == "a link to a folder"
    for name in ("file_link.mp4", "dangling.mp4", "loop.mp4"):
        assert skipped[name] == "a link out of the folder"
