"""Frames a second of every engine that runs here, beside SlowFast-R50 taken as it comes.

    python -m tests.bench.engines [--frames 300] [--sizes 192 384] [--width 1.0] [--repeats 2]
                                  [--longer 4] [--only NAME ...] [--clock wall|cpu]

Each row runs in a process of its own, so that peak memory is its own. Engines run as scoring
runs them: torch on a CPU by steps, the others in chunks with a halo; the row "in chunks" is
torch without steps. The baseline runs both pathways over the whole clip at once. The last
column is the peak at `--longer` times the frames: memory must not grow with the clip.

GFLOP/s are those of the pathway over the clip once; what a halo computes twice does not count.
The share is of what torch reaches here in a product of large square matrices of that precision.

On a machine that is shared, `--clock cpu` with OMP_NUM_THREADS=1 counts the processor time of one
thread instead of the time on the wall.
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
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.contract import Engine
from engines.errors import EngineUnavailable
from engines.precision import difference
from engines.registry import ENGINES, create_engine, probe_engine
from tests.bench.limits import multiplying, operations
from tests.bench.naive_slowfast import NaiveSlowFast
from vqa2cli.model.dimensions import MotionDims
from vqa2cli.model.motion import MotionStream, chunk_length, motion_graph
from vqa2cli.model.slowfast import FastPathway

BASELINE = "naive"

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}

#: Torch in chunks with a halo, to see what steps are worth.
IN_CHUNKS = "in chunks"

#: Side of the matrices whose product tells what a device reaches: on a CPU, and on others.
MATRIX_SIDES = (3072, 8192)

#: Frames that come at a time; the clip repeats them, so that it takes no memory of its own.
BLOCK = 16


def pathway(width: float) -> FastPathway:
    """Return a pathway with random weights, the same in every process."""
    torch.manual_seed(0)
    made = FastPathway(MotionDims().scaled(width)).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    return made


def blocks(size: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    """Yield a clip of noise that repeats, as decoding brings it."""
    shape = (BLOCK, size, size, 3)
    block = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for start in range(0, frames, BLOCK):
        yield block[: frames - start]


def gflop_a_frame(dims: MotionDims, size: int, frames: int = 32) -> tuple[float, float]:
    """Return the GFLOP of one frame through the baseline, and through the fast pathway."""
    with torch.device("meta"):
        alone = FastPathway(dims).eval()
        both = NaiveSlowFast(alone).eval()
        clip = torch.empty((frames, size, size, 3), dtype=torch.uint8)
        video = torch.empty((1, frames, 3, size, size))
        counts = operations(both, clip), operations(alone, video)
    return counts[0] / frames / 1e9, counts[1] / frames / 1e9


def naive(fast: FastPathway, asked: argparse.Namespace) -> tuple[NDArray[Any], float]:
    """Return the baseline's features and the seconds they took."""
    network, clock = NaiveSlowFast(fast).eval(), CLOCKS[asked.clock]
    clip = torch.from_numpy(np.concatenate(list(blocks(asked.sizes[0], asked.frames))))
    with torch.inference_mode():
        started = clock()
        features = network(clip)
        return features.numpy(), clock() - started


def engine(what: str, fast: FastPathway, asked: argparse.Namespace) -> tuple[NDArray[Any], float]:
    """Return an engine's features and the seconds they took, opening and warming up not counted."""
    name, precision, *how = what.split(":")
    size, clock = asked.sizes[0], CLOCKS[asked.clock]
    graph = motion_graph(fast, size)
    if how == [IN_CHUNKS]:
        graph = replace(graph, steps=None)
    with create_engine(name, graph, device=asked.device, precision=precision) as made:
        run(made, size, min(asked.frames, 2 * chunk_length(graph)))
        started = clock()
        features = run(made, size, asked.frames)
        return features, clock() - started


def run(made: Engine, size: int, frames: int) -> NDArray[np.float32]:
    """Return the features of a clip that comes as decoding brings it."""
    stream = MotionStream(made)
    for block in blocks(size, frames):
        stream.push(block)
    return stream.finish()


def row(asked: argparse.Namespace) -> None:
    """Measure one row in this process and print it as JSON."""
    fast = pathway(asked.width)
    if asked.row == BASELINE:
        features, seconds = naive(fast, asked)
    else:
        features, seconds = engine(asked.row, fast, asked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    features[: min(40, len(features))].astype(np.float32).tofile(asked.keep)
    print(json.dumps({"seconds": seconds, "peak_mib": peak}))


def measure(
    what: str, size: int, frames: int, repeats: int, asked: argparse.Namespace, keep: str
) -> dict[str, Any]:
    """Return the best of some runs of one row, each in a fresh process."""
    command = [sys.executable, "-m", "tests.bench.engines", "--row", what, "--sizes", str(size)]
    command += ["--frames", str(frames), "--width", str(asked.width), "--keep", keep]
    command += ["--device", asked.device, "--clock", asked.clock]
    runs = []
    for _ in range(repeats):
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
                if name == "pytorch" and device == "cpu":
                    found.append(f"{name}:{precision}:{IN_CHUNKS}")
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
    parser.add_argument("--longer", type=int, default=4, help="times the frames; 0: not measured")
    parser.add_argument("--only", nargs="+", default=[], help="parts of the names of rows")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    parser.add_argument("--keep", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.row:
        row(asked)
        return
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {versions()}")
    load = os.getloadavg()[0]
    print(f"load before: {load:.1f}; {asked.frames} frames, width {asked.width:g}, "
          f"{torch.get_num_threads()} threads, {asked.clock} clock")  # fmt: skip
    for size in asked.sizes:
        table(size, asked)


def table(size: int, asked: argparse.Namespace) -> None:
    """Print the rows of one frame size."""
    keep = f"/tmp/vqa2-bench-{os.getpid()}.f32"
    print(f"\n{size} x {size}\n{'row':24} frames/s   ratio  GFLOP/s  share difference"
          "   peak MiB   longer")  # fmt: skip
    base, want = 0.0, np.zeros(0, np.float32)
    of_both, of_fast = gflop_a_frame(pathway(asked.width).dims, size)
    rates: dict[tuple[str, str], float] = {}
    rows = rows_here(asked.device)
    wanted = [one for one in rows if not asked.only or any(word in one for word in asked.only)]
    for what in [BASELINE, *wanted]:
        repeats = 1 if what == BASELINE else asked.repeats
        found = measure(what, size, asked.frames, repeats, asked, keep)
        got = np.fromfile(keep, np.float32)
        speed = asked.frames / found["seconds"]
        if what == BASELINE:
            base, want = speed, got
        apart = difference(got, want)
        longer = ""
        if what != BASELINE and asked.longer:
            long = measure(what, size, asked.longer * asked.frames, 1, asked, keep)
            longer = f"{long['peak_mib']:.0f}"
        if what == BASELINE:
            of_frame, reached = of_both, ("fp32", "cpu")
        else:
            of_frame, reached = of_fast, (what.split(":")[1], asked.device)
        if reached not in rates:
            rates[reached] = multiplying(*reached, MATRIX_SIDES[reached[1] != "cpu"]) / 1e9
        done = speed * of_frame
        share = done / rates[reached]
        print(f"{what:24} {speed:8.1f} {speed / base:7.2f} {done:8.0f} {share:6.2f} {apart:10.1e}"
              f" {found['peak_mib']:10.0f} {longer:>8}", flush=True)  # fmt: skip
    os.unlink(keep)
    told = ", ".join(f"{rate:.0f} GFLOP/s in {of[0]} on {of[1]}" for of, rate in rates.items())
    print(f"a frame: {of_both:.2f} GFLOP through both pathways, {of_fast:.2f} through the fast one")
    print(f"products of matrices: {told}")


if __name__ == "__main__":
    main()
