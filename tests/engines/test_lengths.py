"""The motion graph in every engine and precision that this machine has, at odd lengths."""

from __future__ import annotations

import numpy as np
import pytest

from engines.export import examples, run_float32
from engines.parity import Parity, compare, measure
from engines.precision import MOST, TOLERANCE, allowed, difference, sound_precision
from engines.registry import create_engine
from tests.engines.toys import available_here, small_motion
from vqa2cli.model.motion import MotionStream
from vqa2cli.model.motion_engine import load_motion_graph

PAIRS = [(name, kind) for kind in ("fp32", "bf16", "fp16") for name in available_here(kind)]


@pytest.fixture(scope="module")
def graph():
    return small_motion(32, 0.125)


@pytest.mark.parametrize(("name", "precision"), PAIRS)
def test_it_agrees_with_float32_torch_whatever_the_length(graph, name, precision):
    with create_engine(name, graph, device="cpu", precision=precision) as engine:
        found = compare(engine, (1, 2, 3, 5, 64))
    assert found.passed, found


@pytest.mark.parametrize("name", available_here())
def test_a_whole_window_at_once_agrees_too(graph, name):
    tiny = small_motion(8, 0.125)
    feeds = examples(tiny, 2001)
    with create_engine(name, tiny, device="cpu", precision="fp32") as engine:
        got = engine.run(feeds)["features"]
    assert got.shape == (2001, 32)
    assert difference(got, run_float32(tiny, feeds)["features"]) <= TOLERANCE["fp32"]


@pytest.mark.parametrize("frames", [1, 3, 5, 2001])
@pytest.mark.parametrize("name", available_here())
def test_a_stream_of_any_length_agrees_too(name, frames):
    tiny = small_motion(8, 0.125)
    clip = examples(tiny, frames)["frames"]
    with create_engine(name, tiny, device="cpu", precision="fp32") as engine:
        stream = MotionStream(engine)
        stream.push(clip)
        got = stream.finish()
    assert difference(got, run_float32(tiny, {"frames": clip})["features"]) <= TOLERANCE["fp32"]


@pytest.mark.parametrize("name", available_here())
def test_the_same_frames_give_the_same_numbers(graph, name):
    feeds = examples(graph, 9)
    with create_engine(name, graph, device="cpu", precision="fp32") as engine:
        np.testing.assert_array_equal(engine.run(feeds)["features"], engine.run(feeds)["features"])


def test_a_single_frame_is_not_computed_in_bfloat16_on_a_cpu():
    assert sound_precision("bf16", "cpu", 1) == "fp32"
    assert sound_precision("bf16", "cpu", 2) == "bf16"
    assert sound_precision("bf16", "cuda:0", 1) == "bf16"


def test_a_number_that_is_none_fails_parity(graph):
    class Broken:
        name, device, precision = "broken", "cpu", "fp32"

        def run(self, feeds):
            return {"features": np.full((len(feeds["frames"]), 32), np.nan, np.float32)}

    broken = Broken()
    broken.graph = graph
    found = compare(broken, (1, 2))
    assert not found.passed
    assert not Parity("x", "cpu", "fp32", 2e-4, 1e-4).passed
    assert difference(np.zeros(0), np.zeros(0)) == 0.0
    with pytest.raises(ValueError, match="differ"):
        difference(np.zeros(2), np.zeros(3))


BREAKS = {
    "frames one late": lambda frames: np.roll(frames, 1, axis=0),
    "channels swapped": lambda frames: frames[..., ::-1],
    "sides turned": lambda frames: frames.swapaxes(1, 2),
}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_trained_network_is_held_to_what_torch_does_and_a_broken_engine_still_shows(precision):
    trained = load_motion_graph("mini")
    with create_engine("pytorch", trained, device="cpu", precision=precision) as engine:
        found = compare(engine, (1, 5))
        assert found.passed
        assert found.limit <= MOST
        for name, spoil in BREAKS.items():
            assert not compare(Spoilt(engine, spoil), (5,)).passed, name


class Spoilt:
    """An engine that gets its frames wrong."""

    def __init__(self, engine, spoil):
        self.engine, self.spoil = engine, spoil
        self.name, self.device, self.precision = "spoilt", engine.device, engine.precision
        self.graph = engine.graph

    def run(self, feeds):
        return self.engine.run({"frames": self.spoil(feeds["frames"])})


def test_one_length_is_not_forgiven_for_what_rounding_does_at_another(graph, monkeypatch):
    limits = {3: TOLERANCE["bf16"], 5: 0.2}
    monkeypatch.setattr("engines.parity.tolerance", lambda *given: limits[len(given[2]["frames"])])
    monkeypatch.setattr("engines.parity.difference", lambda got, want: 0.15)
    with create_engine("pytorch", graph, device="cpu", precision="bf16") as engine:
        assert compare(engine, (5,)).passed
        found = compare(engine, (3, 5))
    assert not found.passed
    assert found.limit == TOLERANCE["bf16"]


def test_only_rounding_widens_the_tolerance():
    assert allowed("fp32", 1.0) == TOLERANCE["fp32"]
    assert allowed("bf16", 0.0) == TOLERANCE["bf16"]
    assert allowed("bf16", 0.1) == pytest.approx(0.15)
    assert allowed("bf16", 9.0) == MOST
    assert allowed("fp16", float("nan")) == TOLERANCE["fp16"]


def test_speed_is_of_the_best_run_after_a_warm_one(graph):
    runs = []

    def work(engine):
        runs.append(len(engine.run(examples(graph, 2))["features"]))
        return 2

    found = measure(
        lambda: create_engine("pytorch", graph, device="cpu", precision="fp32"), work, repeats=2
    )
    assert runs == [2, 2, 2]
    assert found.frames_per_s == pytest.approx(1000.0 / found.frame_ms)
