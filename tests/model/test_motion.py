"""The motion stream: chunks equal one pass, and only with the whole receptive field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engines.contract import Engine
from engines.pytorch import PyTorchEngine
from engines.registry import create_engine
from tests.engines.toys import available_here
from tests.model.networks import PUBLISHED, build, pixels
from vqa2cli import config
from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.motion import (
    FEATURES,
    FRAMES,
    MotionStream,
    chunk_length,
    fixed_steps,
    motion_graph,
)
from vqa2cli.model.motion_steps import FixedStep, MotionSteps, kept_shapes
from vqa2cli.model.slowfast import FastPathway, MotionGraph, normalise


class Float64Engine(Engine):
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

    def close(self) -> None:
        """Hold nothing."""


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

    class Watch(Float64Engine):
        def __init__(self) -> None:
            self.graph = engine.graph

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


@pytest.mark.parametrize(("side", "frames"), [(384, 128), (448, 94), (192, 512), (1024, 32)])
def test_smaller_frames_come_in_longer_chunks(engine, side, frames):
    assert chunk_length(motion_graph(engine.pathway, side)) == frames


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


SPLITS = {
    "one by one": [1] * 90,
    "all at once": [90],
    "around the reach of a layer": [1, 2, 3, 4, 5, 2, 1, 1, 71],
    "around the reach of the network": [18, 1, 17, 19, 35],
    "an end without frames": [40, 50, 0],
    **{f"at random, {seed}": list(np.random.default_rng(seed).multinomial(90, [0.1] * 10))
       for seed in range(3)},
}  # fmt: skip


@pytest.fixture(scope="module", params=[False, True], ids=["plain stem", "packed stem"])
def exact(request, engine, clip):
    """Return a graph and frames in float64, and the features of the whole clip at once."""
    graph = MotionGraph(engine.pathway, packed=request.param).double()
    frames = graph.prepare(torch.from_numpy(clip)).transpose(0, 1).unsqueeze(0)
    plain = MotionGraph(engine.pathway, packed=False).double()
    with torch.inference_mode():
        return graph, frames, plain.pathway(plain.prepare(torch.from_numpy(clip)))


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
def test_steps_of_any_length_equal_one_pass_in_float64(exact, split):
    graph, frames, want = exact
    steps = MotionSteps(graph)
    pieces = frames.split([int(length) for length in split], dim=2)
    with torch.inference_mode():
        got = [steps.advance(one, last=index == len(pieces) - 1)
               for index, one in enumerate(pieces)]  # fmt: skip
    features = torch.cat([one for one in got if one is not None])
    assert features.dtype == torch.float64
    assert float((features - want).abs().max() / want.abs().max()) < 1e-13


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 19])
def test_a_clip_shorter_than_the_delay_has_a_feature_for_every_frame(engine, clip, frames):
    graph = MotionGraph(engine.pathway)
    with torch.inference_mode():
        got = MotionSteps(graph)(torch.from_numpy(clip[:frames]), last=True)
        want = graph(torch.from_numpy(clip[:frames]))
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-4)


def test_steps_keep_a_few_frames_and_not_the_clip(engine, clip):
    steps = MotionSteps(MotionGraph(engine.pathway))
    sizes = []
    with torch.inference_mode():
        for start in range(0, 80, 8):
            steps(torch.from_numpy(clip[start : start + 8]), last=False)
            kept = [one._kept for one in steps._layers if one._kept is not None]
            sizes.append(sum(one.untyped_storage().nbytes() for one in kept))
    assert len(set(sizes[5:])) == 1


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("push", [1, 7, 90])
def test_torch_on_a_cpu_goes_by_steps_and_gives_the_numbers_of_one_run(clip, precision, push):
    torch.manual_seed(4)
    graph = motion_graph(FastPathway(PUBLISHED.motion).eval(), 32)
    with PyTorchEngine(graph, device="cpu", precision=precision) as made:
        assert made.open_pass() is not None
        stream = MotionStream(made)
        for start in range(0, len(clip), push):
            stream.push(clip[start : start + push])
        got, want = stream.finish(), made.run({FRAMES: clip})[FEATURES]
    limit = {"fp32": 1e-5, "bf16": 2e-2}[precision]
    assert got.shape == want.shape
    assert np.abs(got - want).max() / np.abs(want).max() < limit


@pytest.mark.parametrize("length", [19, 24, 40])
def test_steps_of_fixed_length_chain_into_the_features_of_the_whole_clip(engine, clip, length):
    first, following = (
        FixedStep(engine.pathway, packed=True, first=first).double() for first in (True, False)
    )
    want = MotionGraph(engine.pathway, packed=False).double().pathway
    frames = torch.from_numpy(clip[: 4 * length])
    with torch.inference_mode():
        features, *kept = first(frames[:length])
        assert [tuple(one.shape) for one in kept] == kept_shapes(PUBLISHED.motion, 32)
        found = [features]
        for start in range(length, len(frames) - length + 1, length):
            features, *kept = following(frames[start : start + length], *kept)
            found.append(features)
        got = torch.cat(found)
        exact = want(normalise(frames).double().permute(0, 3, 1, 2))[: len(got)]
    assert len(got) == len(frames) // length * length - config.MOTION_HALO
    assert float((got - exact).abs().max() / exact.abs().max()) < 1e-6  # features are float32


@pytest.fixture(scope="module")
def openvino() -> Iterator[Engine]:
    """The branch in steps of 20 frames."""
    if "openvino" not in available_here():
        pytest.skip("needs OpenVINO")
    torch.manual_seed(4)
    pathway = FastPathway(PUBLISHED.motion).eval()
    graph = replace(motion_graph(pathway, 32), fixed_steps=fixed_steps(pathway, 32, 20))
    with create_engine("openvino", graph, device="cpu", precision="fp32") as made:
        yield made


@pytest.mark.parametrize("push", [1, 7, 90])
def test_openvino_goes_by_steps_and_gives_the_numbers_of_one_run(openvino, clip, push, monkeypatch):
    lengths = []
    run = openvino.run
    monkeypatch.setattr(
        openvino, "run", lambda feeds: lengths.append(len(feeds[FRAMES])) or run(feeds)
    )
    for frames in (90, 61, 60, 5):
        stream = MotionStream(openvino)
        for start in range(0, frames, push):
            stream.push(clip[start : min(start + push, frames)])
        got, want = stream.finish(), run({FRAMES: clip[:frames]})[FEATURES]
        assert got.shape == want.shape
        assert np.abs(got - want).max() / np.abs(want).max() < 1e-5
    assert lengths == [10 + 36, 1 + 36, 60, 5]  # the end and its context, or a short clip


def test_two_clips_at_a_time_go_through_openvino_unmixed(openvino, clip):
    streams = [MotionStream(openvino) for _ in range(2)]
    for start in range(0, 90, 10):
        streams[0].push(clip[start : start + 10])
        streams[1].push(255 - clip[start : start + 10])
    first, second = (stream.finish() for stream in streams)
    want = openvino.run({FRAMES: clip})[FEATURES]
    assert np.abs(first - want).max() / np.abs(want).max() < 1e-5
    assert np.abs(second - want).max() / np.abs(want).max() > 1e-3


def test_two_windows_at_a_time_do_not_mix(clip):
    graph = motion_graph(FastPathway(PUBLISHED.motion).eval(), 32)
    with PyTorchEngine(graph, device="cpu", precision="fp32") as made:
        streams = [MotionStream(made, step=8) for _ in range(2)]
        for start in range(0, 40, 10):
            streams[0].push(clip[start : start + 10])
            streams[1].push(255 - clip[start : start + 10])
        first, second = (stream.finish() for stream in streams)
        alone = MotionStream(made, step=8)
        alone.push(clip[:40])
    np.testing.assert_array_equal(first, alone.finish())
    assert np.abs(first - second).max() > 0


def test_a_closed_engine_opens_no_pass():
    made = PyTorchEngine(motion_graph(FastPathway(PUBLISHED.motion), 32), device="cpu",
                         precision="fp32")  # fmt: skip
    made.close()
    with pytest.raises(ValueError, match="closed"):
        made.open_pass()


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


@pytest.mark.parametrize("frames", [1, 2])
def test_clips_shorter_than_a_kernel_are_learned_from_in_bfloat16(frames):
    torch.manual_seed(0)
    pathway = FastPathway(MotionDims())
    pathway.freeze_norms(False)
    shown = normalise(pixels(2, frames, 96, 96, 3)).movedim(-1, -3)
    for _ in range(5):  # what a kernel reads beyond its frames is a matter of chance
        with torch.autocast("cpu", torch.bfloat16):
            features = pathway(shown)
        assert features.isfinite().all()
        features.float().square().mean().backward()
    learned = [weight.grad for weight in pathway.parameters() if weight.grad is not None]
    assert learned
    assert all(gradient.isfinite().all() for gradient in learned)
