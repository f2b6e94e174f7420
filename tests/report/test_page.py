"""The HTML page: complete, self-contained, and deaf to what names say."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from PIL import Image

from tests.report.reports import NAMES, hostile_ladder_report, ladder_report, score_report
from vqa2cli.report.page import page
from vqa2cli.report.page.pictures import Moment, data_uri
from vqa2cli.report.plain_text import one_line


class Reader(HTMLParser):
    """Collects the elements, their attributes and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


#: Elements that a page may have; whatever else a name smuggled in would show.
_OWN = frozenset(
    word
    for words in (
        "html head meta title link style body main h1 h2 h3 p section figure figcaption div table",
        "thead tbody tr th td bdi span code ul li strong br svg defs g path use rect clippath text",
        "tspan metadata pattern",
    )
    for word in words.split()
)


@pytest.mark.parametrize(
    "report", [score_report(), ladder_report(), score_report(*NAMES), hostile_ladder_report()]
)
def test_a_page_has_only_its_own_elements_and_asks_for_nothing(report: dict[str, Any]) -> None:
    text = page(report)
    read = Reader(text)
    assert set(read.elements) <= _OWN
    assert not [a for a in read.attributes if a[1].startswith("on")]
    for tag, name, value in read.attributes:
        if name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert str(value).startswith(("#", "data:,")), (tag, name, value)
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text
    policy = [v for tag, name, v in read.attributes if tag == "meta" and name == "content"]
    assert any(str(value).startswith("default-src 'none'") for value in policy)


def test_hostile_names_are_shown_as_text() -> None:
    shown = Reader(page(score_report(*NAMES))).text
    for name in NAMES:
        if "\udcff" not in name:
            assert one_line(name) in shown
    assert "bad\\xff.mp4" in shown
    assert "\u202e" not in shown


def test_a_hostile_ladder_has_the_elements_of_a_benign_one() -> None:
    hostile = Reader(page(hostile_ladder_report())).elements
    assert hostile["bdi"] > 0
    assert hostile["svg"] == 2


def test_a_page_tells_what_failed_and_what_to_do() -> None:
    text = Reader(page(ladder_report())).text
    for words in ("faulty", "quality-falls", "720p (3000 kb/s) scores 45.0", "Advice", "move",
                  "no frame could be decoded", "Worst windows"):  # fmt: skip
        assert words in text


def test_a_page_of_files_has_gates_stalls_and_errors() -> None:
    text = Reader(page(score_report())).text
    for words in ("score.value >= 60", "stalling.stall_ratio has no value", "corrupt", "1 stall"):
        assert words in text


def test_worst_windows_are_shown_where_there_are_pictures(tmp_path: Path) -> None:
    Image.new("RGB", (1920, 1080), (200, 30, 30)).save(tmp_path / "red.png")
    report = score_report()
    asked: list[Moment] = []

    def stills(moments: Sequence[Moment]) -> dict[Moment, Markup]:
        asked.extend(moments)
        return {moments[0]: data_uri(tmp_path / "red.png", 480)}

    text = page(report, stills)
    windows = [segment for row in report["results"] for segment in row["segments"]]
    worst = min(windows, key=lambda segment: segment["score"])
    assert asked[0].time_s == (worst["start"] + worst["end"]) / 2
    (picture,) = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)">', text)
    with Image.open(io.BytesIO(base64.b64decode(picture[0]))) as shown:
        assert shown.size == (480, 270)
    assert picture[1] == f"frame at {asked[0].time_s:.2f} s"
    assert "<img" not in page(report)


def test_the_same_report_gives_the_same_page() -> None:
    assert page(ladder_report()) == page(ladder_report())


def test_a_report_without_anything_is_a_page_all_the_same() -> None:
    report = {"schema_version": 1, "version": "0", "results": []}
    assert "<h1>" in page(report)
