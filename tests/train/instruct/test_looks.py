"""Pictures on disk: decoded once, found again by content, and never over the limit."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from train.instruct import looks as module
from train.instruct.looks import LookStore
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.video.media import Sampling

SAMPLING = Sampling(window_s=10, keyframe_size=32, motion_size=32, motion_multiple=1)
PLENTY = 10**9


@pytest.fixture
def own_media(media: Path, tmp_path: Path) -> Path:
    """A copy of the media that a test may change."""
    shutil.copytree(media, tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Names of the files decoded from now on."""
    names: list[str] = []
    original = module.first_window

    def counted(path, sampling):
        names.append(path.name)
        return original(path, sampling)

    monkeypatch.setattr(module, "first_window", counted)
    return names


def test_a_file_is_decoded_once_and_read_from_disk_after_that(own_media, tmp_path, decoded):
    assert LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY).fill(["0.mp4", "0.png"]) == []
    again = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    assert again.fill(["0.mp4", "0.png"]) == []
    assert again.look("0.mp4").motion.shape == (8, 32, 32, 3)
    assert again.look("0.png").keyframes.shape == (1, 32, 32, 3)
    assert decoded == ["0.mp4", "0.png"]


def test_a_copy_under_another_name_shares_the_pictures(own_media, tmp_path):
    shutil.copy(own_media / "0.mp4", own_media / "twin.mp4")
    store = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    store.fill(["0.mp4", "twin.mp4"])
    assert len(list(store.folder.glob("*.npz"))) == 1


def test_a_changed_file_is_decoded_again(own_media, tmp_path, decoded):
    store = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    store.fill(["0.mp4"])
    before = store.look("0.mp4")
    shutil.copy(own_media / "1.mp4", own_media / "0.mp4")
    after = store.look("0.mp4")
    assert not np.array_equal(before.keyframes, after.keyframes)
    assert decoded == ["0.mp4", "0.mp4"]


def test_the_least_recently_used_pictures_go_first(own_media, tmp_path, decoded):
    store = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    store.fill(["0.mp4", "1.mp4"])
    size = max(path.stat().st_size for path in store.folder.glob("*.npz"))
    for age, name in enumerate(("1.mp4", "0.mp4")):  # 0 was used longer ago than 1
        path = store._file(store.known(name).sha256)
        os.utime(path, ns=(0, 10**9 - age))
    store.look("0.mp4")  # and is used now
    bounded = LookStore(tmp_path / "c", own_media, SAMPLING, 2 * size)
    bounded.fill(["2.mp4"])
    decoded.clear()
    assert sum(path.stat().st_size for path in store.folder.glob("*.npz")) <= 2 * size
    bounded.look("0.mp4")
    assert decoded == []
    bounded.look("1.mp4")
    assert decoded == ["1.mp4"]


def test_pictures_larger_than_the_limit_are_not_kept_but_seen(own_media, tmp_path):
    store = LookStore(tmp_path / "c", own_media, SAMPLING, 100)
    assert store.fill(["0.mp4"]) == []
    assert len(store.look("0.mp4").motion) == 8
    assert list(store.folder.glob("*.npz")) == []


def test_a_damaged_file_of_the_cache_is_made_again(own_media, tmp_path):
    store = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    store.fill(["0.mp4"])
    (kept,) = store.folder.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:500])
    assert len(store.look("0.mp4").motion) == 8


def test_files_that_cannot_be_decoded_are_returned_with_their_reasons(own_media, tmp_path):
    (own_media / "text.mp4").write_text("no video\n" * 99)
    store = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    (refused,) = store.fill(["0.mp4", "text.mp4"], jobs=2)
    assert refused.media == "text.mp4"
    assert "\n" not in refused.reason
    with pytest.raises(VideoError):
        store.look("text.mp4")


def test_a_longer_clip_is_seen_through_its_first_window(own_media, tmp_path):
    sampling = Sampling(window_s=0.5, keyframe_size=32, motion_size=32, motion_multiple=1)
    store = LookStore(tmp_path / "c", own_media, sampling, PLENTY)
    store.fill(["0.mp4"])
    extent = store.known("0.mp4")
    assert (extent.windows, extent.motion) == (2, 4)


def test_a_full_disk_is_told_in_one_line(own_media, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    store = LookStore(tmp_path / "c", own_media, SAMPLING, PLENTY)
    with pytest.raises(UsageError, match="no space left; free some, lower --cache-gb"):
        store.fill(["0.mp4"])
    assert list(store.folder.iterdir()) == []
