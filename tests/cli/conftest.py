"""A tiny model, clips good and bad, and a way to run `vqa2` in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.clips import moving_clip, stalled_clip, tiny_model
from vqa2cli.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a run of `vqa2` ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def vqa2(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `vqa2` with arguments and return its exit code and what it wrote."""

    def run(*args: Any) -> Outcome:
        code = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("model"))


@pytest.fixture
def embedded(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the tiny model stand in for the one that ships with the package."""
    (tmp_path / "mini").symlink_to(model_dir)
    monkeypatch.setattr("vqa2cli.model.catalogue.EMBEDDED_DIR", tmp_path)
    return tmp_path / "mini"


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good clips, one of them with a stall."""
    folder = tmp_path_factory.mktemp("clips")
    moving_clip(folder / "moving.mp4")
    stalled_clip(folder / "stalled.mp4")
    return folder


@pytest.fixture(scope="session")
def bad_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that cannot be scored, each in its own way."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("this is no video\n" * 99)
    (folder / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
    whole = moving_clip(folder / "truncated.mp4").read_bytes()
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) // 2])  # its index is at the end
    sound_only(folder / "sound.mp4")
    return folder


def sound_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        silence.sample_rate = 48000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
