"""The recipes of docs/ci.md: their commands run, on a real ladder, and do what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import model_dir
from tests.ladder.media import HEIGHTS, scene, write_ladder, write_rung
from vqa2cli.ladder.checks import CHECKS

__all__ = ["model_dir"]

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
TOOL = f"""#!/bin/sh
exec "{sys.executable}" -c "import sys; from vqa2cli.cli import main; sys.exit(main())" "$@"
"""


def recipe(heading: str) -> str:
    """Return the code block under a heading of the page."""
    found = re.search(rf"^## {heading}\n+```\w+\n(.*?)```", PAGE, re.S | re.M)
    assert found is not None
    return found[1]


@pytest.fixture
def place(tmp_path: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a folder with a ladder in `renditions`, and a `vqa2` on the path."""
    write_ladder(tmp_path / "renditions")
    tool = tmp_path / "bin" / "vqa2"
    tool.parent.mkdir()
    tool.write_text(TOOL)
    tool.chmod(0o755)
    quality = [check.id for check in CHECKS][:8]  # the tiny model is untrained
    (tmp_path / "policy.toml").write_text(
        "".join(f'[ladder.{check}]\naction = "off"\n' for check in quality)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("VQA2_LADDER_MODEL", str(model_dir))
    monkeypatch.setenv("VQA2_LADDER_POLICY", "policy.toml")
    return tmp_path


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-ec", script], capture_output=True, text=True, check=False)


def spoil(place: Path) -> None:
    write_rung(place / "renditions", HEIGHTS[1], scene()[:30])


@pytest.mark.slow
def test_github_actions_annotates_and_fails(place: Path) -> None:
    workflow: dict[Any, Any] = yaml.safe_load(recipe("GitHub Actions"))
    steps = [s["run"] for s in workflow["jobs"]["quality"]["steps"] if "run" in s]
    (command,) = [step for step in steps if step.startswith("vqa2")]
    done = run(command)
    assert (done.returncode, done.stdout) == (0, "")
    assert (place / "ladder.html").is_file()
    spoil(place)
    done = run(command)
    assert done.returncode == 1
    assert "::error title=" in done.stdout
    assert (place / "ladder.json").is_file()


@pytest.mark.slow
def test_gitlab_gets_its_junit_and_its_page(place: Path) -> None:
    job = yaml.safe_load(recipe("GitLab"))["quality"]
    spoil(place)
    done = run("\n".join(job["script"]))
    assert done.returncode == 1
    assert "<failure" in (place / job["artifacts"]["reports"]["junit"]).read_text()
    for path in job["artifacts"]["paths"]:
        assert (place / path).is_file()


@pytest.mark.slow
def test_make_keeps_the_report_of_a_healthy_ladder_only(place: Path) -> None:
    (place / "Makefile").write_text(recipe("Make"))
    done = run("make")
    assert done.returncode == 0, done.stderr
    assert (place / "ladder.json").is_file()
    assert "up to date" in run("make").stdout
    spoil(place)
    assert run("make").returncode != 0
    assert not (place / "ladder.json").exists()


def test_the_dockerfile_names_its_base_and_runs_as_nobody_special() -> None:
    lines = [line.split(" ", 1) for line in recipe("Docker").splitlines() if line.strip()]
    words = [word for word, _ in lines]
    assert set(words) <= {"FROM", "RUN", "USER", "WORKDIR", "ENTRYPOINT", "CMD"}
    assert dict(lines)["FROM"] == "python:3.11-slim"
    assert words.index("USER") > max(i for i, word in enumerate(words) if word == "RUN")
    assert dict(lines)["ENTRYPOINT"] == '["vqa2"]'


@pytest.mark.slow
def test_completion_offers_commands_and_options(place: Path) -> None:
    line = re.search(r'eval "\$\((_VQA2_COMPLETE=bash_source vqa2)\)"', PAGE)
    assert line is not None
    assert "complete" in run(line[1]).stdout
    asked = 'COMP_WORDS="vqa2 lad" COMP_CWORD=1 _VQA2_COMPLETE=bash_complete vqa2'
    assert "ladder" in run(asked).stdout
