"""NVIDIA's own parser and builder take the motion graph; TensorRT-RTX needs no GPU for that.

    pip install tensorrt-rtx && pytest -m slow tests/engines/test_trt_rtx.py

This says nothing of the speed or the numbers of any TensorRT.
"""

from __future__ import annotations

import pytest

from engines.cache import ArtifactCache
from engines.export import onnx_bytes
from engines.trt_build import build_plan, open_log
from tests.engines.toys import small_motion

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trt():
    return pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("size", [96, 384])
def test_the_motion_graph_builds_strongly_typed_with_its_profiles(trt, tmp_path, precision, size):
    graph = small_motion(size)
    body = onnx_bytes(graph, precision, ArtifactCache(tmp_path))
    first = build_plan(trt, open_log(trt), graph, body)
    assert len(first.body) > len(body) / 2
    again = build_plan(trt, open_log(trt), graph, body, first.timing)
    assert len(again.body) > 0
