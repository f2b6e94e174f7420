"""What the corpus of mini holds, and that it is built once."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image

from tests.train.mini.toy import toy
from train.corpus import Material, build_corpus, plan_tasks
from train.items import Item, read_items
from train.mini import Workplace, corpus_plan
from train.recipe import read_recipe
from train.renditions import CODECS, grid_renditions, severity
from vqa2cli.errors import UsageError
from vqa2cli.video.synthesis import moving_scene, write_clip

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


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


def test_a_second_good_encode_does_not_make_a_bad_first_one_good(
    items: list[Item], place: Workplace
) -> None:
    planned = plan_tasks(corpus_plan(toy(read_recipe("mini")), place))
    encodes = {task.name: task.arguments[1] for task in planned}
    twice = [item for item in items if item.kind == "twice"]
    assert {item.split for item in twice} == {"train", "val"}
    for item in twice:
        clean = max(
            other.label
            for other in items
            if other.source == item.source and other.kind == "rendition"
        )
        assert item.label < clean
        both = encodes[item.name]
        assert max(severity(both.first), severity(both.second)) >= 0.5


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
    for name in ("a", "b"):
        write_clip(tmp_path / f"{name}.mp4", moving_scene(0.2, 24, (640, 480), seed=1), 24)
    recipe, place = toy(read_recipe("mini")), Workplace(Material(tmp_path), tmp_path)
    usual = {task.name for task in plan_tasks(corpus_plan(recipe, place))}
    whole = {task.name for task in plan_tasks(corpus_plan(recipe, place, ("train", "val", "test")))}
    assert {name[0] for name in usual} == {"a"}
    assert {name[0] for name in whole - usual} == {"b"}


def test_photographs_held_out_are_test_contents_in_every_encode_and_some_distortions(
    tmp_path: Path,
) -> None:
    (tmp_path / "manifest.csv").write_text("file,width,height,fps,duration_s,split\n")
    for folder in ("known", "unknown"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (840, 470), "white").save(tmp_path / folder / f"{folder}.jpg")
    material = Material(tmp_path, photographs=tmp_path / "known", held_out=tmp_path / "unknown")
    recipe, place = toy(read_recipe("mini")), Workplace(material, tmp_path)
    asked = [task.name for task in plan_tasks(corpus_plan(recipe, place, ("test",)))]
    assert all(name.startswith("unknown@") for name in asked)
    assert sum("@0+kadid" in name for name in asked) == recipe.corpus.of_source.distortions
    encodes = {name.split("+", 1)[1] for name in asked if name.startswith("unknown@0+")}
    assert encodes > {rendition.name for rendition in grid_renditions()}
    usual = {task.name for task in plan_tasks(corpus_plan(recipe, place))}
    assert not any(name.startswith("unknown") for name in usual)


def test_a_photograph_held_out_that_is_learned_from_too_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,width,height,fps,duration_s,split\n")
    Image.new("RGB", (840, 470), "white").save(tmp_path / "owl.jpg")
    material = Material(tmp_path, photographs=tmp_path, held_out=tmp_path)
    plan = corpus_plan(toy(read_recipe("mini")), Workplace(material, tmp_path), ("test",))
    with pytest.raises(UsageError, match="owl is held out and among the other contents too"):
        list(plan_tasks(plan))


def test_a_torn_line_of_the_corpus_is_named(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"name": "x"\n')
    with pytest.raises(ValueError, match=r"items\.jsonl:1: not an item"):
        read_items(tmp_path)
