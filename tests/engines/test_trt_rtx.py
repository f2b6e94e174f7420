"""NVIDIA's own parser and builder take the motion graph; TensorRT-RTX needs no GPU for that.

This says nothing of the speed or the numbers of any TensorRT.
"""

from __future__ import annotations

import importlib
import platform
import sys
from dataclasses import replace

import pytest

from engines.cache import ArtifactCache
from engines.contract import Lengths, TensorSpec
from engines.errors import EngineUnavailable
from engines.export import onnx_bytes
from engines.trt_build import build_plan, open_log
from tests.engines.toys import small_motion

#: Where the `dev` extra installs TensorRT-RTX, so there it has to be.
HAS_WHEEL = (sys.platform, platform.machine()) == ("linux", "x86_64")

#: A height and a width that are free, each by itself.
ANY_SIDE = Lengths(64, 96, 192)

SLOW = [pytest.param(one, marks=pytest.mark.slow) for one in (384, ANY_SIDE)]


@pytest.fixture(scope="module")
def trt():
    if not HAS_WHEEL:
        pytest.skip("there is no wheel of tensorrt-rtx for this platform")
    return importlib.import_module("tensorrt_rtx")


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("size", [96, *SLOW])
def test_the_motion_graph_builds_strongly_typed_with_its_profiles(trt, precision, size):
    graph = small_motion(size)
    body = onnx_bytes(graph, precision, ArtifactCache())
    first = build_plan(trt, open_log(trt), graph, body)
    assert len(first.body) > len(body) / 2
    again = build_plan(trt, open_log(trt), graph, body, first.timing)
    assert len(again.body) > 0


def test_what_the_real_parser_refuses_is_one_line(trt):
    graph = small_motion(32, 0.125)
    with pytest.raises(EngineUnavailable, match="cannot parse the ONNX file of motion") as caught:
        build_plan(trt, open_log(trt), graph, b"not a graph")
    assert "\n" not in str(caught.value)
    body = onnx_bytes(graph, "fp32", ArtifactCache())
    other = replace(graph, inputs=(TensorSpec("frames", "uint8", (None, 64, 64, 3)),))
    with pytest.raises(EngineUnavailable, match="the ONNX file is not motion"):
        build_plan(trt, open_log(trt), other, body)
