"""What `vqa2` is as a program: its help, its exit codes, its manners."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

import vqa2cli.cli
from tests.cli.conftest import Run
from tests.clips import moving_clip
from vqa2cli.cli import COMMANDS
from vqa2cli.cli import vqa2 as group
from vqa2cli.cli.exit_codes import exit_code
from vqa2cli.config import VERSION

#: Started in the background of a script, Python would find SIGINT ignored and leave it so.
START = (
    "import signal, sys; from vqa2cli.cli import main\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "sys.exit(main())"
)


def start(*args: object, **streams: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, *map(str, args)]
    return subprocess.Popen(command, text=True, **streams)  # type: ignore[call-overload, no-any-return]


def commands(found: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, found
    if isinstance(found, click.Group):
        context = click.Context(found)
        for name in found.list_commands(context):
            below = found.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")


@pytest.mark.parametrize("args", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_loads_neither_torch_nor_pyav(args: list[str]) -> None:
    code = (
        "import sys; from vqa2cli.cli import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'torch', 'av', 'transformers', 'numpy', 'rich'} & sys.modules.keys()\n"
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: vqa2" in done.stdout


@pytest.mark.parametrize(("path", "command"), list(commands(group, "vqa2")))
def test_every_command_and_option_has_help(path: str, command: click.Command) -> None:
    assert command.help, path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.opts}"


def test_the_version_is_told(vqa2: Run) -> None:
    done = vqa2("--version")
    assert (done.code, done.out) == (0, f"vqa2, version {VERSION}\n")


def test_no_command_is_code_2_with_the_help_on_stderr(vqa2: Run) -> None:
    done = vqa2()
    assert (done.code, done.out) == (2, "")
    assert "Usage: vqa2" in done.err


def test_an_unknown_command_is_code_2(vqa2: Run) -> None:
    done = vqa2("scoer")
    assert done.code == 2
    assert len(done.err.splitlines()) == 1


def test_an_unexpected_error_is_one_line_and_its_traceback_waits_for_vv(
    vqa2: Run, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr("vqa2cli.pipeline.stall_files", fail)
    done = vqa2("stalls", clips)
    assert done.code == 3
    assert len(done.err.splitlines()) == 1
    assert "ZeroDivisionError: by hand" in done.err
    assert "Traceback" in vqa2("stalls", clips, "-vv").err


@pytest.mark.parametrize(
    ("unscored", "gate_failed", "keep_going", "code"),
    [
        (False, False, False, 0),
        (False, True, False, 1),
        (True, False, False, 3),
        (True, True, False, 3),
        (False, False, True, 0),
        (False, True, True, 1),
        (True, False, True, 3),
        (True, True, True, 1),
    ],
)
def test_exit_codes(unscored: bool, gate_failed: bool, keep_going: bool, code: int) -> None:
    found = exit_code(unscored=unscored, gate_failed=gate_failed, keep_going=keep_going)
    assert found == code


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_keeps_its_results(
    model_dir: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    total = 12
    clip = moving_clip(tmp_path / "0.mp4").read_bytes()
    for number in range(1, total):
        (tmp_path / f"{number}.mp4").write_bytes(clip)
    report = tmp_path / "report.json"
    args = ("score", tmp_path, "--model", model_dir, "-v", "-o", report)
    with start(*args, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if "decode" in line:  # the first file is done
                break
        run.send_signal(sent)
        rest = run.stderr.read()
    assert run.returncode == code
    assert "results so far are kept" in rest
    assert "Traceback" not in rest
    assert 1 <= len(json.loads(report.read_text())["results"]) < total


def test_a_reader_that_goes_away_ends_the_run_quietly(clips: Path) -> None:
    with start("stalls", clips, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode == 141


def test_a_command_of_another_package_is_loaded_by_its_name(
    vqa2: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = EntryPoint("again", "vqa2cli.cli.doctor:doctor", vqa2cli.cli.COMMAND_GROUP)
    broken = EntryPoint("broken", "no_such_package.cli:command", vqa2cli.cli.COMMAND_GROUP)
    monkeypatch.setattr("vqa2cli.cli.entry_points", lambda group: [there, broken])
    assert "what is missing" in vqa2("again", "--help").out
    assert "broken" in vqa2("--help").out
    done = vqa2("broken", "--any", "thing")
    assert done.code == 4
    assert "no_such_package" in done.err


def test_models_are_listed_and_shown(vqa2: Run, model_dir: Path, tmp_path: Path) -> None:
    listed = vqa2("models", "list")
    assert listed.code == 0
    assert "mini" in listed.out
    shown = vqa2("models", "show", model_dir)
    assert shown.code == 0
    assert "mini-1" in shown.out
    missing = vqa2("models", "show", tmp_path / "none")
    assert (missing.code, len(missing.err.splitlines())) == (4, 1)


def test_every_sample_is_the_same_whatever_the_number_of_cores(vqa2: Run, tmp_path: Path) -> None:
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
    made = [tmp_path / name for name in ("first", "again", "on one core")]
    for folder in made[:2]:
        assert vqa2("sample", folder).code == 0
    try:
        if len(cores) > 1:
            os.sched_setaffinity(0, {min(cores)})
        assert vqa2("sample", made[2]).code == 0
    finally:
        if cores:
            os.sched_setaffinity(0, cores)
    for clip in made[0].iterdir():
        assert len({(folder / clip.name).read_bytes() for folder in made}) == 1, clip.name


def test_sample_makes_a_ladder_that_the_other_commands_take(vqa2: Run, tmp_path: Path) -> None:
    made = vqa2("sample", tmp_path / "ladder")
    assert made.code == 0
    assert len(made.out.splitlines()) == 4
    assert "vqa2 score" in made.err
    stalls = vqa2("stalls", tmp_path / "ladder", "--format", "json")
    found = json.loads(stalls.out)["results"]
    counts = {Path(row["file"]).name: row["stalling"]["rebuffer_number"] for row in found}
    assert sum(counts.values()) == counts["360p_stalled.mp4"] == 1
    again = vqa2("sample", tmp_path / "ladder")
    assert (again.code, len(again.err.splitlines())) == (2, 1)


def test_doctor_without_the_embedded_model_is_code_4_and_tells_what_to_do(
    vqa2: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("vqa2cli.model.catalogue.EMBEDDED_DIR", tmp_path)
    done = vqa2("doctor")
    assert done.code == 4
    assert "ffmpeg in av" in done.out
    (missing,) = [line for line in done.out.splitlines() if line.startswith("missing")]
    assert "reinstall" in missing


def test_doctor_runs_the_engines_on_the_embedded_model(vqa2: Run, embedded: Path) -> None:
    done = vqa2("doctor")
    assert done.code == 0, done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert ["ok", "engine", "auto", "runs"] in [words[:4] for words in lines]
    assert all(words[0] in ("ok", "note") for words in lines)
    assert any("sha256" in words for words in lines)


def test_the_embedded_model_is_the_default(vqa2: Run, embedded: Path, clips: Path) -> None:
    done = vqa2("score", clips / "moving.mp4", "--format", "ndjson")
    assert done.code == 0, done.err
    assert json.loads(done.out)["model"]["name"] == "vqa2-mini"
