"""Labelled media become questions with the right answer, and clips are cut where they should be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.clips import moving_clip
from train.data.classes import CLEAN, read_classes
from train.data.labels import Label, Labels, read_kadid_table, read_label_table
from train.data.looks import MediaFacts, look_at
from train.data.made_labels import degraded_label
from train.data.stage1 import ANSWER, Stage1Settings, build_stage1
from train.data.subclips import Cut, draw_windows, make_cuts, window_beside
from train.degrade.engine import made
from vqa2cli.errors import UsageError
from vqa2cli.video.synthesis import moving_scene, write_clip


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture, a clip of three seconds, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("media")
    picture = next(iter(moving_scene(1.0, 1, (96, 64))))
    Image.fromarray(picture).save(folder / "picture.png")
    write_clip(folder / "clip.mp4", moving_scene(3.0, 10, (128, 96), speed=2), 10)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def settings(media: Path, **changes: object) -> Stage1Settings:
    return Stage1Settings(media=media, cuts=media / "cuts", jobs=1, **changes)  # type: ignore[arg-type]


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_a_picture_is_asked_for_its_class_and_its_degree(media: Path) -> None:
    result = build_stage1([Label("picture.png", "noise", 4)], settings(media))
    by_task = {sample.provenance.task: sample for sample in result.samples}
    assert by_task["spatial-class"].turns[1].text == "It is noise."
    assert by_task["spatial-degree"].turns[1].text == "It is severe."
    assert all(sample.kind == "image" for sample in result.samples)
    assert all(sample.turns[0].text.count("<image>") == 1 for sample in result.samples)


def test_a_clean_source_has_no_distortion_of_either_dimension(media: Path) -> None:
    result = build_stage1([Label("clip.mp4", CLEAN)], settings(media))
    answers = {sample.provenance.task: sample.turns[1].text for sample in result.samples}
    assert answers == {
        "spatial-class": "There is no visible spatial distortion.",
        "motion-class": "There is no visible motion distortion.",
    }


def test_a_motion_distortion_is_seen_whole_in_windows_and_in_crops(media: Path) -> None:
    label = Label("clip.mp4", "stuttering", 3, source="made")
    result = build_stage1([label], settings(media, windows=2, crops=1))
    clips = {sample.media for sample in result.samples}
    assert "clip.mp4" in clips
    cuts = {name: look_at(media / name) for name in clips - {"clip.mp4"}}
    crops = [facts for facts in cuts.values() if facts.width == 96]
    windows = [facts for facts in cuts.values() if facts.width == 128]
    assert (len(crops), len(windows)) == (1, 2)
    assert crops[0].frames == 30
    assert all(facts.duration_s == pytest.approx(1.5, abs=0.11) for facts in windows)
    assert all(sample.turns[0].text.count("<image>") == 2 for sample in result.samples)
    assert all(sample.fps == pytest.approx(10) for sample in result.samples)


def test_a_window_beside_the_span_of_a_made_distortion_is_clean(media: Path) -> None:
    label = Label("clip.mp4", "stuttering", 3, 0.0, 1.0, source="made")
    result = build_stage1([label], settings(media, windows=1, crops=0))
    answers = Counter(
        sample.turns[1].text
        for sample in result.samples
        if sample.provenance.task == "motion-class"
    )
    assert answers["There is no visible motion distortion."] == 1
    whens = [s.turns[1].text for s in result.samples if s.provenance.task == "motion-when"]
    assert "From 0.0 s to 1.0 s." in whens


def test_a_spatial_distortion_of_a_clip_is_asked_on_a_frame_inside_its_span(media: Path) -> None:
    label = Label("clip.mp4", "spatial blur", 2, 1.0, 2.0)
    result = build_stage1([label], settings(media))
    assert {sample.media for sample in result.samples} == {"cuts/clip_t1.50.png"}
    cut = np.asarray(Image.open(media / "cuts" / "clip_t1.50.png"))
    with av.open(str(media / "clip.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    distances = [np.abs(cut.astype(int) - frame).mean() for frame in frames]
    assert int(np.argmin(distances)) == 15


def test_the_same_seed_gives_the_same_set_and_another_seed_other_words(media: Path) -> None:
    labels = [Label("picture.png", "noise", 4), Label("clip.mp4", "stuttering", 1)]
    first, second = (build_stage1(labels, settings(media, seed=3)).samples for _ in range(2))
    assert first == second
    asked = {
        build_stage1([Label("picture.png", "noise")], settings(media, seed=seed))
        .samples[0]
        .turns[0]
        .text
        for seed in range(12)
    }
    assert len(asked) > 3


def test_missing_and_broken_media_are_named_and_the_others_go_on(media: Path) -> None:
    labels = [
        Label("gone.mp4", "noise"),
        Label("broken.png", "noise"),
        Label("picture.png", "noise"),
    ]
    result = build_stage1(labels, settings(media))
    assert [gone.media for gone in result.missing] == ["gone.mp4", "broken.png"]
    assert {sample.media for sample in result.samples} == {"picture.png"}


def test_a_cap_leaves_so_many_media_of_each_class(media: Path) -> None:
    labels = [Label("picture.png", "noise")] * 3 + [Label("clip.mp4", "stuttering")]
    result = build_stage1(labels, settings(media, per_class=1, windows=0, crops=0))
    assert {sample.media for sample in result.samples} == {"picture.png", "clip.mp4"}


def test_cuts_must_lie_below_the_media(media: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not lie below the media folder"):
        build_stage1([], Stage1Settings(media, tmp_path / "elsewhere"))


def test_windows_hold_as_much_of_the_span_as_fits() -> None:
    rng = np.random.default_rng(0)
    facts = MediaFacts("video", 96, 64, 100, 10.0, 10.0)
    for span in ((1.0, 2.0), (2.0, 9.0), (8.5, 9.5), (0.0, 0.5)):
        for cut in draw_windows(facts, span, 4, rng):
            assert cut.start_s is not None
            assert cut.end_s is not None
            shown = min(cut.end_s, span[1]) - max(cut.start_s, span[0])
            assert shown >= min(span[1] - span[0], 4.0) - 0.02
            assert 0 <= cut.start_s < cut.end_s <= 10.01


def test_no_window_is_cut_of_a_clip_hardly_longer_than_one() -> None:
    short = MediaFacts("video", 96, 64, 11, 10.0, 1.1)
    assert draw_windows(short, None, 3, np.random.default_rng(0)) == []
    assert window_beside(short, (0.2, 0.9)) is None


def test_a_cut_that_fails_says_why_and_leaves_nothing(media: Path, tmp_path: Path) -> None:
    target = tmp_path / "cut.mp4"
    failed = make_cuts([(media / "broken.png", Cut(0.0, 1.0), target)], jobs=1)
    assert "cannot be cut" in failed[target]
    assert list(tmp_path.iterdir()) == []


def test_a_table_names_the_labels_it_cannot_place(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "clip,kind,severity,start_s,end_s\n"
        "a.mp4,Stabilization,severe,1,2.5\n"
        "b.mp4,Artifacts,,,\n"
        "c.mp4,sparkle,2,,\n"
        "d.mp4,clean,,,\n",
    )
    found = read_label_table(path, read_classes(), {"media": "clip", "label": "kind"})
    assert found.labels == [
        Label("a.mp4", "flicker (camera shake)", 4, 1.0, 2.5),
        Label("d.mp4", CLEAN),
    ]
    assert found.left_out == {
        "Artifacts: blocks and noise are not told apart": 1,
        "sparkle: not a label of the mapping": 1,
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("a.mp4,noise,9,,,", "line 3: severity '9'"),
        ("a.mp4,noise,2,3,1,", "line 3: a distortion from 3 to 1 s"),
        ("a.mp4,noise,2,soon,,", "line 3: 'soon' is not a time"),
        (",noise,2,,,", "line 3: media or label is empty"),
        ("a.mp4,noise,2,,,dev", "line 3: split 'dev'"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, told: str) -> None:
    path = table(
        tmp_path, f"media,label,severity,start_s,end_s,split\nb.mp4,noise,1,0,1,train\n{row}\n"
    )
    with pytest.raises(UsageError, match=told):
        read_label_table(path, read_classes())


def test_a_table_without_the_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no column 'label' \(found: media, mos\)"):
        read_label_table(table(tmp_path, "media,mos\na.mp4,3\n"), read_classes())


def test_kadids_own_table_gives_distorted_and_clean_pictures(tmp_path: Path) -> None:
    path = tmp_path / "dmos.csv"
    path.write_text(
        "dist_img,ref_img,dmos,var\n"
        "I01_01_05.png,I01.png,1.3,0.2\n"
        "I01_25_01.png,I01.png,3.4,0.2\n"
        "I01_05_03.png,I01.png,1.9,0.2\n"
        "I01_17_01.png,I01.png,4.6,0.2\n"
    )
    found = read_kadid_table(path, Path("kadid"), read_classes())
    assert [(one.media, one.distortion, one.severity) for one in found.labels] == [
        ("kadid/I01_01_05.png", "spatial blur", 5),
        ("kadid/I01_25_01.png", "high contrast", 2),
        ("kadid/I01_17_01.png", CLEAN, None),
        ("kadid/I01.png", CLEAN, None),
    ]
    assert {one.content for one in found.labels} == {"kadid/I01"}
    assert sum(found.left_out.values()) == 1


def test_a_table_that_is_not_kadids_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "dmos.csv"
    path.write_text("dist_img,ref_img,dmos\nI01_01_05.png,I01.png,1.3\nmountain.png,I01.png,2\n")
    with pytest.raises(UsageError, match=r"line 3: 'mountain.png' is not named like"):
        read_kadid_table(path, Path("kadid"), read_classes())


def test_the_strongest_degradation_of_a_clip_is_its_main_one() -> None:
    classes, base = read_classes(), Label("a.mp4", CLEAN, source="made")
    slight, strong = made("stutter", 2, 0.0, 1.0), made("camera-shake", 4, 1.0, 3.0)
    found = degraded_label(base, [slight, strong], classes)
    assert found.labels == [Label("a.mp4", "flicker (camera shake)", 4, 1.0, 3.0, source="made")]
    assert degraded_label(base, [], classes) == Labels([base])
    tied = degraded_label(base, [slight, made("camera-shake", 2)], classes)
    assert tied.labels == []
    assert tied.left_out == {"several degradations, equally strong": 1}
    unseen = degraded_label(base, [made("gaussian-blur", 1)], classes)
    assert unseen.labels == [base]
    other = degraded_label(base, [slight, made("exposure-drift", 5)], classes)
    assert other.labels == []


def test_the_paper_is_quoted_in_the_answer() -> None:
    assert ANSWER == "It is {distortion}."


def test_a_clip_of_a_user_is_not_called_clean_outside_its_span(tmp_path: Path) -> None:
    moving_clip(tmp_path / "clip.mp4", 4.0)
    label = Label("clip.mp4", "stuttering", None, 0.0, 1.0)
    result = build_stage1([label], settings(tmp_path, windows=0, crops=0))
    assert {sample.turns[1].text for sample in result.samples} == {
        "It is stuttering.",
        "From 0.0 s to 1.0 s.",
    }
