"""Degraded clips are made once, the same each time, and what cannot be made is named."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from train.degrade import making, playback
from train.degrade.cli import degrade
from train.degrade.clips import JOURNAL, read_degraded
from train.degrade.making import DegradePlan, make_degraded, plan_tasks
from train.rendering import frames_of
from vqa2cli.errors import UsageError
from vqa2cli.video.synthesis import moving_scene, write_clip

KINDS = ("flicker", "gaussian-blur", "stutter")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two short clips with a manifest."""
    folder = tmp_path_factory.mktemp("clips")
    for seed, name in enumerate(("a", "b b")):
        scene = moving_scene(1.5, 20, (128, 96), seed=seed, speed=2)
        write_clip(folder / f"{name}.mp4", scene, 20, options={"crf": "14"})
    (folder / "manifest.csv").write_text("file,split\na.mp4,train\nb b.mp4,val\n")
    return folder


@pytest.fixture(autouse=True)
def _without_vmaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "libvmaf_at_hand", lambda: False)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def whole(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run in one process."""
    out = tmp_path_factory.mktemp("whole")
    assert make_degraded(DegradePlan(clips, out, KINDS, seed=7)).failed == {}
    return out


def test_every_line_says_what_was_done_to_which_clip(whole: Path) -> None:
    made = read_degraded(whole)
    assert [clip.name.partition("+")[2].partition("_")[0] for clip in made] == sorted(KINDS) * 2
    assert {(clip.content, clip.split, clip.original) for clip in made} == {
        ("a", "train", "a.mp4"),
        ("b_b", "val", "b b.mp4"),
    }
    for clip in made:
        (one,) = clip.degradations
        assert clip.name == f"{clip.content}+{one.kind}_{one.severity}_v0"
        assert one.provenance.startswith("made: ")
        frames = sum(1 for _ in frames_of(whole / clip.path))
        assert frames == round(clip.length_s * clip.fps)
        assert one.end_s is None or one.end_s <= clip.length_s + 0.1


def test_a_line_says_how_far_the_pictures_changed(whole: Path, tmp_path: Path) -> None:
    seen = [clip.changed for clip in read_degraded(whole)]
    assert all(changed is not None and changed > 1 for changed in seen)
    still = [next(iter(moving_scene(0.1, 20, (128, 96))))] * 30
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "clips" / "still.mp4", still, 20, options={"crf": "14"})
    plan = DegradePlan(tmp_path / "clips", tmp_path / "out", ("stutter", "darken"), seed=7)
    kept, dark = sorted(clip.changed or 0.0 for clip in make_degraded(plan).clips)
    assert kept < 1 < dark


def test_two_processes_make_the_same_bytes_as_one(clips: Path, whole: Path, tmp_path: Path) -> None:
    make_degraded(DegradePlan(clips, tmp_path, KINDS, seed=7), jobs=2)
    assert contents(tmp_path) == contents(whole)


def test_a_killed_run_goes_on_where_it_stopped(
    clips: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = DegradePlan(clips, tmp_path, KINDS, seed=7)
    made: list[str] = []
    make = making.DegradeTask.make

    def make_some(task: making.DegradeTask) -> object:
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(task.name)
        return make(task)

    monkeypatch.setattr(making.DegradeTask, "make", make_some)
    with pytest.raises(KeyboardInterrupt):
        make_degraded(plan)
    with (tmp_path / JOURNAL).open("a") as journal:
        journal.write('{"name": "b_b+stut')  # the kill came in the middle of a line
    again: list[str] = []
    monkeypatch.setattr(
        making.DegradeTask, "make", lambda task: (again.append(task.name), make(task))[1]
    )
    make_degraded(plan)
    assert len(again) == 3
    assert not set(again) & set(made)
    assert contents(tmp_path) == contents(whole)


def test_more_versions_are_added_to_what_is_there(clips: Path, tmp_path: Path) -> None:
    make_degraded(DegradePlan(clips, tmp_path, ("flicker",)))
    before = contents(tmp_path / "clips")
    make_degraded(DegradePlan(clips, tmp_path, ("flicker",), versions=5))
    after = contents(tmp_path / "clips")
    assert before.items() <= after.items()
    made = [clip for clip in read_degraded(tmp_path) if clip.content == "a"]
    assert sorted(clip.degradations[0].severity for clip in made) == [1, 2, 3, 4, 5]


def test_another_seed_does_not_mix_with_what_is_there(
    clips: Path, whole: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--seed 7"):
        make_degraded(DegradePlan(clips, whole, KINDS, seed=8))
    names = {task.name for task in plan_tasks(DegradePlan(clips, tmp_path, KINDS, versions=1))}
    assert names != {clip.name for clip in read_degraded(whole)}


def test_a_session_is_labelled_with_its_stalls_and_pieces(clips: Path, tmp_path: Path) -> None:
    plan = DegradePlan(clips, tmp_path, ("session",), versions=3)
    result = make_degraded(plan)
    assert len(result.clips) == 6
    assert any(clip.stalls for clip in result.clips)
    for clip in result.clips:
        waited = sum(stall.duration for stall in clip.stalls)
        assert clip.length_s == pytest.approx(1.5 + waited, abs=1e-6)
        assert clip.pieces[0].start == pytest.approx(clip.stalls[0].end if clip.stalls else 0)
        assert clip.pieces[-1].end == pytest.approx(clip.length_s)
        assert all(piece.vmaf is None for piece in clip.pieces)
        frames = sum(1 for _ in frames_of(tmp_path / clip.path))
        assert frames == round(clip.length_s * clip.fps)


def test_a_broken_clip_is_named_and_the_others_are_made(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.mp4").write_bytes((clips / "a.mp4").read_bytes())
    (folder / "bad.mp4").write_bytes(b"no video at all")
    command = ["--clips", str(folder), "--out", str(tmp_path / "out"), "--kinds", "flicker,stutter"]
    run = CliRunner().invoke(degrade, [*command, "--jobs", "1"])
    assert run.exit_code == 3
    assert "bad.mp4: not a video" in run.stderr
    assert "1 of the originals" in run.stderr
    assert run.stdout.split() == ["1", "flicker", "1", "stutter"]


def test_a_full_disk_is_one_line_and_loses_nothing(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Path] = []

    def full(path: Path, frames: Iterator, *rest: object, **named: object) -> Path:
        if len(done) == 2:
            path.write_bytes(b"half a clip")
            raise OSError(errno.ENOSPC, "No space left on device")
        done.append(path)
        return write_clip(path, frames, *rest, **named)

    monkeypatch.setattr(making, "write_clip", full)
    plan = DegradePlan(clips, tmp_path, KINDS, seed=7)
    with pytest.raises(UsageError, match="No space left on device"):
        make_degraded(plan)
    assert len(read_degraded(tmp_path)) == 2
    assert len(list((tmp_path / "clips").iterdir())) == 2
    monkeypatch.undo()
    assert len(make_degraded(plan).clips) == 6


@pytest.mark.parametrize(
    ("kinds", "words"), [("smell", "no kind 'smell'"), ("spatial,,", "no kind ''")]
)
def test_a_kind_that_cannot_be_made_is_refused(clips: Path, kinds: str, words: str) -> None:
    run = CliRunner().invoke(degrade, ["--clips", str(clips), "--out", "x", "--kinds", kinds])
    assert run.exit_code == 2
    assert words in run.output
    with pytest.raises(UsageError, match="choose of"):
        DegradePlan(clips, clips, ("rebuffer",))


def test_a_damaged_journal_is_named_with_its_line(clips: Path, tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text('{"name": "x"}\nnonsense\n')
    with pytest.raises(UsageError, match=rf"{JOURNAL}:2: not a line"):
        read_degraded(tmp_path)
    (tmp_path / JOURNAL).write_text(json.dumps({"name": "x"}) + "\n")
    with pytest.raises(UsageError, match="not a degraded clip"):
        make_degraded(DegradePlan(clips, tmp_path, KINDS))


def test_a_folder_whose_clips_are_links_out_of_it_is_refused_by_their_names(
    clips: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.mp4").symlink_to(clips / "a.mp4")
    with pytest.raises(UsageError, match=r"no clip in there; a\.mp4 is a link out of the folder"):
        make_degraded(DegradePlan(folder, tmp_path / "out", KINDS))


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no clip"):
        make_degraded(DegradePlan(tmp_path, tmp_path / "out", KINDS))
