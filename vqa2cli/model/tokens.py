"""How features become the sequence the language model reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vqa2cli.model.dimensions import Pooling

#: Stands in the prompt's ids where a block of features goes (the authors' convention).
IMAGE_SLOT = -200


def pool_tokens(tokens: Tensor, pooling: Pooling) -> Tensor:
    """Return fewer tokens a key frame, [N, side*side, D] -> [N, P, D].

    "bilinear" halves the patch grid, rounding up, by bilinear interpolation without
    antialiasing (27 x 27 -> 14 x 14; REFERENCE.md §2.2); "mean_std" keeps the mean and the
    standard deviation over all patches.
    """
    if pooling == "mean_std":
        mean = tokens.mean(dim=1)
        variance = (tokens - mean.unsqueeze(1)).square().mean(dim=1)
        return torch.stack([mean, (variance + 1e-6).sqrt()], dim=1)  # finite gradient at 0
    count, patches, width = tokens.shape
    side = round(patches**0.5)
    half = (side + 1) // 2
    grid = tokens.transpose(1, 2).reshape(count, width, side, side)
    small = F.interpolate(grid, size=(half, half), mode="bilinear", align_corners=False)
    return small.flatten(2).transpose(1, 2)


def visual_block(tokens: Tensor, newline: Tensor) -> Tensor:
    """Return all key frames' tokens in time order and one newline: [N, P, D] -> [N*P + 1, D]."""
    return torch.cat([tokens.flatten(0, 1), newline.to(tokens.dtype).unsqueeze(0)])


def assemble(input_ids: Sequence[int], blocks: Sequence[Tensor], embed: nn.Embedding) -> Tensor:
    """Return the embedded sequence [S, D]: each slot of `input_ids` takes the next block.

    Blocks beyond the number of slots are left out, as in the streaming prompt, which has
    one slot and two blocks.

    Raises:
        ValueError: there are more slots than blocks.
    """
    slots = sum(1 for token in input_ids if token == IMAGE_SLOT)
    if slots > len(blocks):
        raise ValueError(f"the prompt has {slots} image slots but {len(blocks)} feature blocks")
    parts: list[Tensor] = []
    waiting = iter(blocks)
    text: list[int] = []
    for token in [*input_ids, None]:
        if token is not None and token != IMAGE_SLOT:
            text.append(token)
            continue
        if text:
            parts.append(embed(torch.tensor(text, device=embed.weight.device)))
            text = []
        if token == IMAGE_SLOT:
            parts.append(next(waiting).to(embed.weight.dtype))
    return torch.cat(parts)


def pad(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return sequences [S_i, D] right-padded to [B, S, D] and their mask int64 [B, S]."""
    embeds = nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
    mask = torch.zeros(embeds.shape[:2], dtype=torch.long, device=embeds.device)
    for row, sequence in enumerate(sequences):
        mask[row, : len(sequence)] = 1
    return embeds, mask
