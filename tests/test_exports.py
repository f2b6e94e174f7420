"""The public names, and what loading them costs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import vqa2cli
from tests.clips import stalled_clip

ROOT = Path(__file__).resolve().parents[1]


def test_every_public_name_is_there_and_sorted() -> None:
    assert sorted(vqa2cli.__all__) == vqa2cli.__all__
    for name in vqa2cli.__all__:
        assert getattr(vqa2cli, name) is not None
        assert name in dir(vqa2cli)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        vqa2cli.no_such_name  # noqa: B018


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert vqa2cli.__version__ == project["project"]["version"]


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import vqa2cli", {"torch", "av", "numpy"}),
        ("import vqa2cli.pipeline", {"torch", "transformers"}),
        ("import vqa2cli; vqa2cli.find_stalls(sys.argv[1])", {"torch", "transformers"}),
    ],
)
def test_no_more_is_loaded_than_needed(code: str, unwanted: set[str], tmp_path: Path) -> None:
    clip = stalled_clip(tmp_path / "clip.mp4")
    told = f"import sys; {code}; sys.exit(str({unwanted!r} & sys.modules.keys() or ''))"
    command = [sys.executable, "-c", told, str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_no_file_is_called_utils() -> None:
    packages = [ROOT / name for name in ("vqa2cli", "engines", "train", "tests")]
    found = [path for package in packages for path in package.rglob("util*.py")]
    assert found == []
