"""The network: tower, motion branch, projectors and language model, for training and scoring."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import Qwen2Config, Qwen2ForCausalLM

from vqa2cli.model import tokens as token_rules
from vqa2cli.model.dimensions import LanguageDims, NetworkConfig
from vqa2cli.model.expectation import StreamExpectation, statistics
from vqa2cli.model.facts import StreamTold, describe_stream
from vqa2cli.model.inverted import PATCH_CHANNELS
from vqa2cli.model.projector import projector
from vqa2cli.model.recognition import DistortionHead
from vqa2cli.model.slowfast import FastPathway, normalise
from vqa2cli.model.vision import VisionTower
from vqa2cli.video.media import StreamFacts


class Vqa2Network(nn.Module):
    """One graph for every size. Everything but decoding and text happens in here.

    Notation: N key frames, P tokens a key frame, T motion frames, C motion channels,
    D width of the language model, S length of a sequence, B batch.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        width = config.language.hidden_size
        self.vision_tower = VisionTower(config.vision)
        self.mm_projector = projector(config.vision.hidden_size, width)
        self.image_newline = nn.Parameter(torch.randn(width) * width**-0.5)
        self.slowfast = FastPathway(config.motion)
        self.slowfast_projector = projector(config.motion.width, width)
        self.llm = Qwen2ForCausalLM(qwen_config(config.language))
        kinds = len(config.distortions)
        self.distortion_head = DistortionHead(width, kinds) if kinds else None
        hidden, traits = config.expectation, config.traits
        channels = 2 * PATCH_CHANNELS
        self.stream_expectation = StreamExpectation(hidden, channels, traits) if hidden else None

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return self.image_newline.device

    @property
    def dtype(self) -> torch.dtype:
        """Element type of the parameters."""
        return self.image_newline.dtype

    def tell_stream(
        self, facts: StreamFacts, display: tuple[int, int] | None, seen: Tensor | None
    ) -> StreamTold:
        """Return what a prompt tells of an encode, and of how good streams like it usually look.

        Args:
            display: (width, height) the picture is shown at; None is its own size.
            seen: statistics of its key frames, [2C], where the network takes them.
        """
        expectation = self.stream_expectation
        usual = None if expectation is None else expectation.of(facts, display, seen)
        return StreamTold(describe_stream(facts, display, usual), usual)

    def see(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the tokens of each key frame, and statistics of what the trunk finds in it.

        Args:    pixels: uint8, or float in 0-255, RGB [N, H, W, 3].
        Returns: [N, P, D], and [N, 2C] where traits of pictures are weighed beside facts.
        """
        if not self.config.traits:
            return self.visual_tokens(pixels), None
        patches = self.vision_tower.patches(pixels)
        return self.visual_tokens(patches), statistics(patches)

    def visual_tokens(self, pixels: Tensor) -> Tensor:
        """Return the tokens of each key frame, no newline.

        Args:    pixels: uint8, or float in 0-255, RGB [N, H, W, 3].
        Returns: [N, P, D].
        """
        projected = self.mm_projector(self.vision_tower(pixels))
        return token_rules.pool_tokens(projected, self.config.pooling)

    def visual_block(self, tokens: Tensor) -> Tensor:
        """Return the block of all key frames, one newline at its end: [N, P, D] -> [N*P+1, D]."""
        return token_rules.visual_block(tokens, self.image_newline)

    def motion_features(self, frames: Tensor) -> Tensor:
        """Return one feature a frame, without its position.

        Args:    frames: uint8, or float in 0-255, RGB [B, T, H, W, 3] or [T, H, W, 3]; clips
                 of a batch are whole, so zero padding in time is right at both their ends.
        Returns: [B, T, C] or [T, C].

        Batch norms use running statistics unless `slowfast.freeze_norms(False)`.
        """
        pixels = normalise(frames).movedim(-1, -3)
        features: Tensor = self.slowfast(pixels.to(self.dtype))
        return features

    def motion_tokens(self, features: Tensor) -> Tensor:
        """Return one token a frame: [T, C] or [B, T, C] -> [T, D] or [B, T, D].

        Positions 0..T-1 are added before the projector.

        Raises:
            ValueError: more frames than the position table has rows.
        """
        placed = self.slowfast.add_positions(features.to(self.dtype))
        projected: Tensor = self.slowfast_projector(placed)
        return projected

    def assemble(self, input_ids: Sequence[int] | Tensor, blocks: Sequence[Tensor]) -> Tensor:
        """Return the embedded sequence [S, D]; slots (-200) take `blocks` [L_i, D] in order.

        Raises:
            ValueError: there are more slots than blocks.
        """
        ids = input_ids.tolist() if isinstance(input_ids, Tensor) else list(input_ids)
        return token_rules.assemble(ids, blocks, self.llm.model.embed_tokens)

    def forward(
        self, embeds: Tensor, attention_mask: Tensor | None = None, logits_at: Tensor | None = None
    ) -> Tensor:
        """Return next-token logits at chosen positions, float32.

        Args:
            embeds: [B, S, D], padded on either side.
            attention_mask: [B, S], 1 at real positions; None when nothing is padded.
            logits_at: int64 [B, K], columns of `embeds`; None is the last real one.
        Returns: [B, K, vocabulary], or [B, vocabulary] where `logits_at` is None.
        """
        mask = attention_mask if attention_mask is not None and not attention_mask.all() else None
        positions = None if mask is None else (mask.long().cumsum(-1) - 1).clamp(min=0)
        hidden = self.llm.model(
            inputs_embeds=embeds, attention_mask=mask, position_ids=positions, use_cache=False
        ).last_hidden_state
        columns = last_positions(embeds, mask) if logits_at is None else logits_at
        rows = torch.arange(len(embeds), device=embeds.device).unsqueeze(1)
        logits: Tensor = self.llm.lm_head(hidden[rows, columns.to(embeds.device)]).float()
        return logits.squeeze(1) if logits_at is None else logits


def last_positions(embeds: Tensor, mask: Tensor | None) -> Tensor:
    """Return the column of each row's last real position, int64 [B, 1]."""
    batch, length = embeds.shape[:2]
    if mask is None:
        return torch.full((batch, 1), length - 1, device=embeds.device)
    columns = torch.arange(length, device=embeds.device)
    return (columns * mask.long()).amax(dim=1, keepdim=True)


def qwen_config(dims: LanguageDims) -> Qwen2Config:
    """Return transformers' configuration of the decoder, sliding window off."""
    config = Qwen2Config(
        hidden_size=dims.hidden_size,
        intermediate_size=dims.intermediate_size,
        num_hidden_layers=dims.num_hidden_layers,
        num_attention_heads=dims.num_attention_heads,
        num_key_value_heads=dims.num_key_value_heads,
        vocab_size=dims.vocab_size,
        max_position_embeddings=dims.max_position_embeddings,
        rms_norm_eps=dims.rms_norm_eps,
        tie_word_embeddings=dims.tie_word_embeddings,
        rope_parameters={"rope_type": "default", "rope_theta": dims.rope_theta},
    )
    config._attn_implementation = "sdpa"
    return config
