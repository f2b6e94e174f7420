"""The network as a learner of answers: a batch of conversations in, a loss out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from train.instruct.parts import learns
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.tokens import pad

#: Motion frames of the black clip that stands in where a batch has no motion.
_BLANK_FRAMES = 4


class InstructTask(nn.Module):
    """Next-token loss on answers, averaged over each conversation, then over the batch.

    At the authors' one conversation a device this is their loss, and it does not change with
    how conversations are spread over batches, accumulation and devices.

    Args:
        touch_all: run every part even on a batch that has nothing for it, times zero. Sharded
            weights are gathered by all processes at once, so all must take the same path.
    """

    def __init__(self, network: Vqa2Network, *, touch_all: bool = False) -> None:
        super().__init__()
        self.network, self.touch_all = network, touch_all

    def forward(
        self,
        keyframes: Sequence[Tensor],
        motion: Sequence[Tensor],
        ids: Sequence[Tensor],
        columns: Sequence[Tensor],
        tokens: Sequence[Tensor],
    ) -> dict[str, Tensor]:
        """Return `loss`, and `losses` [B] of each conversation; fields as in `Example`."""
        keep_rotary_exact(self.network)
        visual = self._visual(keyframes)
        moving = [self._moving(frames) for frames in motion]
        rows = [
            self.network.assemble(each, blocks)
            for each, *blocks in zip(ids, visual, moving, strict=True)
        ]
        losses = answer_losses(self.network, rows, columns, tokens)
        return {"loss": losses.mean() + self._untouched(motion), "losses": losses.detach()}

    def _visual(self, keyframes: Sequence[Tensor]) -> list[Tensor]:
        """Return the visual block of each conversation; the tower sees all key frames at once."""
        network = self.network
        learning = learns(network.vision_tower) or learns(network.mm_projector)
        with torch.set_grad_enabled(learning and torch.is_grad_enabled()):
            tokens = network.visual_tokens(torch.cat(list(keyframes)))
        counts = [len(each) for each in keyframes]
        return [network.visual_block(each) for each in tokens.split(counts)]

    def _moving(self, frames: Tensor) -> Tensor:
        """Return the motion block of one conversation; batch norms see one clip at a time."""
        network = self.network
        if len(frames) == 0:
            return network.image_newline.new_zeros(0, len(network.image_newline))
        if learns(network.slowfast):
            return network.motion_tokens(network.motion_features(frames))
        with torch.no_grad():
            features = network.motion_features(frames)
        return network.motion_tokens(features)

    def _untouched(self, motion: Sequence[Tensor]) -> Tensor | float:
        """Return zero, through the motion branch where no conversation went that way."""
        if not self.touch_all or any(len(frames) for frames in motion):
            return 0.0
        side = self.network.config.motion_size
        blank = torch.zeros(_BLANK_FRAMES, side, side, 3, device=motion[0].device)
        return 0.0 * self._moving(blank).sum()


def answer_losses(
    network: Vqa2Network,
    rows: Sequence[Tensor],
    columns: Sequence[Tensor],
    tokens: Sequence[Tensor],
) -> Tensor:
    """Return the mean next-token loss of each conversation [B].

    Args:
        rows: embedded sequences [S_i, D].
        columns: where in each the loss is taken, [L_i].
        tokens: the tokens due there, [L_i].
    """
    embeds, mask = pad(rows)
    places = nn.utils.rnn.pad_sequence(list(columns), batch_first=True)
    logits = network(embeds, mask, places)
    return torch.stack(
        [
            functional.cross_entropy(row[: len(due)], due)
            for row, due in zip(logits, tokens, strict=True)
        ]
    )


def keep_rotary_exact(network: Vqa2Network) -> None:
    """Make the rotary frequencies float32 again where a wrapper cast the whole module.

    DeepSpeed does, and frequencies rounded to half precision turn late positions by radians
    (REFERENCE §2.5).
    """
    language = network.llm.model
    rotary = language.rotary_emb
    if rotary.inv_freq.dtype != torch.float32:
        exact = type(rotary)(config=network.llm.config)
        language.rotary_emb = exact.to(rotary.inv_freq.device)


def recompute_layers(network: Vqa2Network) -> None:
    """Keep only the inputs of the layers of tower and language model, and compute them again.

    The layers are transformers' own, which know how; the motion branch is kept whole, as the
    authors' is.
    """
    layer: Any
    for layer in network.modules():
        if hasattr(layer, "gradient_checkpointing"):
            layer.gradient_checkpointing = True
            layer._gradient_checkpointing_func = partial(checkpoint, use_reentrant=False)
