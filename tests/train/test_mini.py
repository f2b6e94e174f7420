"""The whole recipe at toy size: a real clip in, a model directory that scores out."""

from __future__ import annotations

import copy
import csv
import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from train.augment import put_off, shuffled
from train.corpus import (
    CorpusSize,
    Draw,
    Item,
    Material,
    build_corpus,
    plan_tasks,
    read_items,
)
from train.dataset import LookDataset, SourceBatches, collate, jittered
from train.features import Look
from train.fit import READ, FixedHeads, Scorer, TowerTask
from train.mini import (
    Workplace,
    between,
    content_folds,
    corpus_plan,
    fit_folds,
    fit_mini,
    keep,
    make_data,
    new_network,
    train_split,
    training_looks,
    unseen_features,
)
from train.recipe import Recipe, read_recipe
from train.renditions import CODECS
from vqa2cli import load_model, score
from vqa2cli.video.media import StreamFacts
from vqa2cli.video.synthesis import moving_scene, write_clip

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    rows = []
    for name, split, seed in (("a", "train", 1), ("b", "train", 2), ("c", "val", 3)):
        scene = moving_scene(1.0, 12, (288, 224), seed=seed)
        write_clip(folder / f"{name}.mp4", scene, 12, options={"crf": "12"})
        rows.append(
            {"file": f"{name}.mp4", "width": 288, "height": 224, "fps": 12.0, "duration_s": 1.0}
            | {"split": split}
        )
    with (folder / "manifest.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder


def toy(recipe: Recipe) -> Recipe:
    """Return the recipe with two of three steps a stage and a handful of clips."""
    stages = tuple(
        replace(
            stage,
            fit=replace(
                stage.fit,
                steps=3,
                stop=2,
                groups=1,
                per_group=2,
                motion_frames=tuple(min(2, count) for count in stage.fit.motion_frames),
            ),
        )
        for stage in recipe.stages
    )
    return replace(
        recipe,
        corpus=CorpusSize(
            scenes=0,
            views=0,
            held_out_distorted=0,
            of_source=Draw(renditions=3, reencodes=1, distortions=1),
            of_view=Draw(0, 0, 0),
            of_photograph=Draw(0, 0, 0),
        ),
        stages=stages,
    )


@pytest.fixture(scope="module")
def place(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(Material(clips), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def items(place: Workplace) -> list[Item]:
    return make_data(toy(read_recipe("mini")), place)


def test_vmaf_is_high_for_a_clean_encode_and_falls_with_crf(items: list[Item]) -> None:
    for item in items:
        if item.kind == "rendition" and item.codec == "h264" and item.scale == 1.0:
            others = [
                other.label
                for other in items
                if (other.source, other.codec, other.scale) == (item.source, "h264", 1.0)
                and other.crf > item.crf
            ]
            assert all(label < item.label for label in others)
            if item.crf <= 18:
                assert item.label > 90


def test_a_second_good_encode_does_not_make_a_bad_first_one_good(items: list[Item]) -> None:
    twice = [item for item in items if item.kind == "twice"]
    assert {item.split for item in twice} == {"train", "val"}
    for item in twice:
        clean = max(
            other.label
            for other in items
            if other.source == item.source and other.kind == "rendition"
        )
        assert item.label < clean
        assert (item.severity or 0.0) >= 0.5


def test_nothing_but_the_picture_tells_a_distortion_from_a_good_rendition(
    items: list[Item], place: Workplace
) -> None:
    distorted = [item for item in items if item.kind == "distortion"]
    assert distorted
    for item in distorted:
        low, high = CODECS[item.codec].crf
        assert low <= item.crf <= low + 0.31 * (high - low)
        assert item.scale == 1.0
        assert (item.qp is not None) == (item.codec in ("h264", "hevc"))
        beside = next(
            other for other in items if other.source == item.source and other.kind == "rendition"
        )
        assert frames_of(place.corpus / item.path) == frames_of(place.corpus / beside.path)


def frames_of(path: Path) -> int:
    with av.open(str(path)) as file:
        return sum(1 for _ in file.decode(video=0))


def test_no_content_is_in_two_splits(items: list[Item]) -> None:
    splits: dict[str, set[str]] = {}
    for item in items:
        splits.setdefault(item.content, set()).add(item.split)
    assert all(len(found) == 1 for found in splits.values())
    assert {item.split for item in items} == {"train", "val"}


def test_a_built_corpus_is_not_built_again(
    items: list[Item], place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("an item was made twice")

    monkeypatch.setattr("train.corpus.make_rendition", refuse)
    monkeypatch.setattr("train.corpus.make_distortion", refuse)
    plan = corpus_plan(toy(read_recipe("mini")), place)
    assert len(list(plan_tasks(plan))) == len(items)
    assert build_corpus(plan) == items


def test_test_contents_are_made_only_where_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "file,width,height,fps,duration_s,split\na.mp4,640,480,24,2,train\nb.mp4,640,480,24,2,test\n"
    )
    recipe, place = toy(read_recipe("mini")), Workplace(Material(tmp_path), tmp_path)
    usual = {task.name for task in plan_tasks(corpus_plan(recipe, place))}
    whole = {task.name for task in plan_tasks(corpus_plan(recipe, place, with_test=True))}
    assert {name[0] for name in usual} == {"a"}
    assert {name[0] for name in whole - usual} == {"b"}


def test_a_torn_line_of_the_corpus_is_named(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"name": "x"\n')
    with pytest.raises(ValueError, match=r"items\.jsonl:1: not an item"):
        read_items(tmp_path)


@pytest.fixture(scope="module")
def trained(items: list[Item], place: Workplace) -> Path:
    assert items
    return fit_mini(toy(read_recipe("mini")), place)


def test_what_is_trained_scores_through_the_public_api(trained: Path, clips: Path) -> None:
    row = score(clips / "c.mp4", load_model(str(trained)))
    assert row.score is not None
    assert 0 <= row.score.value <= 100
    assert row.model is not None
    assert row.model.protocol == "mini-1"


def test_the_run_keeps_its_log(trained: Path) -> None:
    record = json.loads((trained.parent / "fit.json").read_text())
    assert record["contents"] == 2
    parts = [stage["part"] for stage in record["stages"]]
    assert parts == ["motion", "tower", "tower", "language", "language"]
    assert (trained / "motion.onnx").is_file()
    assert all(
        (trained.parent / f"3-language/checkpoint-{step}").exists() == (step == 2)
        for step in (2, 3)
    )


def test_training_moves_the_same_score_that_scoring_reads(
    trained: Path, items: list[Item], place: Workplace
) -> None:
    """One look through the training graph equals the same window through the model."""
    from train.mini import training_looks

    item = next(item for item in train_split(items) if item.kind == "rendition")
    recipe = toy(read_recipe("mini"))
    (look,) = training_looks(recipe, place).fill([item])
    model = load_model(str(trained))
    fit = replace(recipe.stages[-1].fit, facts_dropped=1.0, stalls_told=0.0)
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


def test_a_stage_draws_the_kinds_it_names_and_loads_no_motion_it_does_not_show(
    items: list[Item], place: Workplace
) -> None:
    from train.mini import training_looks

    recipe, training = toy(read_recipe("mini")), train_split(items)
    looks = training_looks(recipe, place).fill(training)
    fit = replace(recipe.stages[-1].fit, kinds=("rendition", "distortion"))
    dataset = LookDataset(training, looks, fit)
    assert {item.kind for item in dataset.items} == {"rendition", "distortion"}
    assert len(dataset) == len([item for item in training if item.kind != "twice"])
    sample = dataset[(0, 1, 0, 0)]
    assert sample.motion.shape[0] == 0
    assert sample.keyframes.shape == (1, 224, 224, 3)


def test_batches_hold_whole_groups_of_one_source_and_repeat_by_seed(items: list[Item]) -> None:
    fit = replace(toy(read_recipe("mini")).stages[-1].fit, groups=1, per_group=3)
    training = train_split(items)
    first, again = (list(SourceBatches(training, fit, seed=5)) for _ in range(2))
    assert first == again
    assert first != list(SourceBatches(training, fit, seed=6))
    for batch in first:
        assert len({training[index].source for index, *_ in batch}) == 1
        assert len({(keyframes, motion) for _, keyframes, motion, _ in batch}) == 1


def test_numbers_begin_as_neighbours_of_their_neighbours(place: Workplace, tmp_path: Path) -> None:
    network, prompter = new_network(toy(read_recipe("mini")), tmp_path)
    rows = network.llm.model.embed_tokens.weight.detach()
    ids = [prompter.encode(f" {number}")[0] for number in range(64)]
    numbers = rows[ids]
    near = torch.cosine_similarity(numbers[:-1], numbers[1:]).mean()
    far = torch.cosine_similarity(numbers[:32], numbers[32:]).mean()
    assert near > 0.9 > 0.5 > far
    assert torch.isclose(numbers.std(), rows.std(), rtol=0.1)


def test_told_facts_wander_a_little_and_sometimes_lack_the_quantizer() -> None:
    fit = replace(
        read_recipe("mini").stages[-1].fit,
        quantizer_dropped=0.25,
        quantizer_jitter=1.0,
        facts_jitter_db=1.0,
    )
    facts, rng = StreamFacts("vp9", 0.1, 640, 360, 25.0, 120.0), np.random.default_rng(0)
    told = [jittered(facts, fit, rng) for _ in range(400)]
    known = [each.quantizer for each in told if each.quantizer is not None]
    assert 260 < len(known) < 340
    assert max(abs(value - 120.0) for value in known) <= 255 / 63
    assert all(0.079 < (each.bits_per_pixel or 0) < 0.126 for each in told)


def test_visual_tokens_are_put_off_by_their_own_spread_and_not_at_all_without_noise() -> None:
    tokens = torch.randn(3, 2, 512) * torch.tensor([1.0, 10.0])[None, :, None]
    assert torch.equal(put_off(tokens, 0.0, np.random.default_rng(0)), tokens)
    off = (put_off(tokens, 0.5, np.random.default_rng(0)) - tokens).std(-1)
    assert torch.allclose(off, 0.5 * tokens.std(-1), rtol=0.2)


def test_a_stage_keeps_the_share_it_names_of_what_stood_before(tmp_path: Path) -> None:
    network, _ = new_network(toy(read_recipe("mini")), tmp_path)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 1.0
    keep(network, before, 0.0)
    name = "llm.model.embed_tokens.weight"
    assert torch.allclose(network.state_dict()[name], before[name] + 1.0)
    keep(network, before, 0.75)
    assert torch.allclose(network.state_dict()[name], before[name] + 0.25)


def test_folds_share_no_content_and_leave_nothing_out(items: list[Item]) -> None:
    many = [replace(items[0], content=f"c{index // 3}") for index in range(30)]
    folds = content_folds(many, 3, seed=0)
    assert sorted(index for fold in folds for index in fold) == list(range(30))
    assert len(folds) == 3
    contents = [{many[index].content for index in fold} for fold in folds]
    assert sum(map(len, contents)) == len(set.union(*contents))
    assert all(len(found) in (3, 4) for found in contents)


def test_the_language_model_sees_each_content_through_a_tower_that_never_did(
    items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught: list[set[str]] = []

    def teach(task: object, dataset: LookDataset, *_: object, **__: object) -> None:
        taught.append({item.content for item in dataset.items})

    monkeypatch.setattr("train.mini.fit_task", teach)
    recipe = toy(read_recipe("mini"))
    network, prompter = new_network(recipe, tmp_path)
    stages = [stage for stage in recipe.stages if stage.part == "tower"]
    folds = stages[0].folds
    learners = [copy.deepcopy(network) for _ in range(folds)]
    looks = [tmp_path / str(index) for index in range(len(items))]
    for stage in stages:
        fit_folds(learners, prompter, stage, items, looks, tmp_path / "tower", 0)
    assert len(taught) == folds * len(stages) > 2

    monkeypatch.setattr(
        "train.mini.features_of",
        lambda learner, looks: [(learners.index(learner), look) for look in looks],
    )
    found = unseen_features(learners, items, looks, 0)
    assert [look for _, look in found] == looks
    for item, (fold, _) in zip(items, found, strict=True):
        assert all(item.content not in contents for contents in taught[fold::folds])


def test_towers_speak_one_language_in_the_dimensions_they_may_use(tmp_path: Path) -> None:
    recipe = toy(read_recipe("mini"))
    network, _ = new_network(recipe, tmp_path)
    task = TowerTask(network, recipe.stages[1].fit)
    last = network.mm_projector[2]
    before = last.weight.detach().clone()
    optimizer = torch.optim.AdamW(task.parameters(), lr=0.1, weight_decay=0.0)
    told = torch.cat(task.read(torch.randint(0, 256, (3, 1, 224, 224, 3))), -1)
    told.square().sum().backward()
    optimizer.step()
    assert (last.weight[:READ] - before[:READ]).abs().min(1).values.max() > 0
    assert not last.weight[READ:].any()
    assert last.bias[READ:].tolist() == [1.0] + [0.0] * (len(last.bias) - READ - 1)


def test_the_heads_over_two_towers_are_the_same(tmp_path: Path) -> None:
    recipe = toy(read_recipe("mini"))
    turns = [FixedHeads(new_network(recipe, tmp_path)[0]).turn for _ in range(2)]
    assert torch.equal(*turns)
    assert torch.allclose(turns[0] @ turns[0].T, 9 * torch.eye(2 * READ), atol=1e-4)


def test_shuffled_tiles_are_the_same_tiles_elsewhere_alike_in_every_picture() -> None:
    pictures = torch.arange(2 * 8 * 8 * 3).reshape(2, 8, 8, 3)
    moved = shuffled(pictures, 4, np.random.default_rng(0))
    assert moved.shape == pictures.shape
    assert not torch.equal(moved, pictures)
    assert torch.equal(moved[0] + 8 * 8 * 3, moved[1])

    def tiles(picture: torch.Tensor) -> set[tuple[int, ...]]:
        corners = [(0, 0), (0, 4), (4, 0), (4, 4)]
        return {tuple(sorted(picture[y : y + 4, x : x + 4].flatten().tolist())) for y, x in corners}

    assert tiles(moved[0]) == tiles(pictures[0])


def test_facts_that_lie_may_be_kept_from_more_samples_than_those_that_do_not(
    items: list[Item], place: Workplace
) -> None:
    recipe = toy(read_recipe("mini"))
    looks = training_looks(recipe, place).fill(items, 1)
    fit = replace(recipe.stages[-1].fit, facts_dropped=0.0, lies_dropped=1.0, stalls_told=0.0)
    told = LookDataset(items, looks, fit)
    for number, item in enumerate(told.items):
        assert bool(told[number, 1, 2, number].facts) == (item.kind == "rendition")


def test_tokens_between_those_of_two_towers_lie_as_far_as_asked() -> None:
    facts = StreamFacts("h264", 1.0, 640, 360, 25.0)
    looks = [
        [Look(np.full((2, 2, 4), value, np.float32), np.full((3, 4), motion), facts)]
        for value, motion in ((0.0, 7.0), (10.0, 9.0))
    ]
    (look,) = between(*looks, 0.25)
    assert (look.keyframes == 2.5).all()
    assert (look.motion == 7.0).all()


def test_level_words_and_numbers_are_single_tokens(tmp_path: Path) -> None:
    _, prompter = new_network(read_recipe("mini"), tmp_path)
    assert len(set(prompter.level_ids)) == 5
    for number in range(46):
        assert len(prompter.encode(f" -{number} dB")) == 3
