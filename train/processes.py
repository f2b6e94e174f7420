"""Processes that make clips and looks beside each other."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

#: Spawned, not forked: a process that holds threads must not be copied.
CONTEXT = multiprocessing.get_context("spawn")


@contextmanager
def processes(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Lend a pool of `jobs` fresh processes; what they have not begun when it ends is dropped."""
    with ProcessPoolExecutor(jobs, mp_context=CONTEXT) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)
