"""The little of CUDA that engines need: a stream, and buffers on both sides of the bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Gpu:
    """Name and compute capability: what a built engine is tied to."""

    name: str
    capability: tuple[int, int]


def has_cuda() -> bool:
    """Return whether torch sees a CUDA device and its driver."""
    return bool(torch.cuda.is_available())


class CudaQueue:
    """One stream of one device, and byte buffers for work on it."""

    def __init__(self, device: str) -> None:
        """Open a stream of its own, so that work elsewhere in the process does not wait for it."""
        self._device = torch.device(device)
        self._stream: Any = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]

    @property
    def handle(self) -> int:
        """The stream as CUDA libraries take it."""
        return int(self._stream.cuda_stream)

    def gpu(self) -> Gpu:
        """Return what the device is."""
        return Gpu(
            torch.cuda.get_device_name(self._device),
            torch.cuda.get_device_capability(self._device),
        )

    def scope(self) -> Any:
        """Return a context in which CUDA libraries use this device."""
        return torch.cuda.device(self._device)

    def pinned(self, size: int) -> Tensor:
        """Return `size` bytes of page-locked memory, which the device copies without a detour."""
        return torch.empty(size, dtype=torch.uint8, pin_memory=True)

    def device(self, size: int) -> Tensor:
        """Return `size` bytes on the device."""
        return torch.empty(size, dtype=torch.uint8, device=self._device)

    def copy(self, target: Tensor, source: Tensor) -> None:
        """Queue a copy; neither side may be touched before `wait`."""
        with torch.cuda.stream(self._stream):
            target.copy_(source, non_blocking=True)

    def wait(self) -> None:
        """Return when all that was queued is done."""
        self._stream.synchronize()


class Buffer:
    """A pair of buffers, pinned and on the device, that grows and never shrinks."""

    def __init__(self, queue: CudaQueue) -> None:
        self._queue = queue
        self._size = -1
        self._host = self._there = torch.empty(0, dtype=torch.uint8)

    def reserve(self, size: int) -> int:
        """Make room for `size` bytes and return the address on the device."""
        if size > self._size:
            self._host, self._there = self._queue.pinned(size), self._queue.device(size)
            self._size = size
        return int(self._there.data_ptr())

    def upload(self, array: NDArray[np.generic]) -> int:
        """Queue a copy of an array to the device and return its address there."""
        address = self.reserve(array.nbytes)
        host = self._host[: array.nbytes]
        np.copyto(host.numpy().view(array.dtype).reshape(array.shape), array)
        self._queue.copy(self._there[: array.nbytes], host)
        return address

    def download(self, size: int) -> None:
        """Queue a copy of the first `size` bytes from the device."""
        self._queue.copy(self._host[:size], self._there[:size])

    def read(self, dtype: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
        """Return a copy of what `download` brought, once the queue was waited for."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        held: NDArray[np.generic] = self._host[:size].numpy().view(dtype).reshape(shape)
        return held.copy()
