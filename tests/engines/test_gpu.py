"""Every engine on a real CUDA device: right numbers, plans kept, nothing said."""

from __future__ import annotations

import os

import pytest

from engines.contract import EngineOptions
from engines.errors import EngineUnavailable
from engines.parity import compare
from engines.registry import create_engine, probe_engine
from tests.engines.toys import small_motion

pytestmark = pytest.mark.gpu

CASES = [
    ("pytorch", ("fp32", "bf16", "fp16")),
    ("onnxruntime", ("fp32", "fp16")),
    ("onnxruntime-tensorrt", ("fp32", "bf16", "fp16")),
    ("tensorrt", ("fp32", "bf16", "fp16")),
]


@pytest.mark.parametrize(
    ("name", "precision"), [(name, one) for name, precisions in CASES for one in precisions]
)
def test_it_agrees_with_float32_torch_and_says_nothing(gpu, name, precision, tmp_path, capfd):
    options = EngineOptions(cache_dir=tmp_path)
    try:
        probe_engine(name, device="cuda:0", precision=precision, options=options)
    except EngineUnavailable as error:
        if os.environ.get("FAIL_WITHOUT_GPU") == "1" and name == "pytorch":
            pytest.fail(str(error))
        pytest.skip(str(error))
    graph = small_motion(96)
    with create_engine(
        name, graph, device="cuda:0", precision=precision, options=options
    ) as engine:
        found = compare(engine, (1, 3, 100, 200))
    assert found.passed, found
    assert capfd.readouterr() == ("", "")
