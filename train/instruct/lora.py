"""Low-rank adapters of the language model, by peft, and weights with them merged in."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from train.instruct.recipe import Lora
from vqa2cli.errors import MissingError
from vqa2cli.model.network import Vqa2Network

#: Linear layers of a decoder layer that get an adapter.
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def add_adapters(network: Vqa2Network, lora: Lora, seed: int = 0) -> None:
    """Freeze the language model and give its linear layers adapters that learn.

    Args:    seed: decides the adapters' first weights, alike in all processes.
    Raises:
        MissingError: peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingError("LoRA needs peft; pip install 'vqa2[lora]'") from error
    config = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, target_modules=list(TARGETS))
    network.llm.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, network.llm)


def merged_state(network: Vqa2Network, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a state by plain keys with every adapter added to the weight it adapts."""
    merged = {
        key.replace(".base_layer.", "."): value
        for key, value in state.items()
        if ".lora_" not in key
    }
    for name, module in network.named_modules():
        found: Any = module
        if hasattr(module, "lora_A"):
            (adapter,) = found.lora_A.keys()
            up = state[f"{name}.lora_B.{adapter}.weight"].float()
            down = state[f"{name}.lora_A.{adapter}.weight"].float()
            weight = merged[f"{name}.weight"]
            delta = (up @ down) * found.scaling[adapter]
            merged[f"{name}.weight"] = (weight.float() + delta).to(weight.dtype)
    return merged
