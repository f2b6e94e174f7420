"""Keeps exports and built engines between runs: atomic, checked, and never mixed up.

An entry is a file with a line of JSON that holds its whole key and the digest of what follows.
It is read only if every field of the key is what is asked for; anything else is a miss.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import platformdirs
import torch
from torch import nn

from engines.contract import Graph

logger = logging.getLogger(__name__)

Key = Mapping[str, object]

#: Moves whenever what is written under a key changes meaning.
FORMAT = 1

#: Environment variable that moves the folder.
CACHE_VARIABLE = "VQA2_ENGINE_CACHE"


def default_cache_dir() -> Path:
    """Return where entries are kept: `VQA2_ENGINE_CACHE`, else the user's cache folder."""
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("vqa2")) / "engines"


class ArtifactCache:
    """A folder of entries. A folder that cannot be written costs a warning, not the run."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else default_cache_dir()

    def path(self, stem: str, key: Key) -> Path:
        """Return the file of a key; `stem` is for people."""
        return self.folder / f"{stem}-{_digest(_line(key))[:20]}.bin"

    def load(self, stem: str, key: Key) -> bytes | None:
        """Return what was saved under the key; None if nothing was, or if it is damaged."""
        path = self.path(stem, key)
        try:
            header, _, body = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            logger.warning("cannot read %s (%s); it is made again", path, error.strerror)
            return None
        if header != _header(key, body):
            logger.warning("%s is damaged or of something else; it is made again", path)
            return None
        return body

    def save(self, stem: str, key: Key, body: bytes) -> Path | None:
        """Keep `body` under the key, whole or not at all; None if the folder takes no files."""
        path = self.path(stem, key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(path, _header(key, body) + b"\n" + body)
        except OSError as error:
            logger.warning("cannot keep %s (%s); it is made again next time", path, error.strerror)
            return None
        return path

    def discard(self, stem: str, key: Key) -> None:
        """Forget what was saved under the key."""
        try:
            self.path(stem, key).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("cannot remove %s (%s)", self.path(stem, key), error.strerror)


def graph_hash(graph: Graph, precision: str) -> str:
    """Return a digest that moves with the graph's weights, code and shapes.

    It covers the ready ONNX file where that is what runs (fp32), else the module: its state,
    its structure, and the source files of its classes, because `forward` is in no state dict.
    """
    digest = hashlib.sha256(repr((graph.name, graph.inputs, graph.outputs)).encode())
    if graph.onnx is not None and precision == "fp32":
        digest.update(graph.onnx.read_bytes())
        return digest.hexdigest()
    module = graph.module()
    digest.update(f"{torch.__version__} {module}".encode())
    for name, tensor in sorted(module.state_dict().items()):
        plain = tensor.detach().cpu().contiguous().flatten()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(plain.view(torch.uint8).numpy().tobytes() if plain.numel() else b"")
    for source in _sources(module):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _sources(module: nn.Module) -> list[Path]:
    """Return the files that define the module's classes, torch's own left out."""
    classes = {type(child) for child in module.modules()}
    names = {kind.__module__ for kind in classes if not kind.__module__.startswith("torch.")}
    files = {inspect.getsourcefile(sys.modules[name]) for name in names if name in sys.modules}
    return sorted(Path(file) for file in files if file and Path(file).is_file())


def _line(key: Key) -> bytes:
    return json.dumps({"format": FORMAT, **key}, sort_keys=True).encode()


def _header(key: Key, body: bytes) -> bytes:
    sized = {"sha256": _digest(body), "bytes": len(body)}
    return b"vqa2-engine " + _line({**key, **sized})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _write(path: Path, data: bytes) -> None:
    """Write beside the target, flush to the disk, then rename: readers see all or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
