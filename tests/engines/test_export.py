"""What is written as ONNX is what torch computes, or nothing is written."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from engines.cache import ArtifactCache, default_cache_dir, graph_hash
from engines.contract import PROFILE_SHAPES, Graph, Lengths, TensorSpec, profile_shape
from engines.errors import EngineUnavailable
from engines.export import export_graph, float32_twin, has_onnx, onnx_bytes, run_float32
from engines.precision import TOLERANCE, difference
from engines.registry import create_engine
from tests.engines.toys import GRAPH, Toy, available_here, exported, small_motion
from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.motion import motion_graph
from vqa2cli.model.slowfast import FastPathway

KINDS = {"fp32": onnx.TensorProto.FLOAT, "fp16": onnx.TensorProto.FLOAT16}
KINDS["bf16"] = onnx.TensorProto.BFLOAT16


@pytest.mark.parametrize("precision", KINDS)
def test_the_motion_graph_is_written_in_every_precision(tmp_path, precision):
    graph = small_motion(32, 0.125)
    model = onnx.load(exported(graph, tmp_path / "motion.onnx", precision))
    weights = {one.data_type for one in model.graph.initializer if len(one.dims) == 5}
    assert weights == {KINDS[precision]}
    names = {node.op_type for node in model.graph.node}
    assert "BatchNormalization" not in names
    (frames,), (features,) = model.graph.input, model.graph.output
    shape = frames.type.tensor_type.shape.dim
    assert frames.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert features.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert shape[0].dim_param
    assert [side.dim_value for side in shape[1:]] == [32, 32, 3]


def test_an_export_that_differs_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setitem(TOLERANCE, "fp32", -1.0)
    with pytest.raises(EngineUnavailable, match="differs from torch"):
        export_graph(GRAPH, tmp_path / "toy.onnx")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_overflow_half_precision_are_not_exported_in_it(tmp_path):
    def loud() -> torch.nn.Module:
        toy = Toy()
        torch.nn.init.constant_(toy.conv.weight, 6e4)
        return toy

    with pytest.raises(EngineUnavailable, match="differs from torch"):
        export_graph(replace(GRAPH, module=loud), tmp_path / "toy.onnx", "fp16")


def test_the_twin_of_a_bfloat16_file_has_none_left(tmp_path):
    model = onnx.load(exported(GRAPH, tmp_path / "toy.onnx", "bf16"))
    twin = float32_twin(model)
    assert str(onnx.TensorProto.BFLOAT16) not in {
        str(one.data_type) for one in twin.graph.initializer
    }
    assert "data_type: 16" in str(model)
    assert "data_type: 16" not in str(twin)


def test_a_missing_exporter_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'vqa2\[export\]'"):
        export_graph(GRAPH, tmp_path / "toy.onnx")


def test_an_export_is_made_once(tmp_path, monkeypatch):
    cache = ArtifactCache(tmp_path)
    assert not has_onnx(GRAPH, "fp16", cache)
    first = onnx_bytes(GRAPH, "fp16", cache)
    assert has_onnx(GRAPH, "fp16", cache)
    monkeypatch.setattr("engines.export.export_graph", lambda *_: pytest.fail("exported again"))
    assert onnx_bytes(GRAPH, "fp16", cache) == first


def test_a_ready_file_serves_float32_alone(tmp_path):
    ready = tmp_path / "toy.onnx"
    ready.write_bytes(b"ready")
    graph = replace(GRAPH, onnx=ready)
    cache = ArtifactCache(tmp_path / "cache")
    assert onnx_bytes(graph, "fp32", cache) == b"ready"
    assert onnx_bytes(graph, "fp16", cache) != b"ready"
    gone = replace(GRAPH, onnx=tmp_path / "gone.onnx")
    with pytest.raises(EngineUnavailable, match=r"cannot read gone\.onnx"):
        onnx_bytes(gone, "fp32", cache)


def test_the_hash_moves_with_weights_code_and_shapes(tmp_path):
    def wider() -> torch.nn.Module:
        toy = Toy()
        with torch.no_grad():
            toy.conv.bias[0] += 1e-3
        return toy

    class Other(Toy):
        pass

    base = graph_hash(GRAPH, "fp32")
    assert graph_hash(GRAPH, "fp32") == base
    ready = tmp_path / "toy.onnx"
    ready.write_bytes(b"ready")
    changed = [
        replace(GRAPH, module=wider),
        replace(GRAPH, module=Other),
        replace(GRAPH, name="other"),
        replace(GRAPH, inputs=GRAPH.inputs[::-1]),
        replace(GRAPH, onnx=ready),
    ]
    assert len({base, *(graph_hash(graph, "fp32") for graph in changed)}) == 6


def test_halves_and_bfloat16_weights_can_be_hashed():
    graph = Graph("toy", GRAPH.inputs, GRAPH.outputs, lambda: Toy().bfloat16())
    assert graph_hash(graph, "fp32") != graph_hash(GRAPH, "fp32")


def test_the_cache_gives_back_only_what_was_saved_under_the_whole_key(tmp_path, caplog):
    cache = ArtifactCache(tmp_path / "new" / "folder")
    path = cache.save("thing", {"a": 1}, b"body\nmore")
    assert cache.load("thing", {"a": 1}) == b"body\nmore"
    assert cache.load("thing", {"a": 2}) is None
    assert caplog.records == []
    path.write_bytes(path.read_bytes() + b"!")
    assert cache.load("thing", {"a": 1}) is None
    assert "is made again" in caplog.text
    cache.discard("thing", {"a": 1})
    assert not path.exists()


def test_a_folder_that_is_a_file_costs_warnings(tmp_path, caplog):
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    cache = ArtifactCache(blocked)
    assert cache.save("thing", {}, b"body") is None
    assert cache.load("thing", {}) is None
    cache.discard("thing", {})
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_the_folder_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("VQA2_ENGINE_CACHE", str(tmp_path))
    assert default_cache_dir() == tmp_path
    monkeypatch.delenv("VQA2_ENGINE_CACHE")
    assert default_cache_dir().name == "engines"


def test_importing_engines_imports_no_runtime():
    code = (
        "import sys, engines, engines.contract, engines.registry, engines.cache, engines.trt; "
        "sys.exit(str({'tensorrt', 'tensorrt_rtx', 'onnxruntime', 'openvino', 'onnx'} "
        "& sys.modules.keys() or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_height_and_width_can_be_free_too(tmp_path):
    torch.manual_seed(5)
    pathway = FastPathway(MotionDims(positions=8).scaled(0.125)).eval()
    graph = motion_graph(pathway, Lengths(32, 48, 96))
    ready = replace(graph, onnx=export_graph(graph, tmp_path / "motion.onnx"))
    for height, width in ((32, 32), (33, 70), (96, 45)):
        frames = np.random.default_rng(0).integers(0, 256, (5, height, width, 3), np.uint8)
        want = run_float32(graph, {"frames": frames})["features"]
        for name in available_here():
            with create_engine(name, ready, device="cpu", precision="fp32") as engine:
                got = engine.run({"frames": frames})["features"]
            assert difference(got, want) <= TOLERANCE["fp32"]
    with (
        create_engine("pytorch", graph, device="cpu", precision="fp32") as engine,
        pytest.raises(ValueError, match="frames has shape"),
    ):
        engine.run({"frames": np.zeros((5, 32, 97, 3), np.uint8)})


def test_profiles_span_every_side_that_is_free():
    spec = TensorSpec("frames", "uint8", (None, Lengths(32, 384, 512), 64, 3))
    lengths = Lengths(1, 8, 16)
    assert [profile_shape(spec, lengths, which) for which in PROFILE_SHAPES] == [
        (1, 32, 64, 3), (8, 384, 64, 3), (16, 512, 64, 3),
    ]  # fmt: skip


def test_openvino_tells_nobody_that_it_is_used(tmp_path):
    pytest.importorskip("openvino", reason="the openvino extra is not installed")
    code = "import engines.openvino, sys; sys.exit(bool(sys.modules.get('openvino_telemetry')))"
    home = {**os.environ, "HOME": str(tmp_path), "CI": ""}
    done = subprocess.run([sys.executable, "-c", code], env=home, check=False)
    assert done.returncode == 0
    assert not (tmp_path / "intel").exists()
