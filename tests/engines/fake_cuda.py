"""CUDA and TensorRT without a GPU: buffers lie in ordinary memory, plans run in ONNX Runtime.

The stand-in keeps TensorRT's rules that matter here: a plan is bytes that only its own kind
loads, shapes must lie within the context's profile, tensors are read and written through the
addresses they were given, and nothing runs before `execute_async_v3`.
"""

from __future__ import annotations

import contextlib
import ctypes
import types
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch

from engines.cuda import Gpu

TYPES = {1: "FLOAT", 2: "UINT8", 10: "HALF"}
NUMPY = {"FLOAT": np.float32, "UINT8": np.uint8}
MAGIC = b"fake plan "


class FakeQueue:
    """Stands in for `engines.cuda.CudaQueue`: copies wait for `wait`, as a stream's do."""

    handle = 77
    here = Gpu("Fake GPU", (9, 0))

    def __init__(self, device: str) -> None:
        self.name = device
        self._queued: list[Any] = []

    def gpu(self) -> Gpu:
        return self.here

    def scope(self) -> Any:
        return contextlib.nullcontext()

    def pinned(self, size: int) -> torch.Tensor:
        return torch.full((size,), 99, dtype=torch.uint8)

    device = pinned

    def copy(self, target: torch.Tensor, source: torch.Tensor) -> None:
        target.copy_(source)

    def wait(self) -> None:
        pass


class FakeTensorRt(types.ModuleType):
    """The part of TensorRT's Python API that is used, and counts of what was done."""

    def __init__(self, name: str = "tensorrt", version: str = "10.13.0") -> None:
        super().__init__(name)
        self.__version__ = version
        self.builds = self.loads = 0
        self.timings: list[bytes] = []
        self.refuse_loads = 0
        self.build_fails = False
        self.executed: list[tuple[int, int]] = []
        self.NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
        self.BuilderFlag = SimpleNamespace(TF32="tf32")

        class ILogger:
            INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

        self.ILogger = ILogger
        self.Builder = lambda log: Builder(self, log)
        self.OnnxParser = lambda network, log: Parser(network)
        self.Runtime = lambda log: Runtime(self, log)


class Tensor:
    def __init__(self, info: Any) -> None:
        kind = info.type.tensor_type
        self.name = info.name
        self.dtype = SimpleNamespace(name=TYPES[kind.elem_type])
        self.shape = tuple(
            side.dim_value if side.HasField("dim_value") else -1 for side in kind.shape.dim
        )


class Network:
    def __init__(self) -> None:
        self.body = b""

    def read(self, body: bytes) -> None:
        graph = onnx.load_from_string(body).graph
        self.body = body
        self.inputs = [Tensor(info) for info in graph.input]
        self.outputs = [Tensor(info) for info in graph.output]
        self.num_inputs, self.num_outputs = len(self.inputs), len(self.outputs)

    def get_input(self, index: int) -> Tensor:
        return self.inputs[index]

    def get_output(self, index: int) -> Tensor:
        return self.outputs[index]


class Parser:
    num_errors = 1

    def __init__(self, network: Network) -> None:
        self.network = network

    def parse(self, body: bytes) -> bool:
        try:
            self.network.read(body)
        except Exception:
            return False
        return True

    def get_error(self, index: int) -> str:
        return "not an\nONNX file"


class Builder:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self.trt, self.log = trt, log

    def create_network(self, flags: int) -> Network:
        assert flags == 1 << self.trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED
        return Network()

    def create_builder_config(self) -> Config:
        return Config(self.trt)

    def create_optimization_profile(self) -> dict[str, Any]:
        return Profile()

    def build_serialized_network(self, network: Network, config: Config) -> bytes | None:
        self.trt.builds += 1
        if self.trt.build_fails:
            self.log.log(self.log.ERROR, "this device\nis not supported")
            return None
        assert config.cleared == ["tf32"]
        ranges = repr([profile.shapes["frames"] for profile in config.profiles]).encode()
        return MAGIC + ranges + b"\n" + network.body


class Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, Any] = {}

    def set_shape(self, name: str, least: Any, usual: Any, most: Any) -> None:
        assert all(a <= b <= c for a, b, c in zip(least, usual, most, strict=True))
        self.shapes[name] = (least, most)


class Config:
    def __init__(self, trt: FakeTensorRt) -> None:
        self.trt = trt
        self.cleared: list[str] = []
        self.profiles: list[Profile] = []

    def clear_flag(self, flag: str) -> None:
        self.cleared.append(flag)

    def add_optimization_profile(self, profile: Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def create_timing_cache(self, blob: bytes) -> Any:
        self.trt.timings.append(blob)
        return SimpleNamespace(serialize=lambda: b"timings")

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        assert not ignore_mismatch
        return True


class Runtime:
    def __init__(self, trt: FakeTensorRt, log: Any) -> None:
        self.trt, self.log = trt, log

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        self.trt.loads += 1
        if self.trt.refuse_loads or not plan.startswith(MAGIC):
            self.trt.refuse_loads -= 1
            self.log.log(self.log.ERROR, "wrong plan")
            return None
        ranges, _, body = plan.removeprefix(MAGIC).partition(b"\n")
        session = onnxruntime.InferenceSession(body, providers=["CPUExecutionProvider"])
        limits = eval(ranges)  # written by this file
        return SimpleNamespace(create_execution_context=lambda: Context(self.trt, session, limits))


class Context:
    def __init__(self, trt: FakeTensorRt, session: Any, limits: Any) -> None:
        self.trt, self.session, self.limits = trt, session, limits
        self.profile = -1
        self.shapes: dict[str, Any] = {}
        self.addresses: dict[str, int] = {}

    def set_optimization_profile_async(self, index: int, stream: int) -> bool:
        self.profile = index
        return stream == FakeQueue.handle

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        if name != "frames":
            return True
        least, most = self.limits[self.profile]
        return all(a <= b <= c for a, b, c in zip(least, shape, most, strict=True))

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return address != 0

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        length = self.shapes["frames"][0]
        info = next(one for one in self.session.get_outputs() if one.name == name)
        return tuple(side if isinstance(side, int) else length for side in info.shape)

    def execute_async_v3(self, stream: int) -> bool:
        self.trt.executed.append((self.profile, self.shapes["frames"][0]))
        feeds = {}
        for info in self.session.get_inputs():
            kind = np.uint8 if "uint8" in info.type else np.float32
            feeds[info.name] = _memory(self.addresses[info.name], self.shapes[info.name], kind)
        for info, value in zip(
            self.session.get_outputs(), self.session.run(None, feeds), strict=True
        ):
            _memory(self.addresses[info.name], value.shape, value.dtype)[...] = value
        return stream == FakeQueue.handle


def _memory(address: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = (ctypes.c_uint8 * size).from_address(address)
    return np.frombuffer(raw, dtype).reshape(shape)
