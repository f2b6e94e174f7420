"""Where a model runs and in which arithmetic."""

from __future__ import annotations

import torch

from vqa2cli.config import Precision
from vqa2cli.errors import DeviceError

DTYPES: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


def find_device(name: str) -> str:
    """Return "cpu" or "cuda:N" for a name; "auto" is the first CUDA device, else the CPU.

    Raises:
        DeviceError: the device is unknown or not there.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda:0" if count else "cpu"
    if name == "cpu":
        return name
    kind, _, index = name.partition(":")
    if kind != "cuda" or (index and not index.isdigit()):
        raise DeviceError(f"no device {name}; choose auto, cpu, cuda or cuda:N")
    if int(index or 0) >= count:
        raise DeviceError(f"no device {name} (found {count} CUDA devices); use --device cpu")
    return f"cuda:{int(index or 0)}"


#: What CPUs call products of bfloat16 numbers, as `torch.cpu.get_capabilities` names them.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


def multiplies_bfloat16(device: str) -> bool:
    """Return whether a device multiplies bfloat16 itself.

    Where it does not, torch imitates that: many times as slow as float32.
    """
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    can = torch.cpu.get_capabilities()
    return any(can.get(name, False) for name in _BFLOAT16)


def find_precision(name: Precision, device: str) -> str:
    """Return the arithmetic; "auto" is fp32 on a CPU and fp16, the authors', on CUDA."""
    if name == "auto":
        return "fp16" if device.startswith("cuda") else "fp32"
    return name
