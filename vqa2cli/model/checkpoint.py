"""Weight files on disk: safetensors or pickled shards behind one reader."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vqa2cli.errors import ModelError

#: Where weights may lie, best first; an index names its shards.
WEIGHT_FILES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)

#: Bytes hashed at a time.
HASH_BLOCK = 1 << 20

#: What damaged weight files raise, besides safetensors' own error.
READ_ERRORS = (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Checkpoint:
    """The weight files of one directory: which tensors they hold, and where."""

    directory: Path
    files: tuple[Path, ...]
    shapes: dict[str, tuple[int, ...]]

    def tensors(self, device: str = "cpu") -> Iterator[tuple[str, Tensor]]:
        """Yield every tensor by its published key, file after file.

        Raises:
            ModelError: a file is damaged.
        """
        for path in self.files:
            with _Reading(path):
                yield from _read(path, device)

    def sha256(self) -> str:
        """Return the file's digest; of several files, the digest of their digests in order."""
        digests = [_digest(path) for path in self.files]
        if len(digests) == 1:
            return digests[0]
        return hashlib.sha256("".join(digests).encode()).hexdigest()


class _Reading:
    """Turns what a damaged file raises into one line that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, READ_ERRORS):
            reason = str(error).strip().splitlines()
            raise ModelError(
                f"{self.path}: damaged weights ({reason[0] if reason else type(error).__name__}); "
                "download or copy the file again"
            ) from error


def open_checkpoint(directory: Path) -> Checkpoint:
    """Return the weights of `directory`, safetensors before pickled files.

    Raises:
        ModelError: there are none, a shard is missing, or a file is damaged.
    """
    name = next((each for each in WEIGHT_FILES if (directory / each).is_file()), None)
    if name is None:
        found = ", ".join(sorted(path.name for path in directory.iterdir())[:8]) or "nothing"
        raise ModelError(
            f"{directory}: no weights (found: {found}); expected model.safetensors or "
            "pytorch_model.bin, whole or with its index"
        )
    files = _shards(directory / name) if name.endswith(".json") else (directory / name,)
    shapes: dict[str, tuple[int, ...]] = {}
    for path in files:
        with _Reading(path):
            shapes.update(_shapes(path))
    return Checkpoint(directory, files, shapes)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ModelError: it is missing or not a JSON object.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.parent}: no {path.name}; is this a model directory?") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not readable as JSON ({error}); download it again") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{path}: holds no JSON object; download it again")
    return raw


def _shards(index: Path) -> tuple[Path, ...]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ModelError(f"{index}: no weight_map; download it again")
    paths = tuple(index.parent / Path(name).name for name in sorted(set(weight_map.values())))
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise ModelError(
            f"{index.parent}: {len(missing)} of {len(paths)} weight files are missing "
            f"({missing[0]}); download the rest"
        )
    return paths


def _shapes(path: Path) -> dict[str, tuple[int, ...]]:
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    return {key: tuple(tensor.shape) for key, tensor in _unpickle(path, "cpu").items()}


def _read(path: Path, device: str) -> Iterator[tuple[str, Tensor]]:
    if path.suffix != ".safetensors":
        yield from _unpickle(path, device).items()
        return
    with safe_open(path, framework="pt", device=device) as file:
        for key in file.keys():  # noqa: SIM118 - the file is no mapping
            yield key, file.get_tensor(key)


def _unpickle(path: Path, device: str) -> dict[str, Tensor]:
    """Read tensors and nothing else: a pickle that wants to run code is refused."""
    raw = torch.load(path, map_location=device, weights_only=True)
    if not isinstance(raw, dict) or not all(isinstance(each, Tensor) for each in raw.values()):
        raise ValueError("it holds no plain table of tensors")
    return raw


def _digest(path: Path) -> str:
    target = path.resolve()
    if path.is_symlink() and re.fullmatch(r"[0-9a-f]{64}", target.name):
        return target.name  # the hub's cache names large files by their digest
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
