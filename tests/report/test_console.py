"""The table people read, under names that attack terminals."""

from __future__ import annotations

import io

import pytest

from tests.report.assessments import failed, scored
from vqa2cli.report.console import TableWriter
from vqa2cli.report.plain_text import MAX_LINE, one_line, short_line, storable
from vqa2cli.report.rows import record_of

MARKUP = ["[red]x[/red].mp4", "a[/b].mp4", "[link=http://x.example]y.mp4", ":smile:.mp4", "[/].mp4"]
CONTROLS = {
    "esc\x1b[31mred.mp4": r"esc\x1b[31mred.mp4",
    "osc\x1b]8;;http://x\x07y.mp4": r"osc\x1b]8;;http://x\x07y.mp4",
    "cr\rlf\n.mp4": r"cr\x0dlf\x0a.mp4",
    "c1\x9b31m.mp4": r"c1\x9b31m.mp4",
    "bidi\u202e4pm.mp4": r"bidi\u202e4pm.mp4",
    "line\u2028sep.mp4": r"line\u2028sep.mp4",
    "bad\udcff.mp4": r"bad\xff.mp4",
    "half\ud800.mp4": r"half\ud800.mp4",
}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(*names: str, stream: io.StringIO | None = None) -> str:
    target = stream or io.StringIO()
    writer = TableWriter(target)
    for name in names:
        writer.write(record_of(scored(name)))
    writer.close()
    return target.getvalue()


def test_a_row_tells_score_level_worst_window_and_stalls() -> None:
    (line,) = [line for line in drawn("clip.mp4").splitlines() if "clip.mp4" in line]
    for cell in ("50.0", "fair", "30.0 at 2.0-4.0 s", "1 (1.5 s, -12.5)", "one; two"):
        assert cell in line


def test_a_failed_file_tells_why_in_its_row() -> None:
    stream = io.StringIO()
    writer = TableWriter(stream)
    writer.write(record_of(failed()))
    writer.close()
    assert "corrupt: no frame could be decoded" in stream.getvalue()


@pytest.mark.parametrize("name", MARKUP)
def test_markup_in_a_name_is_printed_as_it_is(name: str) -> None:
    assert name in drawn(name)


@pytest.mark.parametrize(("name", "shown"), CONTROLS.items())
def test_control_characters_are_spelled_out_on_one_line(name: str, shown: str) -> None:
    text = drawn(name)
    assert shown in text
    assert one_line(name) == shown
    assert len(text.splitlines()) == len(drawn("plain.mp4").splitlines())


def test_on_a_terminal_the_only_escapes_are_our_own_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    text = drawn("a\x1b]0;title\x07b\x1b[2Jc.mp4", stream=Terminal())
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "\x1b[" in text  # colours are ours


def test_long_lines_keep_their_head_and_tail() -> None:
    line = short_line("start" + "x" * 1000 + "end")
    assert len(line) == MAX_LINE
    assert line.startswith("start")
    assert line.endswith("end")


def test_storable_text_keeps_everything_but_lone_surrogates() -> None:
    assert storable("é\n\x1b😀\udc80") == "é\n\x1b😀\\x80"
