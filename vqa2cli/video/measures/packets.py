"""Bits and quantizers of a stream, cell by cell, from its packets alone."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.measures.records import STEP_S


@dataclass
class PacketCells:
    """Sums over the packets of each cell of `STEP_S` seconds.

    `size` counts bytes, `quantizers` adds up the quantizers of the pictures, `pictures` counts
    those that told one. Times are seconds since the first packet's picture.
    """

    size: array[float] = field(default_factory=lambda: array("d"))
    quantizers: array[float] = field(default_factory=lambda: array("d"))
    pictures: array[float] = field(default_factory=lambda: array("d"))

    def add(self, time_s: float, size: int, quantizers: Sequence[float]) -> None:
        """Count one packet shown at `time_s`."""
        cell = max(int(time_s / STEP_S + 1e-6), 0)
        self._reach(cell + 1)
        self.size[cell] += size
        self.quantizers[cell] += sum(quantizers)
        self.pictures[cell] += len(quantizers)

    def _reach(self, count: int) -> None:
        for sums in (self.size, self.quantizers, self.pictures):
            sums.extend([0.0] * (count - len(sums)))

    def bits(self, count: int) -> NDArray[np.float64]:
        """Return the bits of the first `count` cells: [count]."""
        return 8 * _fitted(self.size, count)

    def mean_quantizer(self, count: int) -> NDArray[np.float64]:
        """Return the mean quantizer of the first `count` cells: [count], NaN where none is told."""
        told = _fitted(self.pictures, count)
        total = _fitted(self.quantizers, count)
        return np.where(told > 0, total / np.maximum(told, 1), np.nan)


def _fitted(sums: array[float], count: int) -> NDArray[np.float64]:
    known = np.array(sums[:count], np.float64)
    return np.pad(known, (0, count - len(known)))


def joined(parts: Iterable[tuple[PacketCells, float]]) -> PacketCells:
    """Return the cells of runs shown one after the other, each with its length in seconds."""
    whole, shift_s = PacketCells(), 0.0
    for cells, length_s in parts:
        first = round(shift_s / STEP_S)
        whole._reach(first + len(cells.size))
        for mine, theirs in (
            (whole.size, cells.size),
            (whole.quantizers, cells.quantizers),
            (whole.pictures, cells.pictures),
        ):
            for index, value in enumerate(theirs):
                mine[first + index] += value
        shift_s += length_s
    return whole
