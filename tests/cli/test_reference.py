"""The whole command against what the authors' own code computed with the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize("protocol", ["ugc-2024", "streaming-2024", "ugc-2025"])
def test_scores_equal_the_authors(vqa2: Run, shared_dir: Path, protocol: str) -> None:
    golden = shared_dir / "golden"
    expected = json.loads((golden / "expected.json").read_text(encoding="utf-8"))
    told = {case["file"]: case["presets"][protocol] for case in expected.values()}
    # The authors' code cannot score the shortest clip under every protocol.
    clips = {name: case for name, case in told.items() if "skipped" not in case}
    assert len(clips) >= 2
    files = [golden / name for name in clips]
    checkpoint = golden / "checkpoint"
    done = vqa2(
        "score", *files, "--model", checkpoint, "--protocol", protocol,
        "--device", "cpu", "--format", "ndjson",
    )  # fmt: skip
    assert done.code == 0
    rows = [json.loads(line) for line in done.out.splitlines()]
    for row, (name, case) in zip(rows, clips.items(), strict=True):
        score = row["score"]
        assert Path(row["file"]).name == name
        assert score["reference_score"] == pytest.approx(case["reference_score"], abs=1e-5)
        assert score["probs"] == pytest.approx(case["level_probs"], abs=1e-5)
        assert score["level_mass"] == pytest.approx(case["level_mass"], rel=1e-3)
