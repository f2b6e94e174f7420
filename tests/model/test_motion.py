"""The motion stream: chunks equal one pass, and only with the whole receptive field."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.model.networks import PUBLISHED, build, pixels
from vqa2cli import config
from vqa2cli.model.motion import FEATURES, FRAMES, MotionStream, motion_graph
from vqa2cli.model.slowfast import FastPathway, MotionGraph, normalise


class Float64Engine:
    """Runs the unfolded pathway in float64, so that only a wrong halo makes a difference."""

    def __init__(self, pathway: FastPathway, size: int) -> None:
        self.graph = motion_graph(pathway, size)
        self.pathway = pathway.double().eval()
        self.longest = 0

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        frames = torch.from_numpy(feeds[FRAMES])
        self.longest = max(self.longest, len(frames))
        with torch.inference_mode():
            features = self.pathway(normalise(frames).double().permute(0, 3, 1, 2))
        return {FEATURES: features.numpy()}


@pytest.fixture(scope="module")
def engine() -> Float64Engine:
    torch.manual_seed(3)
    return Float64Engine(FastPathway(PUBLISHED.motion), 32)


@pytest.fixture(scope="module")
def clip() -> NDArray[np.uint8]:
    return pixels(90, 32, 32, 3).numpy()


def streamed(
    engine: Float64Engine, clip: NDArray[np.uint8], *, chunk: int, halo: int, push: int
) -> NDArray[np.float32]:
    stream = MotionStream(engine, chunk=chunk, halo=halo)
    for start in range(0, len(clip), push):
        stream.push(clip[start : start + push])
    return stream.finish()


def whole(engine: Float64Engine, clip: NDArray[np.uint8]) -> NDArray[np.float64]:
    return engine.run({FRAMES: clip})[FEATURES]


@pytest.mark.parametrize(("chunk", "push"), [(16, 1), (16, 7), (32, 90), (64, 13), (90, 90)])
def test_chunks_with_the_whole_halo_equal_one_pass(engine, clip, chunk, push):
    got = streamed(engine, clip, chunk=chunk, halo=config.MOTION_HALO, push=push)
    want = whole(engine, clip).astype(np.float32)
    np.testing.assert_array_max_ulp(got, want, 2)


def test_one_frame_less_of_halo_shows(engine, clip):
    want = whole(engine, clip)
    exact = _float64_chunks(engine, clip, halo=config.MOTION_HALO)
    short = _float64_chunks(engine, clip, halo=config.MOTION_HALO - 1)
    scale = np.abs(want).max()
    assert np.abs(exact - want).max() / scale < 1e-13
    assert np.abs(short - want).max() / scale > 1e-11


def _float64_chunks(
    engine: Float64Engine, clip: NDArray[np.uint8], *, halo: int
) -> NDArray[np.float64]:
    kept: list[NDArray[np.float64]] = []

    class Watch:
        graph = engine.graph

        def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
            result = engine.run(feeds)
            kept.append(result[FEATURES])
            return result

    stream = MotionStream(Watch(), chunk=16, halo=halo)
    stream.push(clip)
    stream.finish()
    starts = [min(halo, 16 * index) for index in range(len(kept))]
    cut = [part[start : start + 16] for part, start in zip(kept[:-1], starts, strict=False)]
    return np.concatenate([*cut, kept[-1][starts[-1] :]])


def test_memory_does_not_grow_with_the_clip(engine, clip):
    engine.longest = 0
    streamed(engine, clip, chunk=16, halo=config.MOTION_HALO, push=5)
    assert engine.longest <= 16 + 3 * config.MOTION_HALO


@pytest.mark.parametrize("frames", [0, 1, 3, 18, 19])
def test_short_clips_have_a_feature_for_every_frame(engine, clip, frames):
    got = streamed(engine, clip[:frames], chunk=16, halo=config.MOTION_HALO, push=4)
    assert got.shape == (frames, PUBLISHED.motion.width)
    assert got.dtype == np.float32
    if frames:
        np.testing.assert_allclose(got, whole(engine, clip[:frames]), rtol=1e-6)


def test_frames_of_another_size_are_refused(engine, clip):
    with pytest.raises(ValueError, match=r"not uint8 \[t, 32, 32, 3\]"):
        MotionStream(engine).push(clip[:, :16])


def test_the_engine_graph_computes_what_the_pathway_computes():
    network = build()
    frames = pixels(9, 32, 32, 3)
    with torch.inference_mode():
        want = network.motion_features(frames)
        got = MotionGraph(network.slowfast)(frames)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_frozen_norms_stay_frozen_while_training_and_thaw_on_request():
    network = build()
    frames = pixels(2, 6, 32, 32, 3)
    calm = network.motion_features(frames)
    network.train()
    torch.testing.assert_close(network.motion_features(frames), calm)
    network.slowfast.freeze_norms(False)
    assert not torch.allclose(network.motion_features(frames), calm, atol=1e-3)


def test_a_batch_of_clips_equals_the_clips_alone():
    network = build()
    frames = pixels(2, 6, 32, 32, 3)
    with torch.inference_mode():
        together = network.motion_features(frames)
        alone = torch.stack([network.motion_features(clip) for clip in frames])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)
