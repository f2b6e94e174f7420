"""The vision tower: SigLIP's encoder over a patch embedding or a convolutional stem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from transformers import SiglipVisionConfig
from transformers.models.siglip.modeling_siglip import SiglipEncoder

from vqa2cli.model.dimensions import VisionDims, VisionStem
from vqa2cli.model.inverted import STRIDE, InvertedStem
from vqa2cli.model.slowfast import normalise


class Embeddings(nn.Module):
    """Patches and their learned positions; names follow SigLIP's state dict."""

    def __init__(self, dims: VisionDims) -> None:
        super().__init__()
        self.patch_embedding = STEMS[dims.stem](dims)
        self.position_embedding = nn.Embedding(dims.grid**2, dims.hidden_size)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def forward(self, pictures: Tensor) -> Tensor:
        """[N, 3, S, S] -> [N, patches, C]."""
        patches = self.patch_embedding(pictures).flatten(2).transpose(1, 2)
        tokens: Tensor = patches + self.position_embedding.weight
        return tokens


def patch_stem(dims: VisionDims) -> nn.Conv2d:
    """Return SigLIP's own patch embedding."""
    return nn.Conv2d(3, dims.hidden_size, dims.patch_size, dims.patch_size)


def inverted_stem(dims: VisionDims) -> InvertedStem:
    """Return EfficientNet-Lite0's first stages.

    Raises:
        ValueError: patches are not of 16 pixels.
    """
    if dims.patch_size != STRIDE:
        raise ValueError(
            f"patches of {dims.patch_size} px; the inverted stem makes patches of {STRIDE} px"
        )
    return InvertedStem(dims.hidden_size)


#: What turns pictures into patches, by the name in a `config.json`.
STEMS: dict[VisionStem, Callable[[VisionDims], nn.Module]] = {
    "patch": patch_stem,
    "inverted": inverted_stem,
}


class VisionTower(nn.Module):
    """Pixels to patch tokens: the last kept layer's output, before any final norm."""

    def __init__(self, dims: VisionDims) -> None:
        super().__init__()
        self.dims = dims
        self.embeddings = Embeddings(dims)
        self.encoder = SiglipEncoder(_siglip_config(dims))

    def attend(self, how: str) -> None:
        """Choose the arithmetic of attention by transformers' name: `sdpa` or `eager`."""
        self.encoder.config._attn_implementation = how

    def pictures(self, pixels: Tensor) -> Tensor:
        """Return the stem's input, float32 [N, 3, S, S] in [-1, 1], of pixels [N, S, S, 3].

        Raises:
            ValueError: the pictures are not `image_size` pixels a side.
        """
        side = self.dims.image_size
        if pixels.dim() != 4 or tuple(pixels.shape[1:]) != (side, side, 3):
            raise ValueError(f"key frames are {tuple(pixels.shape)}, not [N, {side}, {side}, 3]")
        return normalise(pixels).permute(0, 3, 1, 2)

    def patches(self, pixels: Tensor) -> Tensor:
        """Return what an inverted stem's trunk finds: [N, S, S, 3] -> [N, S / 16, S / 16, C]."""
        stem = self.embeddings.patch_embedding
        assert isinstance(stem, InvertedStem)
        dtype = self.embeddings.position_embedding.weight.dtype
        return stem.patches(self.pictures(pixels).to(dtype)).permute(0, 2, 3, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """uint8 or float RGB in 0-255 [N, S, S, 3] -> [N, patches, C].

        What `patches` found before may stand in for the pixels.
        """
        dtype = self.embeddings.position_embedding.weight.dtype
        stem = self.embeddings.patch_embedding
        found = isinstance(stem, InvertedStem) and pixels.shape[-1] == stem.channels
        seen = pixels.permute(0, 3, 1, 2) if found else self.pictures(pixels)
        embedded = self.embeddings(seen.to(dtype))
        tokens: Tensor = self.encoder(inputs_embeds=embedded).last_hidden_state
        return tokens


def _siglip_config(dims: VisionDims) -> Any:
    config = SiglipVisionConfig(
        hidden_size=dims.hidden_size,
        intermediate_size=dims.intermediate_size,
        num_hidden_layers=dims.num_hidden_layers,
        num_attention_heads=dims.num_attention_heads,
        image_size=dims.image_size,
        patch_size=dims.patch_size,
    )
    config._attn_implementation = "sdpa"
    return config
