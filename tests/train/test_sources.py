"""Sources and the closer looks at them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from train.rendering import render_source
from train.renditions import LOWEST_SCALE, draw_lowest, severity
from train.sources import (
    NATIVE_SIDE,
    SHORT_SIDE,
    Source,
    clip_sources,
    further_views,
    native_sources,
    photograph_sources,
)
from vqa2cli.errors import UsageError
from vqa2cli.video.synthesis import moving_scene, write_clip


def clip_of(path: Path, size: tuple[int, int], split: str = "train") -> Source:
    return Source("a@0", "a", split, "clip", path, 0.0, 24, size[0] // 2, size[1] // 2, size)


def first_picture(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return next(file.decode(video=0)).to_ndarray(format="gray")


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """A lossless clip of 960x720 whose luma grows from left to right and from top to bottom."""
    path = tmp_path / "ramp.mkv"
    x, y = np.meshgrid(np.arange(960) / 959, np.arange(720) / 719)
    grey = (16 + 110 * x + 100 * y).astype(np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 960, 720, "yuv420p"
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(np.stack([grey] * 3, -1), format="rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def test_a_closer_look_at_a_clip_shows_the_part_it_names(ramp: Path, tmp_path: Path) -> None:
    whole = clip_of(ramp, (960, 720))
    views = list(further_views([whole], 3, seed=0))
    assert [view.name for view in views] == ["a@0v1", "a@0v2", "a@0v3"]
    everything = first_picture(ramp).astype(float)
    for view in views:
        seen = first_picture(render_source(view, tmp_path)).astype(float)
        assert seen.shape == (view.height, view.width)
        assert min(seen.shape) >= SHORT_SIDE[0]
        left, top, side = view.part
        part = everything[
            math.ceil(top * 720) : int((top + side) * 720),
            math.ceil(left * 960) : int((left + side) * 960),
        ]
        assert abs(seen.mean() - part.mean()) < 2
        assert abs(seen.min() - part.min()) < 4
        assert abs(seen.max() - part.max()) < 4


def test_closer_looks_keep_their_content_and_are_drawn_by_the_seed(ramp: Path) -> None:
    whole = clip_of(ramp, (960, 720))
    views = list(further_views([whole], 2, seed=0))
    assert {view.content for view in views} == {"a"}
    assert {view.split for view in views} == {"train"}
    assert views == list(further_views([whole], 2, seed=0))
    assert views != list(further_views([whole], 2, seed=1))
    assert views[0].part != views[1].part


@pytest.mark.parametrize("split", ["val", "test"])
def test_nothing_that_is_held_out_is_looked_at_closer(ramp: Path, split: str) -> None:
    assert not list(further_views([clip_of(ramp, (960, 720), split)], 3, seed=0))


def test_a_clip_too_small_to_be_shrunk_has_no_parts(ramp: Path) -> None:
    assert not list(further_views([clip_of(ramp, (384, 288))], 3, seed=0))


def test_closer_looks_at_a_photograph_show_other_places(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    photo = tmp_path / "photo.jpg"
    Image.fromarray(rng.integers(0, 256, (1000, 1600, 3), np.uint8)).save(photo)
    whole = Source("p@0", "p", "train", "still", photo, 0.0, 24, 640, 360)
    pictures = []
    for source in (whole, *further_views([whole], 2, seed=0)):
        picture = first_picture(render_source(source, tmp_path))
        assert picture.shape == (source.height, source.width)
        assert picture.std() > 5
        assert (picture == 0).mean() < 0.01
        pictures.append(picture)
    assert not any(
        one.shape == other.shape and np.array_equal(one, other)
        for index, one in enumerate(pictures)
        for other in pictures[:index]
    )


def test_photographs_are_for_training_and_shown_from_edge_to_edge(tmp_path: Path) -> None:
    for name, size in (
        ("a", (840, 470)),
        ("b", (1440, 720)),
        ("c", (1440, 720)),
        ("d", (1700, 940)),
    ):
        Image.new("RGB", size, "white").save(tmp_path / f"{name}.jpg")
    sources = list(photograph_sources(tmp_path, "train"))
    assert [source.split for source in sources] == ["train"] * 4
    assert [source.width for source in sources] == [640, 960, 854, 854]
    assert not list(further_views(sources, 3, seed=0))
    for source in sources:
        with av.open(str(render_source(source, tmp_path))) as file:
            for frame in file.decode(video=0):
                assert frame.to_ndarray(format="gray").min() > 200


def test_a_photograph_too_small_is_refused_by_name(tmp_path: Path) -> None:
    Image.new("RGB", (800, 600)).save(tmp_path / "small.jpg")
    with pytest.raises(UsageError, match=r"small\.jpg: too small a photograph \(800x600\)"):
        list(photograph_sources(tmp_path, "train"))


def test_lowest_rungs_are_small_and_never_ruined_by_their_crf(ramp: Path) -> None:
    whole = clip_of(ramp, (960, 720))
    drawn = draw_lowest(whole, 40, seed=0)
    assert {rendition.scale for rendition in drawn} == {LOWEST_SCALE}
    assert {rendition.codec for rendition in drawn} == {"h264", "hevc", "vp9", "av1"}
    assert max(severity(rendition) for rendition in drawn) <= 0.72
    assert drawn == draw_lowest(whole, 40, seed=0)


def test_a_clip_that_was_compressed_little_is_a_source_at_its_own_size(tmp_path: Path) -> None:
    for name, crf, size in (("clean", "16", (960, 640)), ("bad", "40", (960, 640))):
        write_clip(
            tmp_path / f"{name}.mp4", moving_scene(0.5, 24, size, seed=1), 24, options={"crf": crf}
        )
    whole = [
        replace(
            clip_of(tmp_path / f"{name}.mp4", (960, 640), "val"), name=f"{name}@0", content=name
        )
        for name in ("clean", "bad")
    ]
    (native,) = native_sources(whole)
    assert (native.name, native.content, native.split) == ("clean@native", "clean", "val")
    assert (native.width, native.height) == (720, NATIVE_SIDE)
    seen = first_picture(render_source(native, tmp_path))
    original = first_picture(tmp_path / "clean.mp4")
    assert np.abs(seen.astype(int) - original[80:560, 120:840].astype(int)).max() <= 1


def test_a_clip_that_is_never_shrunk_is_one_source(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "s.mp4", moving_scene(0.5, 24, (288, 216), seed=1), 24, options={"crf": "16"}
    )
    small = replace(clip_of(path, (288, 216)), width=288, height=216)
    assert not list(native_sources([small]))


def test_a_clip_that_is_not_shrunk_is_no_source_where_it_was_compressed_much(
    tmp_path: Path,
) -> None:
    rows = ["file,width,height,fps,duration_s,split"]
    for name, crf, size in (
        ("clean", "14", (176, 144)),
        ("ruined", "48", (176, 144)),
        ("shrunk", "48", (640, 480)),
    ):
        file = f"{name}.mp4"
        write_clip(tmp_path / file, moving_scene(0.5, 24, size, seed=1), 24, options={"crf": crf})
        rows.append(f"{file},{size[0]},{size[1]},24,0.5,test")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    assert [source.content for source in clip_sources(tmp_path)] == ["clean", "shrunk"]


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_a_clip_that_its_stream_tells_to_be_hdr_is_no_source(tmp_path: Path, transfer: str) -> None:
    rows = ["file,width,height,fps,duration_s,split"]
    for name, told in (("plain", "bt709"), ("other", transfer)):
        options = {"crf": "14", "x264-params": f"transfer={told}"}
        scene = moving_scene(0.5, 24, (640, 480), seed=1)
        write_clip(tmp_path / f"{name}.mp4", scene, 24, options=options)
        rows.append(f"{name}.mp4,640,480,24,0.5,train")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    assert [source.content for source in clip_sources(tmp_path)] == ["plain"]


def test_a_recording_or_a_photograph_is_not_taken_at_its_own_size(ramp: Path) -> None:
    assert not list(native_sources([clip_of(ramp, (960, 720))]))  # of no known quantizer
