"""Frames a second of every engine that runs here, beside SlowFast-R50 taken as it comes.

    python -m tests.bench.engines [--frames 300] [--sizes 192 384] [--width 1.0] [--repeats 2]

Each row runs in a process of its own, so that peak memory is its own. Engines run in chunks
with a halo, as scoring does; the baseline runs both pathways over the whole clip at once.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.errors import EngineUnavailable
from engines.precision import difference
from engines.registry import ENGINES, create_engine, probe_engine
from tests.bench.naive_slowfast import NaiveSlowFast
from vqa2cli import config
from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.motion import MotionStream, motion_graph
from vqa2cli.model.slowfast import FastPathway

BASELINE = "naive"


def pathway(width: float) -> FastPathway:
    """Return a pathway with random weights, the same in every process."""
    torch.manual_seed(0)
    made = FastPathway(MotionDims().scaled(width)).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


def naive(fast: FastPathway, clip: NDArray[np.uint8]) -> tuple[NDArray[Any], float]:
    """Return the baseline's features and the seconds they took."""
    network = NaiveSlowFast(fast).eval()
    with torch.inference_mode():
        started = time.perf_counter()
        features = network(torch.from_numpy(clip))
        return features.numpy(), time.perf_counter() - started


def engine(
    name: str, precision: str, device: str, fast: FastPathway, clip: NDArray[np.uint8]
) -> tuple[NDArray[Any], float]:
    """Return an engine's features and the seconds they took, opening and warming up not counted."""
    graph = motion_graph(fast, clip.shape[1])
    with create_engine(name, graph, device=device, precision=precision) as made:
        run(made, clip[: 2 * config.MOTION_CHUNK])
        started = time.perf_counter()
        features = run(made, clip)
        return features, time.perf_counter() - started


def run(made: Any, clip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the features of a clip that comes as decoding brings it."""
    stream = MotionStream(made)
    for start in range(0, len(clip), 16):
        stream.push(clip[start : start + 16])
    return stream.finish()


def row(asked: argparse.Namespace) -> None:
    """Measure one row in this process and print it as JSON."""
    name, _, precision = asked.row.partition(":")
    fast = pathway(asked.width)
    size = asked.sizes[0]
    clip = np.random.default_rng(0).integers(0, 256, (asked.frames, size, size, 3), np.uint8)
    if name == BASELINE:
        features, seconds = naive(fast, clip)
    else:
        features, seconds = engine(name, precision, asked.device, fast, clip)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    features[: min(40, len(features))].astype(np.float32).tofile(asked.keep)
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def measure(what: str, size: int, asked: argparse.Namespace, keep: str) -> dict[str, Any]:
    """Return the best of some runs of one row, each in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.engines", "--row", what, "--sizes", str(size)]
    command += ["--frames", str(asked.frames), "--width", str(asked.width), "--keep", keep]
    command += ["--device", asked.device]
    runs = []
    for _ in range(1 if what == BASELINE else asked.repeats):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    best: dict[str, Any] = min(runs, key=lambda one: one["seconds"])
    return best


def rows_here(device: str) -> list[str]:
    """Return every engine and precision that runs on the device."""
    found = []
    for name in ENGINES:
        for precision in ("fp32", "bf16", "fp16"):
            try:
                probe_engine(name, device=device, precision=precision)
            except EngineUnavailable:
                continue
            if (name, precision) != ("pytorch", "fp16") or device != "cpu":
                found.append(f"{name}:{precision}")
    return found


def versions() -> str:
    """Return what was measured with."""
    found = []
    for name in ("torch", "onnxruntime-gpu", "openvino", "tensorrt"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join([*found, f"Python {platform.python_version()}"])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--sizes", type=int, nargs="+", default=[192, 384])
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channels")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--keep", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.row:
        row(asked)
        return
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {versions()}")
    load = os.getloadavg()[0]
    print(f"load before: {load:.1f}; {asked.frames} frames, width {asked.width:g}")
    for size in asked.sizes:
        table(size, asked)


def table(size: int, asked: argparse.Namespace) -> None:
    """Print the rows of one frame size."""
    keep = f"/tmp/vqa2-bench-{os.getpid()}.f32"
    print(f"\n{size} x {size}\nrow                frames/s   ratio   peak MiB   difference")
    base, want = 0.0, np.zeros(0, np.float32)
    for what in [BASELINE, *rows_here(asked.device)]:
        found = measure(what, size, asked, keep)
        got = np.fromfile(keep, np.float32)
        speed = asked.frames / found["seconds"]
        if what == BASELINE:
            base, want = speed, got
        apart = difference(got, want)
        print(
            f"{what:18} {speed:8.1f} {speed / base:7.2f} {found['peak_mib']:10.0f}   {apart:.1e}",
            flush=True,
        )
    os.unlink(keep)


if __name__ == "__main__":
    main()
