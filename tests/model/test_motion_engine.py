"""Which engine runs the motion branch: named ones never fall back, `auto` takes the best."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from engines.errors import EngineUnavailable
from engines.pytorch import PyTorchEngine
from engines.registry import ENGINES
from tests.clips import tiny_model
from tests.engines.toys import exported, small_motion
from vqa2cli.config import EngineName
from vqa2cli.errors import EngineError, ModelError
from vqa2cli.model import motion_engine
from vqa2cli.model.motion import motion_graph
from vqa2cli.model.motion_engine import (
    Availability,
    availability,
    check_engines,
    load_motion_graph,
    measure_engine,
    open_engine,
)
from vqa2cli.model.weights import load_network


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    made = small_motion(32, 0.125)
    return replace(made, onnx=exported(made, tmp_path_factory.mktemp("onnx") / "motion.onnx"))


class Installed:
    """Stands in for the registry: engines that are torch under another name."""

    def __init__(self, monkeypatch, *names, wrong=()):
        self.names, self.wrong, self.closed = names, wrong, []
        monkeypatch.setattr(motion_engine, "probe_engine", self.probe)
        monkeypatch.setattr(motion_engine, "create_engine", self.create)

    def probe(self, name, **_settings):
        if name not in self.names:
            raise EngineUnavailable(name, "is not here", "Install it.")

    def create(self, name, graph, **_settings):
        self.probe(name)
        wrong, closed = name in self.wrong, self.closed

        class Named(PyTorchEngine):
            def run(self, feeds):
                return {key: value + wrong for key, value in super().run(feeds).items()}

            def close(self):
                closed.append(name)
                super().close()

        made = Named(graph, device="cpu", precision="fp32")
        made.name = name
        return made


@pytest.mark.parametrize(
    ("device", "here", "chosen"),
    [
        ("cuda:0", ("tensorrt", "onnxruntime", "openvino", "pytorch"), "tensorrt"),
        ("cuda:0", ("onnxruntime", "openvino", "pytorch"), "onnxruntime"),
        ("cuda:0", ("openvino", "pytorch"), "pytorch"),
        ("cpu", ("tensorrt", "onnxruntime", "openvino", "pytorch"), "openvino"),
        ("cpu", ("onnxruntime", "pytorch"), "pytorch"),
    ],
)
def test_auto_takes_the_first_of_its_list(graph, monkeypatch, device, here, chosen):
    Installed(monkeypatch, *here)
    assert open_engine("auto", graph, device, "fp32").name == chosen


def test_auto_exports_nothing_on_a_cpu(monkeypatch):
    Installed(monkeypatch, "openvino", "pytorch")
    assert open_engine("auto", small_motion(32, 0.25, seed=7), "cpu", "fp32").name == "pytorch"


def test_auto_does_not_trust_an_engine_that_computes_something_else(graph, monkeypatch, caplog):
    found = Installed(monkeypatch, "tensorrt", "onnxruntime", "pytorch", wrong=("tensorrt",))
    assert open_engine("auto", graph, "cuda:0", "fp32").name == "onnxruntime"
    assert found.closed == ["tensorrt"]
    assert "tensorrt differs from torch" in caplog.text


def test_auto_goes_on_past_an_engine_whose_device_fails(graph, monkeypatch, caplog):
    def fail(engine, _lengths):
        if engine.name == "tensorrt":
            raise RuntimeError("out of memory")
        return real(engine, (1,))

    real = motion_engine.compare
    monkeypatch.setattr(motion_engine, "compare", fail)
    found = Installed(monkeypatch, "tensorrt", "onnxruntime", "pytorch")
    assert open_engine("auto", graph, "cuda:0", "fp32").name == "onnxruntime"
    assert found.closed == ["tensorrt"]
    assert "tensorrt failed its trial (out of memory)" in caplog.text


def test_a_named_engine_that_is_not_here_is_an_error_with_a_remedy(graph):
    with pytest.raises(EngineError, match=r"engine tensorrt: .*--device cuda") as caught:
        open_engine("tensorrt", graph, "cpu", "fp32")
    assert caught.value.exit_code == 4


def test_the_motion_graph_loads_without_the_rest(tmp_path):
    folder = tiny_model(tmp_path)
    graph = load_motion_graph(folder)
    network = load_network(folder).network
    whole = motion_graph(network.slowfast, network.config.motion_size)
    frames = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    runs = [PyTorchEngine(one, device="cpu", precision="fp32") for one in (graph, whole)]
    got, want = (run.run({"frames": frames})["features"] for run in runs)
    np.testing.assert_array_equal(got, want)
    assert load_motion_graph(folder, 64).inputs[0].shape == (None, 64, 64, 3)
    with pytest.raises(ModelError):
        load_motion_graph(tmp_path / "nowhere")


def test_what_is_missing_is_told_for_every_engine_and_precision():
    rows = availability("cpu")
    assert {row.engine for row in rows} == set(get_args(EngineName)) - {"auto"}
    assert len(rows) == 3 * len(ENGINES)
    told = {(row.engine, row.precision): row.reason for row in rows}
    assert told["pytorch", "fp32"] is None
    assert "not on cpu" in told["tensorrt", "fp32"]


def test_available_engines_are_checked_and_those_that_break_are_told(graph, monkeypatch):
    rows = [
        Availability("pytorch", "cpu", "fp32", None),
        Availability("tensorrt", "cpu", "fp32", "not here"),
        Availability("onnxruntime", "cpu", "fp32", None),
    ]
    Installed(monkeypatch, "pytorch")
    good, broken = check_engines(graph, rows, motion_engine.EngineOptions())
    assert good.passed
    assert broken.reason == "engine onnxruntime: is not here. Install it."


def test_speed_is_measured_through_the_stream(graph):
    row = Availability("pytorch", "cpu", "fp32", None)
    found = measure_engine(graph, row, 20, motion_engine.EngineOptions())
    assert found.frames_per_s > 0
    gone = Availability("tensorrt", "cpu", "fp32", None)
    assert "not on cpu" in measure_engine(graph, gone, 20, motion_engine.EngineOptions()).reason
