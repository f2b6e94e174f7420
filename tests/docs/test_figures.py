"""What the README states of the embedded model and the findings is what was measured last."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (ROOT / "vqa2cli/models/mini/MODEL_CARD.md").read_text(encoding="utf-8")
FINDINGS = (ROOT / "docs/diagnostics.md").read_text(encoding="utf-8")
THRESHOLDS = json.loads(
    (ROOT / "vqa2cli/report/tables/thresholds.json").read_text(encoding="utf-8")
)["attributes"]


def row(text: str, first: str) -> list[str]:
    """Return the cells of the first table row that begins with `first`."""
    found = re.search(rf"^\| {re.escape(first)} \|(.*)\|$", text, re.M)
    assert found is not None
    return [cell.strip() for cell in found[1].split("|")]


def test_the_readme_counts_findings_as_their_table_does() -> None:
    labelled, _, recall, precision, *_ = row(FINDINGS, "**all**")
    right, called = re.findall(r"(\d+) of (\d+) (?:cases|faults)", README)
    assert f"({'/'.join(right)})" in precision
    assert f"({'/'.join(called)})" in recall
    assert called[1] == labelled


@pytest.mark.parametrize(
    ("predictor", "stated"),
    [
        ("vqa2-mini, with stream facts", r"at SRCC ([\d.]+)\s+and orders ([\d.]+) %"),
        ("vqa2-mini, pixels alone", r"`--no-stream-facts`\) ([\d.]+) and ([\d.]+) %"),
    ],
)
def test_the_readme_states_what_the_model_card_measured(predictor: str, stated: str) -> None:
    _, srcc, _, ordered = row(CARD, predictor)
    (said,) = re.findall(stated, README)
    assert srcc.startswith(said[0])
    assert ordered.startswith(f"{float(said[1]) / 100:.3f}")


@pytest.mark.parametrize(
    ("attribute", "measure", "stated"),
    [
        ("blur", "blur_in_shot", r"soft, at .* \(noticeable from ([\d.]+)\)"),
        ("exposure_drift", "exposure_drift", r"stops; noticeable from ([\d.]+)\)"),
        ("camera_shake", "shake", r"1.36 %; noticeable from ([\d.]+)\)"),
    ],
)
def test_limits_that_the_page_on_findings_names_are_those_in_use(
    attribute: str, measure: str, stated: str
) -> None:
    (said,) = re.findall(stated, FINDINGS)
    (limit,) = (each["noticeable"] for each in THRESHOLDS[attribute] if each["measure"] == measure)
    assert float(said) == pytest.approx(limit, abs=0.5 * 10.0 ** -len(said.partition(".")[2]))
