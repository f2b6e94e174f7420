"""Processes that work beside each other stop when what asked for them does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from train.processes import processes

WAITING = 12


def touch_late(path: Path) -> None:
    time.sleep(0.2)
    path.touch()


def begin_and_give_up(folder: Path) -> None:
    with processes(1) as pool:
        futures = [pool.submit(touch_late, folder / str(n)) for n in range(WAITING)]
        futures[0].result()
        raise KeyboardInterrupt


def test_work_not_begun_is_dropped_when_its_pool_is_left_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        begin_and_give_up(tmp_path)
    assert len(list(tmp_path.iterdir())) < WAITING
