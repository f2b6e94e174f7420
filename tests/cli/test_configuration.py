"""`--config`: its values are used, and lose to the environment and the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def config(tmp_path: Path, model_dir: Path) -> Path:
    path = tmp_path / "vqa2.toml"
    path.write_text(
        f'[score]\nmodel = "{model_dir}"\nformat = "ndjson"\nmax-seconds = 60\n'
        'gate = ["score.value >= 0", "media.height == 1"]\n'
    )
    return path


def test_the_file_gives_defaults(vqa2: Run, clips: Path, config: Path) -> None:
    done = vqa2("--config", config, "score", clips / "moving.mp4")
    assert done.code == 1  # by the second gate of the file
    assert done.out.startswith('{"schema_version"')


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    vqa2: Run, clips: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = clips / "moving.mp4"
    monkeypatch.setenv("VQA2_CONFIG", str(config))
    monkeypatch.setenv("VQA2_SCORE_FORMAT", "csv")
    assert vqa2("score", clip).out.startswith("schema_version,")
    assert vqa2("score", clip, "--format", "json").out.startswith('{"schema_version":1,"version"')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[scor]\n", "did you mean score?"),
        ("[score]\nmodl = 'x'\n", "did you mean model?"),
        ("score = 1\n", "must be a table"),
        ("[engines]\nlist = 1\n", "must be a table"),
        ("[score]\nformat = 'xml'\n", "xml"),
        ("[score\n", "no TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_code_2(
    vqa2: Run, clips: Path, tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "vqa2.toml"
    path.write_text(text)
    done = vqa2("--config", path, "score", clips)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_that_is_not_there_says_so(vqa2: Run, tmp_path: Path) -> None:
    done = vqa2("--config", tmp_path / "none.toml", "doctor")
    assert done.code == 2
    assert "cannot read" in done.err
