"""The model stage 1 starts from: a LLaVA-OneVision, SlowFast-R50 and fresh motion parts.

The paper builds on llava-onevision-qwen2-7b-ov-chat and SlowFast-R50 8x8 trained on Kinetics;
the table of positions and the motion projector begin as transformers begins missing modules,
normal with a deviation of 0.02 and no bias (REFERENCE.md §3).
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from train.instruct.authors_code import unused_tensors
from train.instruct.memory import config_of
from train.instruct.publish import save_whole
from vqa2cli.errors import ModelError, UsageError
from vqa2cli.model.checkpoint import READ_ERRORS, Checkpoint, open_checkpoint
from vqa2cli.model.dimensions import MotionDims, NetworkConfig
from vqa2cli.model.slowfast import FastPathway

#: Deviation of weights that begin anew.
_DEVIATION = 0.02

#: The new shard, and the index over it and the others.
_SHARD, _INDEX = "motion.safetensors", "model.safetensors.index.json"

_MOTION = "model.slowfast."

#: A tensor of the motion branch under any of the names it goes by; blocks 5 and 6 are its head.
_BLOCK = re.compile(r"(?:.*\.)?([0-4]\.multipathway_(?:blocks|fusion)\..+)")


def make_base(llava: Path, slowfast: Path, out: Path, seed: int = 0) -> Path:
    """Write a model directory that stage 1 can start from, and return it.

    The files of `llava` are linked where the disk allows it, else copied, and not changed.

    Args:
        llava: directory of safetensors, as LLaVA-OneVision is published.
        slowfast: table of tensors of SlowFast-R50 8x8 (.pyth, .pth, .safetensors).
        seed: of what begins anew.

    Raises:
        ModelError: either cannot be read, or is another network.
        UsageError: `out` holds something already, or cannot be written.
    """
    checkpoint = open_checkpoint(llava)
    _check_llava(checkpoint)
    width = checkpoint.shapes["model.embed_tokens.weight"][1]
    motion = {**read_slowfast(slowfast), **_fresh(width, seed)}
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty; choose another --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        _bring(checkpoint, out)
        save_whole(motion, out / _SHARD)
        _write_index(checkpoint, motion, out / _INDEX)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from error
    config_of(out)
    return out


def read_slowfast(path: Path) -> dict[str, Tensor]:
    """Return the motion branch of a file by published key, both pathways, float32.

    What no result depends on is made where the file has none.

    Raises:
        ModelError: the file cannot be read, or is no SlowFast-R50 8x8.
    """
    found = {
        f"{_MOTION}feature_extraction.{match[1]}": value
        for key, value in _table(path).items()
        if (match := _BLOCK.fullmatch(key))
    }
    with torch.device("meta"):
        fast = FastPathway(MotionDims()).feature_extraction.state_dict()
    used = {f"{_MOTION}feature_extraction.{key}": value for key, value in fast.items()}
    unused = {key: each for key, each in unused_tensors(NetworkConfig()).items() if "slow" in key}
    if missing := [key for key in used if key not in found]:
        raise ModelError(
            f"{path}: {len(missing)} of {len(used)} tensors of SlowFast-R50's fast pathway are "
            f"missing, the first is {missing[0]}; give the weights of SLOWFAST_8x8_R50"
        )
    whole = {key: found.get(key, value) for key, value in {**used, **unused}.items()}
    for key, value in {**used, **unused}.items():
        if whole[key].shape != value.shape:
            raise ModelError(
                f"{path}: {key} is {tuple(whole[key].shape)}, not {tuple(value.shape)}; give the "
                "weights of SLOWFAST_8x8_R50"
            )
    return {key: value.contiguous().clone() for key, value in whole.items()}


def _table(path: Path) -> Mapping[str, Tensor]:
    """Return a file's tensors by name; nothing a file says is run."""
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with warnings.catch_warnings():  # torch's doubts about a pickle it then refuses
            warnings.simplefilter("ignore")
            raw = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: holds a program, not a table of tensors, and is not run; give the published "
            "SLOWFAST_8x8_R50.pyth, or save its state_dict()"
        ) from error
    except READ_ERRORS as error:
        raise ModelError(f"{path}: cannot be read ({error}); download it again") from error
    table = raw.get("model_state", raw) if isinstance(raw, Mapping) else {}
    return {key: value for key, value in table.items() if isinstance(value, Tensor)}


def _check_llava(checkpoint: Checkpoint) -> None:
    where = checkpoint.directory
    if any(path.suffix != ".safetensors" for path in checkpoint.files):
        raise ModelError(f"{where}: pickled weights; give them as safetensors")
    for key in ("model.embed_tokens.weight", "model.image_newline", "model.mm_projector.0.weight"):
        if key not in checkpoint.shapes:
            raise ModelError(f"{where}: no tensor {key}; these are not weights of a LLaVA model")
    if any(key.startswith(_MOTION) for key in checkpoint.shapes):
        raise ModelError(f"{where}: has a motion branch already; train from it as it is")


def _fresh(width: int, seed: int) -> dict[str, Tensor]:
    """Return the position table and the motion projector into `width`, begun anew."""
    draw = torch.Generator().manual_seed(seed)
    dims = MotionDims()
    shapes = {
        f"{_MOTION}position_embedding.weight": (dims.positions, dims.width),
        "model.slowfast_projector.0.weight": (width, dims.width),
        "model.slowfast_projector.2.weight": (width, width),
    }
    weights = {
        key: torch.randn(shape, generator=draw) * _DEVIATION for key, shape in shapes.items()
    }
    biases = {f"model.slowfast_projector.{layer}.bias": torch.zeros(width) for layer in (0, 2)}
    return {**weights, **biases}


def _bring(checkpoint: Checkpoint, out: Path) -> None:
    """Link or copy the weights, and copy what lies beside them, less the index."""
    for path in checkpoint.files:
        try:
            os.link(path.resolve(), out / path.name)
        except OSError:  # another disk, or one that knows no links
            shutil.copyfile(path, out / path.name)
    for path in checkpoint.directory.iterdir():
        if path.suffix in (".json", ".txt") and path.name != _INDEX:
            shutil.copyfile(path, out / path.name)


def _write_index(checkpoint: Checkpoint, motion: Mapping[str, Tensor], path: Path) -> None:
    places = {key: _SHARD for key in motion}
    for file in checkpoint.files:
        with safe_open(file, framework="pt") as held:
            places.update(dict.fromkeys(held.keys(), file.name))
    index = {"metadata": {}, "weight_map": dict(sorted(places.items()))}
    path.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
