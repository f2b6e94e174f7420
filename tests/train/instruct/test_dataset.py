"""Examples out of samples, what is refused before training, and the order of the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.train.instruct.conftest import ASKED, turns
from train.data.records import Provenance, Sample, read_samples, write_samples
from train.instruct.dataset import Conversations, Order, check_media, collate
from train.instruct.looks import LookStore
from train.instruct.recipe import sampling_of
from train.instruct.run import gather
from vqa2cli.errors import UsageError
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.tokens import IMAGE_SLOT
from vqa2cli.model.weights import load_network


@pytest.fixture
def dataset(start: Path, media: Path, tmp_path: Path, recipe):
    """Return the dataset of samples under a recipe."""
    config = load_network(start).network.config
    prompter = Prompter.from_directory(start, PROTOCOLS["mini-1"])

    def make(samples, used=None) -> Conversations:
        used = used or recipe("mix")
        looks = LookStore(tmp_path / "c", media, sampling_of(used.look, config), 10**9)
        looks.fill(sample.media for sample in samples)
        return Conversations(samples, looks, prompter, used, config.tokens_per_keyframe)

    return make


def test_a_clip_gives_visual_and_motion_features_and_a_picture_visual_ones(
    dataset, clips_set, pictures_set
):
    clip, picture = read_samples(clips_set)[0], read_samples(pictures_set)[0]
    made = dataset([clip, picture])
    seen, still = made[0], made[1]
    assert (len(seen.keyframes), len(seen.motion)) == (2, 8)  # 8 frames a second, 2 key frames
    assert (len(still.keyframes), len(still.motion)) == (1, 0)
    assert (still.ids == IMAGE_SLOT).sum() == 1
    batch = collate([seen, still])
    assert [len(each) for each in batch["motion"]] == [8, 0]


def test_a_clip_asked_with_one_mark_shows_key_frames_alone(dataset):
    made = dataset([Sample("a", "0.mp4", "video", turns("<image>?", "Yes."))])
    assert len(made[0].motion) == 0


def test_without_motion_the_second_mark_stays_empty(dataset, clips_set, recipe):
    made = dataset(read_samples(clips_set), recipe().without_motion())
    made.check()
    assert len(made[0].motion) == 0
    assert (made[0].ids == IMAGE_SLOT).sum() == 2


def test_conversations_that_do_not_fit_their_media_are_counted_and_named(dataset):
    samples = [
        Sample("none", "0.mp4", "video", turns("Is it good?", "Yes.")),
        Sample("fine", "0.mp4", "video", turns(ASKED, "Yes.")),
        Sample("two", "0.png", "image", turns(ASKED, "Yes.")),
    ]
    with pytest.raises(UsageError, match=r"2 samples place <image>.*: none, two"):
        dataset(samples).check()


def test_conversations_over_the_limit_are_refused_before_training(dataset, clips_set, recipe):
    used = recipe()
    short = replace(used, look=replace(used.look, max_tokens=50))
    with pytest.raises(UsageError, match="4 samples are over 50 tokens; lower window_s"):
        dataset(read_samples(clips_set), short).check()


def test_missing_media_are_counted_and_named(media):
    samples = [
        Sample(name, f"{name}.mp4", "video", turns("<image>", "Yes.")) for name in ("0", *"abcdefg")
    ]
    with pytest.raises(UsageError, match=r"7 of 8 media files.*: a\.mp4.*e\.mp4 and 2 more"):
        check_media(samples, media)


def test_samples_of_another_kind_than_the_recipe_trains_on_are_refused(recipe, job, pictures_set):
    with pytest.raises(UsageError, match="4 of 4 samples are no video"):
        gather(recipe("stage2-ugc"), job(data=(pictures_set,)))


def test_missing_media_may_be_left_out_but_not_quietly(recipe, job, media, tmp_path, caplog):
    path = tmp_path / "set.json"
    asked = turns(ASKED, "Yes.")
    write_samples(path, [Sample(name, f"{name}.mp4", "video", asked, fps=8) for name in "0x"])
    with caplog.at_level("WARNING"):
        kept = gather(recipe(), job(data=(path,), skip_missing=True))
    assert [sample.id for sample in kept] == ["0"]
    assert "1 samples are left out" in caplog.text


def test_media_lost_during_training_reach_the_trainer_as_one_line(dataset, clips_set, media):
    made = dataset([Sample("lost", "lost.mp4", "video", turns(ASKED, "Yes."))])
    (line,) = collate([made[0]])["broken"]
    assert line.startswith("lost.mp4: ")
    assert "\n" not in line


def test_the_order_is_a_function_of_seed_and_epoch():
    def batches(seed: int, epoch: int) -> list[list[int]]:
        order = Order(10, 2, seed)
        order.set_epoch(epoch)
        return list(order)

    assert batches(1, 0) == batches(1, 0)
    assert batches(1, 0) != batches(1, 1)
    assert batches(1, 0) != batches(2, 0)
    assert sorted(np.ravel(batches(1, 5))) == list(range(10))


def test_two_processes_share_what_one_process_takes_a_step():
    whole = list(Order(10, 4, seed=3))
    halves = [list(Order(10, 2, seed=3, world=2, rank=rank)) for rank in (0, 1)]
    assert [a + b for a, b in zip(*halves, strict=True)] == whole
    assert {len(batch) for batch in whole} == {4}
    assert set(np.ravel(whole)) == set(range(10))


def test_samples_of_a_split_to_evaluate_on_are_not_trained_on(recipe, job, media, tmp_path, caplog):
    path = tmp_path / "set.json"
    asked = turns(ASKED, "Yes.")
    write_samples(
        path,
        [
            Sample(split, "0.mp4", "video", asked, fps=8, provenance=Provenance(split=split))
            for split in ("train", "val", "test")
        ],
    )
    with caplog.at_level("WARNING"):
        assert [sample.id for sample in gather(recipe(), job(data=(path,)))] == ["train"]
    assert "2 samples are left out: they are of a split to evaluate on" in caplog.text
