"""A CSV report as LibreOffice opens it, where there is one."""

from __future__ import annotations

import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from tests.report.assessments import failed, scored
from tests.report.test_writers import HOSTILE, written
from vqa2cli.report.rows import COLUMNS, record_of
from vqa2cli.report.writers import CsvWriter

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"

#: Cells of a sheet, a list each row.
Rows = list[list[ElementTree.Element]]

pytestmark = pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice here")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """The cells that hold anything, of every row of a report on files with hostile names."""
    folder = tmp_path_factory.mktemp("office")
    records = [record_of(scored(name)) for name in HOSTILE] + [record_of(failed())]
    report = folder / "report.csv"
    report.write_text(written(CsvWriter, records), encoding="utf-8", newline="")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    comma, quote, utf8, first = "44", "34", "76", "1"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "fods",
         f"--infilter=CSV:{comma},{quote},{utf8},{first}", "--outdir", folder, report],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    root = ElementTree.parse(folder / "report.fods").getroot()
    assert root.get(f"{OFFICE}mimetype", "").endswith("spreadsheet")
    found = [list(row.iter(f"{TABLE}table-cell")) for row in root.iter(f"{TABLE}table-row")]
    return [cells for cells in found if cells and cells[0].get(f"{OFFICE}value-type")]


def test_a_spreadsheet_sees_a_header_and_a_row_per_file(rows: Rows) -> None:
    assert len(rows) == 1 + len(HOSTILE) + 1
    header = ["".join(cell.itertext()).strip() for cell in rows[0]]
    assert header[: len(COLUMNS)] == list(COLUMNS)


def test_a_spreadsheet_sees_no_formula_in_any_name(rows: Rows) -> None:
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.get(f"{TABLE}formula")]


def test_a_spreadsheet_sees_scores_as_numbers(rows: Rows) -> None:
    scores = [
        float(cell.get(f"{OFFICE}value", "nan"))
        for row in rows[1:-1]
        for cell in row
        if cell.get(f"{OFFICE}value-type") == "float"
    ]
    wanted = record_of(scored())["score"]["value"]
    assert scores.count(wanted) >= len(HOSTILE)
