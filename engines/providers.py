"""ONNX Runtime's providers: which there are, whether one may be asked for, and its settings.

A provider that is not really there must never be asked for: ONNX Runtime then prints and
falls back to the CPU, and its list of available providers names what was compiled in.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import importlib.util
import io
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines.cache import default_cache_dir
from engines.contract import EngineOptions, Graph, profile_shape
from engines.elf import needed_libraries
from engines.errors import EngineUnavailable

logger = logging.getLogger(__name__)

GPU_REMEDY = "Run: pip install 'vqa2[gpu]', or use --engine pytorch."


@dataclass(frozen=True)
class Provider:
    """One of ONNX Runtime's back ends.

    Attributes:
        engine: our name of it, on the kind of device it runs on.
        provider: ONNX Runtime's name of it.
        kind: the kind of device it runs on.
        precisions: what it computes in.
        library: file inside ONNX Runtime that holds it; None where it is built in.
    """

    engine: str
    provider: str
    kind: str
    precisions: tuple[str, ...]
    library: str | None = None
    remedy: str = GPU_REMEDY


#: bfloat16 convolutions exist in TensorRT alone, and float16 ones on the CPU are float32
#: between conversions.
PROVIDERS: dict[str, Provider] = {
    "cpu": Provider("onnxruntime", "CPUExecutionProvider", "cpu", ("fp32",)),
    "cuda": Provider(
        "onnxruntime",
        "CUDAExecutionProvider",
        "cuda",
        ("fp32", "fp16"),
        "libonnxruntime_providers_cuda.so",
    ),
    "tensorrt": Provider(
        "onnxruntime-tensorrt",
        "TensorrtExecutionProvider",
        "cuda",
        ("fp32", "fp16", "bf16"),
        "libonnxruntime_providers_tensorrt.so",
        "Run: pip install 'vqa2[tensorrt]', or use --engine pytorch.",
    ),
}

#: Threads beyond which a graph this small gains nothing, whatever the machine has.
MOST_THREADS = 16


def choose_provider(engine: str, device: str, precision: str) -> Provider:
    """Return the engine's provider for a device, once it is known to run here.

    Raises:
        EngineUnavailable: it does not, and why.
    """
    kind = device.partition(":")[0]
    own = {one.kind: one for one in PROVIDERS.values() if one.engine == engine}
    found = own.get(kind)
    if found is None:
        raise EngineUnavailable(
            engine,
            f"runs on {' and '.join(own)} and not on {device}",
            "Use another --device, or --engine pytorch.",
        )
    if precision not in found.precisions:
        raise _refusal(
            found,
            f"runs on {device} in {' or '.join(found.precisions)} only, not in {precision}",
            f"Use --engine pytorch, or --precision {found.precisions[0]}.",
        )
    if found.library is not None:
        _check_gpu(found, device)
    return found


def provider_settings(
    found: Provider, graph: Graph, device: str, precision: str, options: EngineOptions
) -> dict[str, str]:
    """Return the settings a provider is opened with."""
    if found.kind == "cpu":
        return {}
    index = device.partition(":")[2] or "0"
    if found.provider == PROVIDERS["cuda"].provider:
        return {
            "device_id": index,
            # A search would run again for every new length, and decide by its own clock.
            "cudnn_conv_algo_search": "HEURISTIC",
            "arena_extend_strategy": "kSameAsRequested",
            "use_tf32": "0",
        }
    return {
        **_kept_engines(options),
        "device_id": index,
        "trt_fp16_enable": str(precision == "fp16"),
        "trt_bf16_enable": str(precision == "bf16"),
        "trt_profile_min_shapes": _shapes(graph, "least"),
        "trt_profile_opt_shapes": _shapes(graph, "usual"),
        "trt_profile_max_shapes": _shapes(graph, "most"),
    }


def cpu_threads(options: EngineOptions) -> int:
    """Return how many threads to compute with: torch's number, which heeds OMP_NUM_THREADS."""
    return options.threads or min(torch.get_num_threads(), MOST_THREADS)


def _shapes(graph: Graph, which: str) -> str:
    """Return shapes as the TensorRT provider reads them: frames:1x384x384x3, per profile."""
    texts = []
    for lengths in graph.lengths:
        for spec in graph.inputs:
            sides = profile_shape(spec, lengths, which)
            texts.append(f"{spec.name}:{'x'.join(map(str, sides))}")
    return ",".join(texts)


def _kept_engines(options: EngineOptions) -> dict[str, str]:
    """Return the settings that keep built engines; none where the folder takes no files."""
    folder = (options.cache_dir or default_cache_dir()) / "onnxruntime"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        logger.warning(
            "cannot keep engines in %s (%s); they are made again next time", folder, error.strerror
        )
        return {}
    return {
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(folder),
    }


def _check_gpu(found: Provider, device: str) -> None:
    """Look for device, provider and libraries before ONNX Runtime is asked for anything."""
    if not torch.cuda.is_available():
        raise _refusal(found, f"no device {device}", "Use --device cpu --engine pytorch.")
    if found is PROVIDERS["tensorrt"] and importlib.util.find_spec("tensorrt") is not None:
        with contextlib.suppress(ImportError, OSError):  # the check below tells what lacks
            importlib.import_module("tensorrt")  # brings libnvinfer into the process
    import onnxruntime

    if found.provider not in onnxruntime.get_available_providers():
        raise _refusal(found, f"was built without {found.provider}", found.remedy)
    folder = Path(onnxruntime.__file__).parent / "capi"
    _preload(onnxruntime)
    missing = missing_libraries(folder / (found.library or ""))
    if missing:
        raise _refusal(found, f"{found.provider} lacks {', '.join(missing)}", found.remedy)


def _preload(onnxruntime: Any) -> None:
    """Load the CUDA libraries that came as Python packages; what it prints is not for users."""
    with contextlib.redirect_stdout(io.StringIO()):
        onnxruntime.preload_dlls()


def missing_libraries(library: Path) -> list[str]:
    """Return which libraries the one at `library` links and this process cannot load."""
    if not library.is_file():
        return [library.name]
    return [
        name
        for name in needed_libraries(library)
        if not (library.parent / name).is_file() and not _loads(name)
    ]


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _refusal(found: Provider, reason: str, remedy: str) -> EngineUnavailable:
    return EngineUnavailable(found.engine, reason, remedy)
