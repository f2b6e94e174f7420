"""The whole recipe at toy size: a real clip in, a model directory that scores out."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.train.mini.toy import toy
from train.beginning import begin
from train.corpus import Material
from train.dataset import LookDataset, collate
from train.fit import Scorer
from train.items import Item
from train.kadid import FOUND_AS
from train.mini import Workplace, fit_mini, make_data, train_split, training_looks
from train.recipe import read_recipe
from vqa2cli import load_model, score
from vqa2cli.asking import answering_model, answers, look, views_of
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError
from vqa2cli.model.catalogue import find_model
from vqa2cli.model.inverted import PATCH_CHANNELS
from vqa2cli.video.media import StreamFacts

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def test_what_is_trained_scores_through_the_public_api(trained: Path, clips: Path) -> None:
    row = score(clips / "c.mp4", load_model(str(trained)))
    assert row.score is not None
    assert 0 <= row.score.value <= 100
    assert row.model is not None
    assert row.model.protocol == "mini-1"
    shown = row.segments[0].distortion
    assert shown is not None
    assert shown.name in FOUND_AS
    assert 1 / len(FOUND_AS) < shown.prob <= 1
    assert 0 < shown.quality < 100


def test_what_is_trained_is_told_what_streams_of_such_facts_usually_look_like(
    trained: Path, place: Workplace
) -> None:
    facts = StreamFacts("h264", 0.1, 288, 224, 12.0, 30.0)
    network = load_model(str(trained)).network
    seen = torch.zeros(2 * PATCH_CHANNELS)
    told = network.tell_stream(facts, (288, 224), seen)
    assert re.search(r" Usual quality \d+\.$", told.text)
    assert told.usual is not None
    assert network.stream_expectation is not None
    assert network.stream_expectation.traits_of(seen[None] + 9).abs().sum() > 0
    assistant = load_model(str(place.assistant)).network
    assert assistant.stream_expectation is None  # it is asked of pictures


def test_the_assistant_answers_with_the_eyes_of_the_scorer(
    trained: Path, place: Workplace, clips: Path
) -> None:
    scorer, model = load_model(str(trained)), answering_model(RunConfig(model=str(place.assistant)))
    assert model.info.name == "mini-assistant"
    for part in ("vision_tower", "mm_projector", "distortion_head"):
        theirs = getattr(scorer.network, part).state_dict()
        ours = getattr(model.network, part).state_dict()
        assert all(torch.equal(value, ours[name]) for name, value in theirs.items())
    views = views_of([look(clips / "c.mp4", model, RunConfig(diagnostics=False))])
    (answer,) = answers(views, model, "Is it blurry?", max_new_tokens=4)
    assert isinstance(answer, str)


def test_the_run_keeps_its_log(trained: Path) -> None:
    record = json.loads((trained.parent / "fit.json").read_text())
    assert record["contents"] == 2
    parts = [stage["part"] for stage in record["stages"]]
    assert parts == ["motion", "tower", *["language"] * 3, "answers"]
    assert [stage["fit"]["imagined"] for stage in record["stages"]] == [0, 0, 0, 12, 12, 12]
    assert (trained / "motion.onnx").is_file()
    assert all(
        (trained.parent / f"2-language/checkpoint-{step}").exists() == (step == 2)
        for step in (2, 3)
    )


def test_stages_that_had_ended_are_not_trained_on_when_a_run_goes_on(
    trained: Path, items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    assert items
    again = replace(place, out=tmp_path / "again")
    shutil.copytree(place.out, again.out)
    fit_mini(toy(read_recipe("mini")), again, resume=True)
    for was, became in ((place.model, again.model), (place.assistant, again.assistant)):
        before, after = (load_file(folder / "model.safetensors") for folder in (was, became))
        assert before.keys() == after.keys()
        assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_clips_are_not_imagined_before_a_tower_is_taught(
    items: list[Item], place: Workplace, tmp_path: Path
) -> None:
    assert items
    recipe = toy(read_recipe("mini"))
    blind = replace(recipe, stages=tuple(stage for stage in recipe.stages if stage.fit.imagined))
    untaught = replace(place, out=tmp_path / "untaught")
    shutil.copytree(place.corpus, untaught.corpus)
    with pytest.raises(UsageError, match="needs a tower"):
        fit_mini(blind, untaught)


def test_a_recipe_that_goes_on_from_a_model_leaves_its_eyes_as_they_are(
    trained: Path, items: list[Item], place: Workplace, clips: Path, tmp_path: Path
) -> None:
    assert items
    recipe = replace(toy(read_recipe("mini-further")), start=trained)
    assert {stage.part for stage in recipe.stages} == {"language"}
    further = replace(place, out=tmp_path / "further")
    shutil.copytree(place.corpus, further.corpus)
    fit_mini(recipe, further)
    before, after = (load_file(folder / "model.safetensors") for folder in (trained, further.model))
    assert before.keys() == after.keys()
    moved = {key for key, value in before.items() if not torch.equal(value, after[key])}
    assert any("layers.0.self_attn" in key for key in moved)
    eyes = ("vision_tower", "mm_projector", "distortion_head", "feature_extraction")
    assert not [key for key in moved if any(eye in key for eye in eyes)]
    for name in ("tokenizer.json", "motion.onnx"):
        assert (trained / name).read_bytes() == (further.model / name).read_bytes()
    model = load_model(str(further.model))
    assert (model.info.name, model.info.revision) == ("mini", recipe.network.revision)
    row = score(clips / "c.mp4", model)
    assert row.score is not None


def test_a_recipe_does_not_go_on_from_a_model_of_another_kind(tmp_path: Path) -> None:
    assistant = find_model("mini-assistant").path
    recipe = replace(read_recipe("mini-further"), start=assistant)
    with pytest.raises(UsageError, match=r"cannot go on from this model.*the recipe is for mini-1"):
        begin(recipe, tmp_path)
    mine = tmp_path / "model"
    shutil.copytree(find_model("mini").path, mine)
    with pytest.raises(UsageError, match="would be overwritten"):
        begin(replace(recipe, start=mine), mine)
    own = read_recipe("mini-further")
    other = replace(own, network=replace(own.network, motion_size=64))
    with pytest.raises(UsageError, match="looks at clips otherwise than"):
        begin(other, tmp_path)


def test_a_model_that_does_not_fit_is_refused_before_clips_are_made(
    clips: Path, tmp_path: Path
) -> None:
    recipe = replace(read_recipe("mini-further"), start=find_model("mini-assistant").path)
    with pytest.raises(UsageError, match="cannot go on from this model"):
        make_data(recipe, Workplace(Material(clips), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_the_model_is_kept_in_half_precision(trained: Path) -> None:
    weights = load_file(trained / "model.safetensors").values()
    assert {value.dtype for value in weights if value.is_floating_point()} == {torch.float16}


def test_training_moves_the_same_score_that_scoring_reads(
    trained: Path, items: list[Item], place: Workplace
) -> None:
    """One look through the training graph equals the same window through the model."""
    item = next(item for item in train_split(items) if item.kind == "rendition")
    recipe = toy(read_recipe("mini"))
    (look,) = training_looks(recipe, place).fill([item])
    model = load_model(str(trained))
    fit = replace(recipe.stages[-2].fit, facts_dropped=1.0, stalls_told=0.0)
    dataset = LookDataset([item], [look], fit)
    with np.load(look) as kept:
        pictures, frames = kept["keyframes"], kept["motion"]
    sample = collate([dataset[(0, len(pictures), len(frames), 0)]])
    sample["keyframes"], sample["motion"] = torch.tensor(pictures)[None], torch.tensor(frames)[None]
    with torch.inference_mode():
        found = Scorer(model.network, model.prompter, fit)(**sample)["scores"][0].item()
    stream = model.open_motion()
    stream.push(frames)
    tokens = model.window_tokens([model.encode_keyframes(pictures)], stream.finish(), len(frames))
    (expected,) = model.score_windows([tokens])
    assert 100 * found == pytest.approx(expected.value, abs=0.01)


def test_numbers_begin_as_neighbours_of_their_neighbours(place: Workplace, tmp_path: Path) -> None:
    network, prompter = begin(toy(read_recipe("mini")), tmp_path)
    rows = network.llm.model.embed_tokens.weight.detach()
    ids = [prompter.encode(f" {number}")[0] for number in range(64)]
    numbers = rows[ids]
    near = torch.cosine_similarity(numbers[:-1], numbers[1:]).mean()
    far = torch.cosine_similarity(numbers[:32], numbers[32:]).mean()
    assert near > 0.9 > 0.5 > far
    assert torch.isclose(numbers.std(), rows.std(), rtol=0.1)


def test_level_words_and_numbers_are_single_tokens(tmp_path: Path) -> None:
    _, prompter = begin(read_recipe("mini"), tmp_path)
    assert len(set(prompter.level_ids)) == 5
    for number in range(46):
        assert len(prompter.encode(f" -{number} dB")) == 3
