"""The HTML page as Chromium shows it, where there is one: light and dark, on paper and phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.chromium import Chromium, find_chromium, needs_chromium
from tests.report.reports import NAMES, hostile_ladder_report, ladder_report, score_report
from vqa2cli.report.page import page
from vqa2cli.report.page.pictures import Stills, data_uri, no_stills

pytestmark = [pytest.mark.slow, needs_chromium]

REPORTS = {
    "scores": score_report(),
    "ladder": ladder_report(),
    "hostile scores": score_report(*NAMES),
    "hostile ladder": hostile_ladder_report(),
}

#: Background of the page, 0 (black) to 255.
_BRIGHTNESS = """(() => {
  const shown = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
  return (shown[0] + shown[1] + shown[2]) / 3;
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = find_chromium()
    assert program is not None
    with Chromium(program, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_is_readable_on_phone_and_screen_in_light_and_dark(
    browser: Chromium, tmp_path: Path, name: str
) -> None:
    path = written(REPORTS[name], tmp_path)
    opened(browser, path)
    brightness = {}
    for width in (400, 1400):
        for dark in (False, True):
            browser.show(width, dark=dark)
            assert browser.run("document.documentElement.scrollWidth") <= width
            brightness[dark] = browser.run(_BRIGHTNESS)
            browser.picture(tmp_path / f"{width}-{'dark' if dark else 'light'}.png")
    assert brightness[False] > 200
    assert brightness[True] < 60
    assert browser.complaints == []
    assert {address for address in browser.requested if not address.startswith("data:")} <= {
        path.as_uri(), "about:blank",
    }  # fmt: skip


def test_names_are_text_and_nothing_else(browser: Chromium, tmp_path: Path) -> None:
    opened(browser, written(score_report(*NAMES), tmp_path))
    assert browser.run("document.scripts.length") == 0
    assert browser.run("document.images.length") == 0
    text = browser.run("document.body.innerText")
    for name in NAMES:
        if name.isprintable():
            assert name in text


def test_pictures_of_any_shape_are_shown_within_the_page(browser: Chromium, tmp_path: Path) -> None:
    Image.new("RGB", (1080, 1920), (200, 30, 30)).save(tmp_path / "tall.png")
    picture = data_uri(tmp_path / "tall.png", 480)
    path = written(score_report(), tmp_path, lambda moments: dict.fromkeys(moments, picture))
    opened(browser, path)
    browser.show(400)
    assert browser.run("document.images.length") > 0
    assert browser.run("[...document.images].every(one => one.naturalHeight === 480)")
    assert browser.run("[...document.images].every(one => one.height > 1.7 * one.width)")
    assert browser.run("document.documentElement.scrollWidth") <= 400
    assert browser.complaints == []


def written(report: dict[str, Any], folder: Path, stills: Stills = no_stills) -> Path:
    path = folder / "report.html"
    path.write_text(page(report, stills), encoding="utf-8")
    return path


def opened(browser: Chromium, path: Path) -> None:
    """Show a page and forget what was heard of others."""
    browser.requested.clear()
    browser.complaints.clear()
    browser.open(path.as_uri())
    browser.wait_for(f"location.href == '{path.as_uri()}' && document.readyState == 'complete'")
