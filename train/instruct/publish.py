"""Model directories out of training: the published key layout, nothing of the source lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from train.instruct.authors_code import authors_fields, unused_tensors
from vqa2cli.model.checkpoint import Checkpoint, read_json
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.weights import CONFIG_FILE, TOKENIZER_FILES, our_key, published_key

WEIGHTS_FILE = "model.safetensors"

#: Adapters of a checkpoint that is trained with LoRA; they are part of a finished model's weights.
ADAPTER_FILE = "adapter.safetensors"

#: What else of a source directory its other readers want.
_COMPANIONS = ("generation_config.json", "special_tokens_map.json", "added_tokens.json")

#: How peft names the weights under an adapter, and the adapters themselves.
_BASE, _ADAPTER = ".base_layer.", ".lora_"

#: What the head over visual tokens is called; it means nothing over a tower that has changed.
_HEAD = "distortion_head."


@dataclass(frozen=True)
class Publisher:
    """Writes states of one network, with what the source held besides.

    Slow-pathway, fusion and post-layernorm tensors never reach our result and are not in the
    network, but the authors' code loads them: they are carried over as they are, and made where
    the source has none and the authors' code can hold the network. So is every field of the
    source's `config.json`; ours stand beside them under `vqa2`.
    """

    source: Checkpoint
    network_keys: frozenset[str]
    config: Mapping[str, object]
    dims: NetworkConfig

    @classmethod
    def of(cls, network: Vqa2Network, source: Checkpoint) -> Publisher:
        """Return the publisher of a network loaded from `source`, before adapters are added."""
        ours = network.config.to_json()
        raw = read_json(source.directory / CONFIG_FILE)
        theirs = authors_fields(network.config)
        merged = {**ours, **theirs, **raw, "vqa2": ours["vqa2"]}
        if raw.get("vqa2"):
            merged = {**theirs, **raw, **ours}
        return cls(source, frozenset(network.state_dict()), merged, network.config)

    def write(
        self, folder: Path, state: Mapping[str, Tensor], dtype: torch.dtype | None = None
    ) -> Path:
        """Write a model directory of a network's state and return it.

        Args:
            state: by our keys; adapters among them go to a file of their own.
            dtype: element type of trained tensors; None keeps the state's.
        """
        folder.mkdir(parents=True, exist_ok=True)
        plain = {key.replace(_BASE, "."): value for key, value in state.items()}
        adapters = {key: value for key, value in plain.items() if _ADAPTER in key}
        kept = {key: value for key, value in plain.items() if key not in adapters}
        if self.config.get("tie_word_embeddings"):
            kept.pop("llm.lm_head.weight", None)
        tensors = {published_key(key): _cast(value, dtype) for key, value in kept.items()}
        unused = {key: _cast(value, dtype) for key, value in unused_tensors(self.dims).items()}
        save_whole({**unused, **tensors, **self._carried()}, folder / WEIGHTS_FILE)
        if adapters:
            save_whole(
                {key: _cast(value, None) for key, value in adapters.items()}, folder / ADAPTER_FILE
            )
        text = json.dumps(self.config, indent=1) + "\n"
        (folder / CONFIG_FILE).write_text(text, encoding="utf-8")
        for name in (*TOKENIZER_FILES, *_COMPANIONS):
            if (self.source.directory / name).is_file():
                shutil.copyfile(self.source.directory / name, folder / name)
        return folder

    def _carried(self) -> dict[str, Tensor]:
        """Return the source's tensors that the network does not have, less those of a head."""
        known = {*self.network_keys, *(key for key in self.source.shapes if key.startswith(_HEAD))}
        if all(our_key(key) in known for key in self.source.shapes):
            return {}
        return {
            key: tensor.contiguous()
            for key, tensor in self.source.tensors()
            if our_key(key) not in known
        }


def read_state(folder: Path) -> dict[str, Tensor]:
    """Return the state of a checkpoint by our keys, adapters included."""
    from safetensors.torch import load_file

    state = {our_key(key): value for key, value in load_file(folder / WEIGHTS_FILE).items()}
    if (folder / ADAPTER_FILE).is_file():
        state.update(load_file(folder / ADAPTER_FILE))
    return state


def _cast(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    kept = tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor
    return kept.detach().cpu().contiguous().clone()


def save_whole(tensors: dict[str, Tensor], path: Path) -> None:
    """Write a safetensors file that appears whole or not at all."""
    partial = path.with_suffix(".part")
    save_file(tensors, partial, metadata={"format": "pt"})
    partial.chmod(0o644)  # safetensors leaves it to the owner alone
    partial.rename(path)
