"""Processes that make clips and looks beside each other."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

#: Spawned, not forked: a process that holds threads must not be copied.
CONTEXT = multiprocessing.get_context("spawn")


def processes(jobs: int) -> ProcessPoolExecutor:
    """Return a pool of `jobs` fresh processes."""
    return ProcessPoolExecutor(jobs, mp_context=CONTEXT)
