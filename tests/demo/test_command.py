"""`vqa2 demo` as a program: what it refuses, whom it serves, how it ends."""

from __future__ import annotations

import http.client
import importlib.util
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.chromium import Chromium, find_chromium, needs_chromium
from tests.cli.conftest import Run, clips, model_dir, vqa2
from tests.cli.test_commands import START
from tests.demo.test_desk import HOSTILE
from tests.model.checkpoints import write_published
from vqa2cli.demo.guard import POLICY

__all__ = ["clips", "model_dir", "vqa2"]

needs_gradio = pytest.mark.skipif(
    importlib.util.find_spec("gradio") is None or importlib.util.find_spec("matplotlib") is None,
    reason="needs the demo extra",
)


#: Where the parts of the page begin and end, pixels.
_EDGES = (
    "['#clip', '#told', '#asking'].map(s => document.querySelector(s).getBoundingClientRect())"
    ".map(box => [box.left, box.right])"
)


@contextmanager
def served(temp: Path, *args: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `vqa2 demo` on a free port; give the process and its port once it is ready."""
    command = [sys.executable, "-c", START, "demo", "--port", "0", "--device", "cpu", *args]
    temp.mkdir()
    run = subprocess.Popen(
        [str(each) for each in command], text=True, stderr=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "HOME": str(temp), "TMPDIR": str(temp)},
    )  # fmt: skip
    with run:
        assert run.stderr is not None
        line = run.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/ ", line)
        try:
            assert found, line + run.stderr.read()
            yield run, int(found[1])
        finally:
            run.kill()


def test_without_the_extra_the_command_tells_what_to_install(
    vqa2: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = vqa2("demo")
    assert (done.code, done.out) == (4, "")
    assert done.err == "vqa2: vqa2 demo needs gradio: pip install 'vqa2[demo]'\n"


def test_a_taken_port_is_one_line(vqa2: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vqa2cli.cli.demo.check_extra", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = vqa2("demo", "--port", port)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert f"port {port} of 127.0.0.1 cannot be used" in done.err


def test_a_model_that_gives_no_score_is_refused_at_the_start(
    vqa2: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa2cli.cli.demo.check_extra", lambda: None)
    write_published(tmp_path)
    done = vqa2("demo", "--port", 0, "--model", tmp_path, "--protocol", "assistant-chat")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--ask-model" in done.err


@needs_gradio
@pytest.mark.timeout(600)
def test_the_page_is_served_to_itself_alone_and_ends_by_interrupt(
    model_dir: Path, tmp_path: Path
) -> None:
    with served(tmp_path / "t", "--model", model_dir) as (run, port):
        assert asked(port, {}) == (200, POLICY)
        assert asked(port, {"Host": "evil.example"})[0] == 403
        assert asked(port, {"Origin": "https://evil.example"})[0] == 403
        run.send_signal(signal.SIGINT)
        assert run.stderr is not None
        rest = run.stderr.read()
        assert run.wait() == 130
    assert "Traceback" not in rest
    assert len(rest.splitlines()) == 1
    assert not list((tmp_path / "t").glob("vqa2-demo-*"))


def asked(port: int, headers: dict[str, str]) -> tuple[int, str | None]:
    """Return the status of an answer, and the policy that came with it."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        connection.request("GET", "/", headers=headers)
        with closing(connection.getresponse()) as got:
            return got.status, got.getheader("content-security-policy")


@needs_gradio
@needs_chromium
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_clip_is_dropped_told_and_asked_about(
    model_dir: Path, clips: Path, tmp_path: Path
) -> None:
    assistant = tmp_path / "assistant"
    write_published(assistant)
    hostile = tmp_path / HOSTILE
    hostile.write_bytes((clips / "stalled.mp4").read_bytes())
    bad = tmp_path / "<b>bad.mp4"
    bad.write_text("no video at all\n" * 99)
    program = find_chromium()
    assert program is not None
    with (
        served(tmp_path / "t", "--model", model_dir, "--ask-model", assistant) as (_, port),
        Chromium(program, tmp_path / "profile") as browser,
    ):
        browser.show(1400)
        browser.open(f"http://127.0.0.1:{port}/")
        browser.wait_for("!!document.querySelector('#clip input[type=file]')")
        browser.drop("#clip input[type=file]", hostile)
        browser.wait_for("!!document.querySelector('#told .vqa2-clip svg')")
        text = browser.run("document.querySelector('#told').innerText")
        for words in ("of 100", "Timeline", "Findings", "Worst frames"):
            assert words in text
        assert browser.run("document.querySelectorAll('#told img').length") >= 1
        assert browser.run("document.querySelectorAll('img[src=x]').length") == 0
        assert all(browser.run("[...document.querySelectorAll('#told img')].map(i => i.complete)"))
        browser.run("document.querySelector('#question textarea').focus()")
        browser.type_line("Is it sharp?")
        browser.wait_for("document.querySelector('#answer textarea').value.length > 0")
        for width in (400, 1400):
            for dark in (False, True):
                browser.show(width, dark=dark)
                browser.picture(tmp_path / f"{width}-{'dark' if dark else 'light'}.png")
                edges = browser.run(_EDGES)
                assert all(0 <= left < right <= width for left, right in edges), (width, edges)
        elsewhere = [
            each for each in browser.requested
            if not each.startswith((f"http://127.0.0.1:{port}/", "data:", "blob:", "about:"))
        ]  # fmt: skip
        assert elsewhere == []
        browser.open(f"http://127.0.0.1:{port}/")
        browser.wait_for("!!document.querySelector('#clip input[type=file]')")
        browser.drop("#clip input[type=file]", bad)
        line = browser.wait_for("document.querySelector('#told .vqa2-error')?.innerText")
        assert "\n" not in line
