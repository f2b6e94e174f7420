"""The embedded model through every recipe and ablation, stage after stage, on made media."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.train.instruct.conftest import ASKED, turns
from train.data.records import Sample, write_samples
from train.instruct.recipe import read_instruct
from train.instruct.run import Job, lineage, train_stage
from train.instruct.watch import read_log
from vqa2cli import load_model, score

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

STEPS = 96
SPATIAL = ("noise", "block effect", "spatial blur", "low contrast")
WORDS = ("high", "good", "poor", "low")
STALLS = "No stall: the picture kept moving from start to end."


@pytest.fixture(scope="module")
def sets(media: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small instruction set a stage, in the wording of the paper."""
    folder = tmp_path_factory.mktemp("sets")
    rate = "How would you rate the quality of this video?"
    seen = ASKED.partition(" How is")[0]
    made = {
        "stage1-image": [
            turns(
                "<image>\nWhat is the main spatial distortion presented in this image?",
                f"It is {w}.",
            )
            for w in SPATIAL
        ],
        "stage1-video": [
            turns(
                f"{seen} What is the main motion distortion presented in this video?", f"It is {w}."
            )
            for w in ("flicker", "stuttering", "flicker", "stuttering")
        ],
        "stage2-ugc": [turns(f"{seen} {rate}", f"The quality of the video is {w}.") for w in WORDS],
        "stage2-streaming": [
            turns(f"{STALLS} {seen} {rate}", f"The quality of the video is {w}.") for w in WORDS
        ],
        "stage3": [
            (*turns(f"{seen} Is there {w}?", "Yes."), *turns("How severe is it?", "It is slight."))
            for w in SPATIAL
        ],
    }
    paths = {}
    for name, conversations in made.items():
        kind, suffix = ("image", "png") if name == "stage1-image" else ("video", "mp4")
        samples = [
            Sample(f"{name}-{index}", f"{index}.{suffix}", kind, told)
            for index, told in enumerate(conversations)
        ]
        paths[name] = folder / f"{name}.json"
        write_samples(paths[name], samples)
    return paths


def test_the_loss_falls_in_every_recipe_and_each_models_scores(sets, media, tmp_path):
    fell = {}

    def run(name: str, model: str, *data: Path, motion: bool = True, out: str = "") -> str:
        recipe = read_instruct(name, "mini")
        recipe = replace(recipe, fit=replace(recipe.fit, steps=STEPS, tensorboard=False))
        place = tmp_path / (out or name)
        job = Job(data, media, model, place, cache=tmp_path / "looks", device="cpu")
        found = train_stage(recipe if motion else recipe.without_motion(), job)
        losses = [round(record["loss"], 3) for record in read_log(place)]
        fell[out or name] = losses[0], losses[-1]
        assert len(losses) == STEPS
        assert sum(losses[-4:]) < 0.8 * sum(losses[:4]), (out or name, losses)
        row = score(media / "0.mp4", load_model(found))
        assert row.score is not None
        return str(found)

    pictures = run("stage1-image", "mini", sets["stage1-image"])
    first = run("stage1-video", pictures, sets["stage1-video"])
    ugc = run("stage2-ugc", first, sets["stage2-ugc"])
    streaming = run("stage2-streaming", ugc, sets["stage2-streaming"])
    run("stage3", ugc, sets["stage3"])
    run("mix", "mini", *sets.values())
    run("stage2-ugc", "mini", sets["stage2-ugc"], out="without-stage1")
    run("stage2-ugc", first, sets["stage2-ugc"], motion=False, out="without-motion")
    print(fell)  # noqa: T201 - shown with -s
    stages = [stage["recipe"] for stage in lineage(Path(streaming))]
    assert stages == ["stage1-image", "stage1-video", "stage2-ugc", "stage2-streaming"]
