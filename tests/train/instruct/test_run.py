"""A stage end to end on a tiny model: what it writes, refuses and tells."""

from __future__ import annotations

import json

from train.instruct.run import train_stage
from train.instruct.watch import read_log
from vqa2cli import load_model, score


def test_a_stage_writes_a_model_that_scores_and_a_log_of_every_step(recipe, job, media):
    model = train_stage(recipe(), job())
    row = score(media / "0.mp4", load_model(model))
    assert row.score is not None
    assert row.model.name == "tiny+stage2-ugc"
    assert [record["step"] for record in read_log(model.parent)] == [1, 2, 3, 4]
    record = json.loads((model / "training.json").read_text())
    assert [stage["recipe"] for stage in record["lineage"]] == ["stage2-ugc"]
