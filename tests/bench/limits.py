"""What a device reaches at multiplying matrices, and what a module takes of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from engines.precision import DTYPES


def median_s(work: Callable[[], object], device: str, repeats: int) -> float:
    """Return the median seconds of `work` after three runs that warm it up."""
    spent = []
    for index in range(repeats + 3):
        synchronize(device)
        started = time.perf_counter()
        work()
        synchronize(device)
        if index >= 3:
            spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def synchronize(device: str) -> None:
    """Wait for the device."""
    if device != "cpu":
        torch.cuda.synchronize(device)


def multiplying(precision: str, device: str, side: int) -> float:
    """Return the operations a second of a product of square matrices of this side."""
    left = torch.ones((side, side), dtype=DTYPES[precision], device=device)
    return 2 * side**3 / median_s(partial(torch.mm, left, left), device, 10)


def operations(module: torch.nn.Module, given: Tensor) -> float:
    """Return the operations that `module` takes for `given`."""
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(given)
    return counter.get_total_flops()
