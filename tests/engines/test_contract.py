"""One contract, every engine: the same numbers, the same refusals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.contract import Engine, EngineOptions, TensorSpec
from engines.errors import EngineUnavailable
from engines.registry import ENGINES, create_engine
from tests.engines.toys import GRAPH, Toy, available_here, exported, feeds

RUNS_HERE = available_here()


@pytest.fixture(scope="module", params=RUNS_HERE)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with create_engine(request.param, GRAPH, device="cpu", precision="fp32") as made:
        yield made


@pytest.mark.parametrize("length", [1, 5, 40])
def test_it_computes_what_the_module_computes(engine, length):
    given = feeds(length)
    with torch.inference_mode():
        want = Toy().eval()(*(torch.from_numpy(given[spec.name]) for spec in GRAPH.inputs))
    got = engine.run(given)
    assert list(got) == ["features", "total"]
    for name, reference in zip(got, want, strict=True):
        assert got[name].dtype == np.float32
        np.testing.assert_allclose(got[name], reference.numpy(), rtol=1e-4, atol=1e-5)


def test_feeds_are_taken_by_name_and_not_by_order(engine):
    given = feeds()
    turned = dict(reversed(given.items()))
    np.testing.assert_array_equal(engine.run(turned)["total"], engine.run(given)["total"])


def test_results_belong_to_the_caller(engine):
    given = feeds()
    first = engine.run(given)["features"]
    kept = first.copy()
    engine.run({**given, "frames": 255 - given["frames"]})
    np.testing.assert_array_equal(first, kept)
    first[:] = 0.0
    np.testing.assert_array_equal(engine.run(given)["features"], kept)


def test_strided_arrays_are_fine(engine):
    given = feeds(10)
    every_other = {**given, "frames": given["frames"][::2]}
    copied = {**given, "frames": given["frames"][::2].copy()}
    np.testing.assert_array_equal(engine.run(every_other)["total"], engine.run(copied)["total"])


def test_read_only_arrays_are_fine(engine):
    given = feeds()
    for array in given.values():
        array.flags.writeable = False
    assert engine.run(given)["total"].shape == (5,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": None}, "needs frames"),
        ({"extra": np.zeros(1)}, "not extra"),
        ({"frames": np.zeros((5, 8, 8, 3), np.float32)}, "frames is float32, not uint8"),
        ({"frames": np.zeros((5, 8, 9, 3), np.uint8)}, r"\(5, 8, 9, 3\), not \(None, 8, 8, 3\)"),
        ({"gain": np.zeros((1, 4), np.float32)}, r"gain has shape \(1, 4\)"),
    ],
)
def test_a_wrong_feed_is_named(engine, change, message):
    given = {**feeds(), **change}
    with pytest.raises(ValueError, match=message):
        engine.run({name: array for name, array in given.items() if array is not None})


def test_it_says_what_it_is(engine):
    assert (engine.name in RUNS_HERE, engine.device, engine.precision) == (True, "cpu", "fp32")
    assert engine.graph is GRAPH


@pytest.mark.parametrize("name", RUNS_HERE)
def test_a_closed_engine_refuses_and_closes_twice(name):
    made = create_engine(name, GRAPH, device="cpu", precision="fp32")
    made.close()
    made.close()
    with pytest.raises(ValueError, match="closed"):
        made.run(feeds())


@pytest.mark.parametrize("name", RUNS_HERE)
def test_opening_is_silent(name, capfd):
    create_engine(name, GRAPH, device="cpu", precision="fp32").close()
    assert capfd.readouterr() == ("", "")


def test_an_unknown_engine_lists_the_known_ones():
    with pytest.raises(
        EngineUnavailable, match="pytorch, onnxruntime, onnxruntime-tensorrt, openvino, tensorrt"
    ):
        create_engine("nope", GRAPH, device="cpu", precision="fp32")


def test_a_named_engine_does_not_fall_back():
    with pytest.raises(EngineUnavailable, match="--engine pytorch"):
        create_engine("tensorrt", GRAPH, device="cpu", precision="fp32")
    with pytest.raises(EngineUnavailable, match="runs on cpu in fp32 only"):
        create_engine("onnxruntime", GRAPH, device="cpu", precision="fp16")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
@pytest.mark.parametrize("name", ["pytorch", "onnxruntime"])
def test_a_device_that_is_not_there_is_refused_without_a_word(name, capfd):
    with pytest.raises(EngineUnavailable, match="no device cuda"):
        create_engine(name, GRAPH, device="cuda", precision="fp16")
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "engines.trt", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'vqa2\[tensorrt\]'"):
        create_engine("tensorrt", GRAPH, device="cpu", precision="fp32")


@pytest.mark.parametrize("name", [name for name in RUNS_HERE if name != "pytorch"])
def test_a_damaged_onnx_file_is_one_line(name, tmp_path):
    broken = tmp_path / "motion.onnx"
    broken.write_bytes(b"not a graph")
    graph = replace(GRAPH, onnx=broken)
    with pytest.raises(EngineUnavailable, match=r"cannot read motion\.onnx") as caught:
        create_engine(name, graph, device="cpu", precision="fp32")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in RUNS_HERE if name != "pytorch"])
def test_a_cache_that_takes_no_files_costs_a_warning(name, tmp_path, caplog, monkeypatch):
    path = exported(GRAPH, tmp_path / "toy.onnx")
    monkeypatch.setattr("engines.export.export_graph", lambda *_: path)
    (tmp_path / "file").write_bytes(b"")
    options = EngineOptions(cache_dir=tmp_path / "file")
    with create_engine(name, GRAPH, device="cpu", precision="fp32", options=options) as made:
        assert made.run(feeds(3))["total"].shape == (3,)
    assert "cannot keep" in caplog.text


@pytest.mark.parametrize("name", [name for name in RUNS_HERE if name != "pytorch"])
def test_an_onnx_file_of_another_graph_is_refused(name, tmp_path):
    path = exported(GRAPH, tmp_path / "toy.onnx")
    other = replace(GRAPH, inputs=(GRAPH.inputs[0], TensorSpec("gain", "float32", (5,))), onnx=path)
    with pytest.raises(EngineUnavailable, match=r"is not toy: .*gain float32 \(4,\), not"):
        create_engine(name, other, device="cpu", precision="fp32")
    renamed = replace(GRAPH, outputs=(GRAPH.outputs[0],), onnx=path)
    with pytest.raises(EngineUnavailable, match="is not toy"):
        create_engine(name, renamed, device="cpu", precision="fp32")


@pytest.mark.parametrize("name", [name for name in RUNS_HERE if name != "pytorch"])
def test_a_ready_onnx_file_is_used_without_building_the_module(name, tmp_path):
    path = exported(GRAPH, tmp_path / "toy.onnx")

    def unbuildable() -> torch.nn.Module:
        raise AssertionError("the module was built")

    graph = replace(GRAPH, module=unbuildable, onnx=path)
    with create_engine(name, graph, device="cpu", precision="fp32") as made:
        assert made.run(feeds(3))["total"].shape == (3,)


def test_every_registered_engine_names_its_class():
    for entry in ENGINES.values():
        assert entry.module.startswith("engines.")
        assert entry.summary
