"""`vqa2 doctor`: what this machine has, what is missing, and what to do about it."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Final, Literal, get_args

import click

from vqa2cli.config import EMBEDDED_MODEL, VERSION, EngineName
from vqa2cli.errors import MissingError, Vqa2Error

#: Packages whose versions explain most differences between two machines.
PACKAGES: Final = (
    "torch",
    "transformers",
    "safetensors",
    "av",
    "numpy",
    "pillow",
    "onnxruntime-gpu",
    "onnxruntime",
    "openvino",
    "tensorrt",
    "tensorrt-rtx",
    "onnx",
)

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Check:
    """One thing looked at. Only `missing` makes the command fail."""

    state: State
    what: str
    found: str


@click.command()
def doctor() -> int:
    """Tell what this machine has, what is missing, and what to do about it.

    The exit code is 0 if `vqa2 score` works with the embedded model, else 4.
    """
    from vqa2cli.report.plain_text import one_line

    failed = False
    for check in _checks():  # as they are made: the last ones take a while
        failed |= check.state == "missing"
        click.echo(one_line(f"{check.state:<8}{check.what:<20}{check.found}"))
    return MissingError.exit_code if failed else 0


def _checks() -> Iterator[Check]:
    yield Check("ok", "vqa2", VERSION)
    yield Check("ok", "python", f"{platform.python_version()} on {platform.platform()}")
    yield from _packages()
    yield from _decoder()
    yield from _devices()
    yield from _default_path()


def _packages() -> Iterator[Check]:
    found = {name: _version(name) for name in PACKAGES}
    for name, number in found.items():
        if number is not None:
            yield Check("ok", name, number)
    runtimes = [name for name in ("onnxruntime-gpu", "onnxruntime") if found[name]]
    if len(runtimes) == 2:
        yield Check(
            "note",
            "onnxruntime",
            "onnxruntime and onnxruntime-gpu write the same folder, and both are installed; run: "
            "pip uninstall -y onnxruntime onnxruntime-gpu, then pip install vqa2 again",
        )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _decoder() -> Iterator[Check]:
    try:
        import av
    except ImportError as error:
        yield Check("missing", "decoder", f"PyAV cannot be loaded ({error}); pip install av")
        return
    yield Check("ok", "ffmpeg in av", av.ffmpeg_version_info)


def _devices() -> Iterator[Check]:
    try:
        import torch
    except ImportError as error:
        yield Check("missing", "torch", f"cannot be loaded ({error}); pip install torch")
        return
    yield Check("ok", "cpu", f"{torch.get_num_threads()} threads for torch")
    if not torch.cuda.is_available():
        yield Check("note", "cuda", "no device that torch can use; models run on the CPU")
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(index)
        memory = facts.total_memory / 2**30
        yield Check("ok", f"cuda:{index}", f"{facts.name}, {memory:.1f} GiB")


def _default_path() -> Iterator[Check]:
    """Load the embedded model as `vqa2 score` does."""
    from vqa2cli.model import load_model

    try:
        model = load_model(EMBEDDED_MODEL)
    except Vqa2Error as error:
        yield Check("missing", "embedded model", str(error))
        return  # and no engine has anything to run
    info = model.info
    yield Check("ok", "embedded model", f"{info.name}, protocol {info.protocol}, {info.precision}")
    yield Check("ok", "its sha256", info.sha256)
    yield from _engines()


def _engines() -> Iterator[Check]:
    """Run a few motion frames through each engine; only the automatic choice has to work."""
    import numpy as np

    from vqa2cli.model import load_model

    for name in get_args(EngineName):
        try:
            model = load_model(EMBEDDED_MODEL, engine=name)
            stream = model.open_motion()
            side = model.sampling().motion_size
            stream.push(np.zeros((4, side, side, 3), np.uint8))
            stream.finish()
        except Vqa2Error as error:
            yield Check("missing" if name == "auto" else "note", f"engine {name}", str(error))
        else:
            yield Check("ok", f"engine {name}", f"runs ({model.info.engine}, {model.info.device})")
