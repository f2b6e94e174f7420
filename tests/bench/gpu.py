"""Everything a GPU has to show of the motion branch, in one run.

    python -m tests.bench.gpu [--frames 300] [--size 384] [--device cuda] [--only NAME ...]

For every way to run the fast pathway: the median latency of one clip of `--frames` frames
(uint8 in main memory to float32 features in main memory), frames a second, the largest error of
a feature against float32 on the CPU, how far it moves a score of the embedded model, and which
share that makes of what this device reaches at copying and at multiplying matrices, measured
first. Ways that do not run here say why.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.contract import Graph
from engines.errors import EngineUnavailable
from engines.export import run_float32
from engines.precision import DTYPES, difference
from engines.pytorch import exact_convolutions
from engines.registry import create_engine
from tests.bench.engines import pathway, versions
from tests.bench.limits import median_s, multiplying, operations
from vqa2cli import load_model
from vqa2cli.model.motion import FEATURES, FRAMES, motion_graph
from vqa2cli.model.quality_model import QualityModel

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

ENGINES = (
    ("onnxruntime", ("fp32", "fp16")),
    ("onnxruntime-tensorrt", ("fp32", "bf16", "fp16")),
    ("tensorrt", ("fp32", "bf16", "fp16")),
)


@dataclass(frozen=True)
class Limits:
    """What the device reaches: bytes a second, and operations a second by precision."""

    bytes_s: float
    operations_s: dict[str, float]


@dataclass(frozen=True)
class Work:
    """What one clip takes at least: operations, and elements read and written by convolutions."""

    operations: float
    elements: float


# --- ways to run the graph -------------------------------------------------------------------


def torch_way(kind: str, precision: str, graph: Graph, device: str) -> Run:
    """Return the module in torch: "eager", "channels-last", "compile" or "cuda-graph"."""
    module = graph.module().eval().to(device=device, dtype=DTYPES[precision])
    if kind != "eager":
        module = module.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    compiled: Any = torch.compile(module, dynamic=False) if kind == "compile" else module
    captured: dict[int, tuple[Any, Tensor, Tensor]] = {}

    def run(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode(), exact_convolutions():
            given = torch.from_numpy(frames).to(device)
            if kind != "cuda-graph":
                result: Tensor = compiled(given)
                return result.cpu().numpy()
            if len(frames) not in captured:
                captured[len(frames)] = capture(module, given)
            graph, inputs, outputs = captured[len(frames)]
            inputs.copy_(given)
            graph.replay()
            return outputs.cpu().numpy()

    return run


def capture(module: torch.nn.Module, given: Tensor) -> tuple[Any, Tensor, Tensor]:
    """Return a CUDA graph of one run, and the tensors it reads and writes."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            module(given)
    torch.cuda.current_stream().wait_stream(stream)
    graph, inputs = torch.cuda.CUDAGraph(), given.clone()
    with torch.cuda.graph(graph):
        outputs = module(inputs)
    return graph, inputs, outputs


def engine_way(name: str, precision: str, graph: Graph, device: str) -> Run:
    """Return one of our engines."""
    engine = create_engine(name, graph, device=device, precision=precision)
    return lambda frames: engine.run({FRAMES: frames})[FEATURES]  # type: ignore[return-value]


def ways(device: str) -> dict[str, Callable[[Graph], Run]]:
    """Return every way by name, its precision last."""
    kinds = ["eager", "channels-last", "compile", *(["cuda-graph"] if device != "cpu" else [])]
    found: dict[str, Callable[[Graph], Run]] = {}
    for kind in kinds:
        for precision in DTYPES:
            found[f"torch {kind} {precision}"] = partial(way, torch_way, kind, precision, device)
    for name, precisions in ENGINES:
        for precision in precisions:
            found[f"{name} {precision}"] = partial(way, engine_way, name, precision, device)
    return found


def way(make: Any, name: str, precision: str, device: str, graph: Graph) -> Run:
    """Return `make`'s way, its arguments in our order."""
    made: Run = make(name, precision, graph, device)
    return made


# --- what the device reaches, and what the clip takes ----------------------------------------


def limits(device: str) -> Limits:
    """Measure copying and multiplying."""
    small = device == "cpu"
    source = torch.empty(2**24 if small else 2**30, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() / median_s(lambda: target.copy_(source), device, 10)
    side = 256 if small else 8192
    return Limits(copied, {name: multiplying(name, device, side) for name in DTYPES})


def work_of(graph: Graph, frames: int) -> Work:
    """Count the convolutions of a few frames and scale to a clip."""
    few = 8
    module = graph.module()
    moved = []
    for layer in module.modules():
        if isinstance(layer, torch.nn.Conv3d):
            layer.register_forward_hook(
                lambda _, given, result: moved.append(given[0].numel() + result.numel())
            )
    size = graph.inputs[0].shape[1] or 1
    counted = operations(module, torch.zeros((few, size, size, 3), dtype=torch.uint8))
    return Work(counted * frames / few, sum(moved) * frames / few)


# --- what it does to a score -----------------------------------------------------------------


class Scorer:
    """Scores made pictures with the embedded model, its motion features computed elsewhere."""

    def __init__(self, model: QualityModel, frames: int) -> None:
        self.graph = model.engine.graph
        self._model = model
        self._visual = [model.encode_keyframes(moving(3, model.sampling().keyframe_size))]
        self._frames = moving(frames, self.graph.inputs[0].shape[1] or 1)
        self.reference = self.value(lambda one: run_float32(self.graph, {FRAMES: one})[FEATURES])

    def value(self, run: Any) -> float:
        """Return the score that the features of `run` lead to."""
        features = run(self._frames)
        window = self._model.window_tokens(self._visual, features, len(self._frames))
        return self._model.score_windows([window])[0].value


def moving(frames: int, size: int) -> NDArray[np.uint8]:
    """Return a drifting texture, uint8 [T, H, W, 3]: noise at four scales."""
    rng = np.random.default_rng(0)
    side = size + 64
    canvas = np.zeros((side, side, 3))
    for cell in (2, 4, 16, 32):
        grid = rng.normal(size=(side // cell + 1, side // cell + 1, 3))
        canvas += grid.repeat(cell, 0).repeat(cell, 1)[:side, :side]
    picture = np.clip(128 + 30 * canvas, 0, 255).astype(np.uint8)
    starts = (32 + 31 * np.sin(0.1 * np.arange(frames))).astype(int)
    return np.stack([picture[at : at + size, at // 2 : at // 2 + size] for at in starts])


# --- the table ---------------------------------------------------------------------------------


def rows(asked: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the table."""
    graph = motion_graph(pathway(asked.width), asked.size)
    clip = np.random.default_rng(0).integers(
        0, 256, (asked.frames, asked.size, asked.size, 3), np.uint8
    )
    want = run_float32(graph, {FRAMES: clip})[FEATURES]
    reached, work = limits(asked.device), work_of(graph, asked.frames)
    scorer = Scorer(load_model(device="cpu", precision="fp32", engine="pytorch"), 96)
    yield f"copies {reached.bytes_s / 1e9:.0f} GB/s; multiplies " + ", ".join(
        f"{rate / 1e12:.1f} TFLOP/s {name}" for name, rate in reached.operations_s.items()
    )
    yield (f"{asked.frames} frames of {asked.size}: {work.operations / 1e9:.0f} GFLOP, "
           f"{work.elements / 1e9:.2f} G elements moved; score {scorer.reference:.2f}")  # fmt: skip
    yield (f"{'way':32} {'ms':>9} {'frames/s':>9} {'error':>8} {'score':>7}"
           f" {'of copying':>11} {'of multiplying':>15}")  # fmt: skip
    for name, make in ways(asked.device).items():
        if asked.only and not any(word in name for word in asked.only):
            continue
        try:
            run = make(graph)
            error = difference(run(clip), want)
            seconds = median_s(partial(run, clip), asked.device, asked.repeats)
            move = scorer.value(make(scorer.graph)) - scorer.reference
        except EngineUnavailable as failed:
            yield f"{name:32} {failed}"
            continue
        except RuntimeError as failed:  # the device or the compiler: the other ways go on
            yield f"{name:32} failed: {str(failed).splitlines()[0][:120]}"
            continue
        precision = name.split()[-1]
        moved = work.elements * DTYPES[precision].itemsize + clip.nbytes
        yield (f"{name:32} {1000 * seconds:9.2f} {asked.frames / seconds:9.0f} {error:8.1e}"
               f" {move:+7.3f} {moved / seconds / reached.bytes_s:11.1%}"
               f" {work.operations / seconds / reached.operations_s[precision]:15.1%}")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channels")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", nargs="+", default=[], help="parts of the names of ways")
    asked = parser.parse_args()
    on = platform.processor() if asked.device == "cpu" else torch.cuda.get_device_name(asked.device)
    print(f"{time.strftime('%Y-%m-%d')}, {on}, {versions()}")
    for line in rows(asked):
        print(line, flush=True)


if __name__ == "__main__":
    main()
