"""Networks to and from directories in the published key layout."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from engines.cache import ArtifactCache
from engines.export import onnx_bytes
from vqa2cli.errors import ModelError
from vqa2cli.model.checkpoint import Checkpoint, open_checkpoint, read_json
from vqa2cli.model.dimensions import (
    LanguageDims,
    MotionDims,
    NetworkConfig,
    VisionDims,
    language_dims,
)
from vqa2cli.model.motion import motion_graph
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.slowfast import FastPathway

#: Published prefix and ours, tried in this order.
PREFIXES = (
    ("lm_head.", "llm.lm_head."),
    ("model.slowfast_projector.", "slowfast_projector."),
    ("model.slowfast.", "slowfast."),
    ("model.vision_tower.vision_tower.vision_model.", "vision_tower."),
    ("model.mm_projector.", "mm_projector."),
    ("model.image_newline", "image_newline"),
    ("model.", "llm.model."),
)

#: Files of a model directory besides its weights.
CONFIG_FILE = "config.json"
MOTION_ONNX = "motion.onnx"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt")

#: Heads of the SigLIP towers by width; tensors do not tell them (transformers' own configs).
SIGLIP_HEADS = {768: 12, 1024: 16, 1152: 16}

#: Width of a head in towers of any other width.
SMALL_HEAD_WIDTH = 16

#: Width of a Qwen2 head where a configuration does not give the number of heads.
QWEN2_HEAD_WIDTH = 128

_TOWER = "vision_tower."
_STEM = "slowfast.feature_extraction.0.multipathway_blocks.1.conv.weight"


@dataclass(frozen=True)
class LoadedNetwork:
    """A network with its weights, and where they came from."""

    network: Vqa2Network
    checkpoint: Checkpoint


def load_network(
    directory: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> LoadedNetwork:
    """Return the network of a directory, in evaluation mode.

    Sizes are read from the tensors, so any vocabulary, depth or width loads. Slow-pathway and
    fusion tensors and everything else the network does not have are ignored. Rotary
    frequencies stay float32 whatever `dtype` is (REFERENCE.md §2.5).

    Raises:
        ModelError: weights are missing, damaged or of another layout.
    """
    raw = read_json(directory / CONFIG_FILE)
    checkpoint = open_checkpoint(directory)
    shapes = {our_key(key): shape for key, shape in checkpoint.shapes.items()}
    config = read_config(directory, raw, shapes)
    with torch.device("meta"):
        network = Vqa2Network(config)
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    _check_layout(directory, wanted, shapes, tied=config.language.tie_word_embeddings)
    state = _read_state(checkpoint, wanted, device, dtype)
    network.load_state_dict(state, strict=False, assign=True)
    _revive(network, device)
    return LoadedNetwork(network.eval(), checkpoint)


def load_pathway(directory: Path) -> tuple[FastPathway, int]:
    """Return the motion branch of a directory in float32, and the side of its frames, pixels.

    Raises:
        ModelError: weights are missing, damaged or of another layout.
    """
    raw = read_json(directory / CONFIG_FILE)
    checkpoint = open_checkpoint(directory)
    shapes = {our_key(key): shape for key, shape in checkpoint.shapes.items()}
    config = read_config(directory, raw, shapes)
    with torch.device("meta"):
        pathway = FastPathway(config.motion)
    wanted = {f"slowfast.{key}": tuple(value.shape) for key, value in pathway.state_dict().items()}
    _check_layout(directory, wanted, shapes, tied=False)
    state = _read_state(checkpoint, wanted, "cpu", torch.float32)
    plain = {key.removeprefix("slowfast."): tensor for key, tensor in state.items()}
    pathway.load_state_dict(plain, assign=True)
    return pathway.eval(), config.motion_size


def our_key(key: str) -> str:
    """Return our name of a published key."""
    for published, ours in PREFIXES:
        if key.startswith(published):
            return ours + key[len(published) :]
    return key


def published_key(key: str) -> str:
    """Return the published name of one of our keys."""
    for published, ours in PREFIXES:
        if key.startswith(ours):
            return published + key[len(ours) :]
    return key


def read_config(
    directory: Path, raw: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> NetworkConfig:
    """Return the network's sizes: our own section of `config.json`, or what the tensors say.

    Raises:
        ModelError: tensors that tell the sizes are missing, or the section is wrong.
    """
    try:
        if raw.get("vqa2"):
            config = NetworkConfig.from_json(raw)
            rows = shapes["llm.model.embed_tokens.weight"][0]
            return replace(config, language=replace(config.language, vocab_size=rows))
        return NetworkConfig(
            vision=_vision_dims(raw, shapes),
            motion=_motion_dims(shapes),
            language=_language_dims(raw, shapes),
        )
    except KeyError as error:
        key = published_key(str(error.args[0]))
        raise ModelError(
            f"{directory}: no tensor {key}; these are not weights of a VQA2 model"
        ) from error
    except (ValueError, ZeroDivisionError) as error:
        raise ModelError(f"{directory}: unusable {CONFIG_FILE} ({error})") from error


def stated_protocol(directory: Path) -> str:
    """Return the protocol that a model directory's own configuration states, "" if none."""
    section = read_json(directory / CONFIG_FILE).get("vqa2") or {}
    return str(section.get("protocol") or "") if isinstance(section, Mapping) else ""


def _vision_dims(raw: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> VisionDims:
    width, _, patch, _ = shapes[f"{_TOWER}embeddings.patch_embedding.weight"]
    side = round(shapes[f"{_TOWER}embeddings.position_embedding.weight"][0] ** 0.5)
    return VisionDims(
        image_size=_image_size(raw, side, patch),
        patch_size=patch,
        hidden_size=width,
        num_hidden_layers=_count(shapes, rf"{_TOWER}encoder\.layers\.(\d+)\."),
        num_attention_heads=SIGLIP_HEADS.get(width) or max(1, width // SMALL_HEAD_WIDTH),
        intermediate_size=shapes[f"{_TOWER}encoder.layers.0.mlp.fc1.weight"][0],
    )


def _image_size(raw: Mapping[str, Any], side: int, patch: int) -> int:
    """The picture's side cannot be told from 27 x 14 patches: 378 and 384 both give them."""
    named = re.search(r"-(\d+)$", str(raw.get("mm_vision_tower") or ""))
    for size in (raw.get("image_crop_resolution"), named and int(named.group(1))):
        if isinstance(size, int) and size // patch == side:
            return size
    return side * patch


def _motion_dims(shapes: Mapping[str, tuple[int, ...]]) -> MotionDims:
    inner, outer, depths = [], [], []
    for index in range(1, 5):
        blocks = f"slowfast.feature_extraction.{index}.multipathway_blocks.1.res_blocks."
        inner.append(shapes[f"{blocks}0.branch2.conv_a.weight"][0])
        outer.append(shapes[f"{blocks}0.branch2.conv_c.weight"][0])
        depths.append(_count(shapes, re.escape(blocks) + r"(\d+)\."))
    return MotionDims(
        stem=shapes[_STEM][0],
        inner=tuple(inner),
        outer=tuple(outer),
        depths=tuple(depths),
        positions=shapes["slowfast.position_embedding.weight"][0],
    )


def _language_dims(raw: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> LanguageDims:
    rows, width = shapes["llm.model.embed_tokens.weight"]
    layer = "llm.model.layers.0."
    heads = int(raw.get("num_attention_heads") or width // QWEN2_HEAD_WIDTH)
    return replace(
        language_dims(raw),
        vocab_size=rows,
        hidden_size=width,
        num_attention_heads=heads,
        num_key_value_heads=shapes[f"{layer}self_attn.k_proj.weight"][0] // (width // heads),
        intermediate_size=shapes[f"{layer}mlp.gate_proj.weight"][0],
        num_hidden_layers=_count(shapes, r"llm\.model\.layers\.(\d+)\."),
    )


def _count(shapes: Mapping[str, tuple[int, ...]], pattern: str) -> int:
    found = {int(match.group(1)) for key in shapes if (match := re.match(pattern, key))}
    return max(found, default=-1) + 1


def _check_layout(
    directory: Path,
    wanted: Mapping[str, tuple[int, ...]],
    found: Mapping[str, tuple[int, ...]],
    *,
    tied: bool,
) -> None:
    optional = ("num_batches_tracked", *(("llm.lm_head.weight",) if tied else ()))
    missing = [key for key in wanted if key not in found and not key.endswith(optional)]
    if missing:
        raise ModelError(
            f"{directory}: {len(missing)} of {len(wanted)} tensors are missing, the first is "
            f"{published_key(missing[0])}; these are not whole weights of a VQA2 model"
        )
    for key, shape in wanted.items():
        if found.get(key, shape) != shape:
            raise ModelError(
                f"{directory}: tensor {published_key(key)} is {found[key]}, not {shape}; "
                f"{CONFIG_FILE} and the weights do not belong together"
            )


def _read_state(
    checkpoint: Checkpoint, wanted: Mapping[str, tuple[int, ...]], device: str, dtype: torch.dtype
) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for published, tensor in checkpoint.tensors(device):
        key = our_key(published)
        if key in wanted:
            state[key] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    for key in wanted:
        if key.endswith("num_batches_tracked"):
            state.setdefault(key, torch.zeros((), dtype=torch.long, device=device))
    return state


def _revive(network: Vqa2Network, device: str) -> None:
    """Build what a state dict does not hold: tied rows and rotary frequencies, float32."""
    language = network.llm.model
    if network.config.language.tie_word_embeddings:
        network.llm.lm_head.weight = language.embed_tokens.weight
    language.rotary_emb = type(language.rotary_emb)(config=network.llm.config).to(device)


def save_network(
    network: Vqa2Network,
    tokenizer_dir: Path,
    out_dir: Path,
    *,
    dtype: torch.dtype | None = None,
) -> Path:
    """Write a directory `load_network` reads and return it.

    Args:
        tokenizer_dir: where the tokenizer's files are copied from.
        dtype: element type of the file; None keeps the network's.

    A `motion.onnx` of earlier weights is removed; `export_motion` writes a new one.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    state = {}
    for key, tensor in network.state_dict().items():
        if key == "llm.lm_head.weight" and network.config.language.tie_word_embeddings:
            continue
        kept = tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
        state[published_key(key)] = kept.detach().cpu().contiguous().clone()
    save_file(state, out_dir / "model.safetensors", metadata={"format": "pt"})
    (out_dir / "model.safetensors").chmod(0o644)  # safetensors leaves it to the owner alone
    text = json.dumps(network.config.to_json(), indent=1)
    (out_dir / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
    (out_dir / MOTION_ONNX).unlink(missing_ok=True)
    copy_tokenizer(tokenizer_dir, out_dir)
    return out_dir


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer of one model directory into another, which is there."""
    for name in TOKENIZER_FILES:
        file = source / name
        if file.is_file() and file.resolve() != (target / name).resolve():
            shutil.copyfile(file, target / name)


def export_motion(directory: Path) -> Path:
    """Write the motion branch of a model directory beside its weights as ONNX.

    An export of the same branch that is kept from another model is taken as it is.

    Raises:
        ModelError: the weights cannot be loaded.
        engines.errors.EngineUnavailable: the `export` extra is missing, or the file differs.
    """
    network = load_network(directory).network
    graph = motion_graph(network.slowfast, network.config.motion_size)
    path = directory / MOTION_ONNX
    path.write_bytes(onnx_bytes(graph, "fp32", ArtifactCache()))
    return path
