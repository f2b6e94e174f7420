"""The network: tokens, sequences and logits, the same alone and in a batch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.model.networks import EMBEDDED, PUBLISHED, build, pixels
from vqa2cli.model.devices import multiplies_bfloat16
from vqa2cli.model.dimensions import MotionDims, NetworkConfig, VisionDims
from vqa2cli.model.tokens import IMAGE_SLOT, pad, pool_tokens


@pytest.mark.parametrize("config", [PUBLISHED, EMBEDDED], ids=["published", "embedded"])
def test_a_clip_becomes_a_sequence_of_the_expected_length(config):
    network = build(config)
    side = config.vision.image_size
    with torch.inference_mode():
        visual = network.visual_tokens(pixels(3, side, side, 3))
        motion = network.motion_tokens(network.motion_features(pixels(8, 32, 32, 3)))
        ids = [1, 2, IMAGE_SLOT, 3, IMAGE_SLOT, 4]
        sequence = network.assemble(ids, [network.visual_block(visual), motion])
        logits = network(sequence.unsqueeze(0))
    assert visual.shape == (3, config.tokens_per_keyframe, 32)
    assert sequence.shape == (4 + 3 * config.tokens_per_keyframe + 1 + 8, 32)
    assert logits.shape == (1, 300)
    assert torch.isfinite(logits).all()


def test_the_configuration_survives_json():
    for config in (PUBLISHED, EMBEDDED):
        assert NetworkConfig.from_json(config.to_json()) == config


def test_a_motion_width_scales_the_published_channels():
    raw = EMBEDDED.to_json()
    del raw["vqa2"]["motion"]
    raw["vqa2"]["motion_width"] = 0.5
    assert NetworkConfig.from_json(raw).motion == MotionDims().scaled(0.5)
    assert MotionDims().scaled(0.5).width == 128


def test_an_unknown_field_of_the_configuration_is_named():
    raw = EMBEDDED.to_json()
    raw["vqa2"]["colour"] = "blue"
    with pytest.raises(ValueError, match="colour"):
        NetworkConfig.from_json(raw)


def test_fragments_must_tile_the_picture():
    with pytest.raises(ValueError, match="do not tile 80 px"):
        replace(EMBEDDED, vision=replace(EMBEDDED.vision, image_size=80))


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="5 heads"):
        VisionDims(hidden_size=64, num_attention_heads=5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_does_not_change_logits(side):
    network = build()
    sequences = [torch.randn(length, 32) for length in (5, 23, 11)]
    embeds, mask = pad(sequences)
    if side == "left":
        embeds, mask = _to_the_left(embeds, mask)
    with torch.inference_mode():
        alone = torch.cat([network(sequence.unsqueeze(0)) for sequence in sequences])
        together = network(embeds, mask)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def _to_the_left(embeds: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    shifts = mask.shape[1] - mask.sum(1)
    rows = [torch.roll(row, int(shift), 0) for row, shift in zip(embeds, shifts, strict=True)]
    masks = [torch.roll(row, int(shift), 0) for row, shift in zip(mask, shifts, strict=True)]
    return torch.stack(rows), torch.stack(masks)


def test_logits_come_from_the_positions_asked_for():
    network = build()
    embeds = torch.randn(2, 7, 32)
    with torch.inference_mode():
        every = network(embeds, logits_at=torch.arange(7).expand(2, 7))
        last = network(embeds)
        short = network(embeds[:, :4])
    torch.testing.assert_close(every[:, 6], last)
    torch.testing.assert_close(every[:, 3], short, rtol=0, atol=1e-5)


def test_a_prompt_with_more_slots_than_blocks_is_refused():
    with pytest.raises(ValueError, match="2 image slots but 1 feature"):
        build().assemble([IMAGE_SLOT, IMAGE_SLOT], [torch.zeros(1, 32)])


def test_more_frames_than_positions_are_refused():
    network = build()
    with pytest.raises(ValueError, match="65 motion frames but 64 positions"):
        network.motion_tokens(torch.zeros(65, network.config.motion.width))


def test_gradients_reach_every_part_of_both_networks():
    for config in (PUBLISHED, EMBEDDED):
        network = build(config).train()
        side = config.vision.image_size
        visual = network.visual_block(network.visual_tokens(pixels(1, side, side, 3)))
        motion = network.motion_tokens(network.motion_features(pixels(4, 32, 32, 3)))
        sequence = network.assemble([1, IMAGE_SLOT, IMAGE_SLOT, 2], [visual, motion])
        network(sequence.unsqueeze(0)).logsumexp(-1).sum().backward()
        silent = [name for name, weight in network.named_parameters() if weight.grad is None]
        assert silent == []


def test_bilinear_pooling_halves_an_odd_grid_upwards():
    flat = torch.ones(2, 27 * 27, 4)
    pooled = pool_tokens(flat, "bilinear")
    assert pooled.shape == (2, 196, 4)
    torch.testing.assert_close(pooled, torch.ones(2, 196, 4))


@pytest.mark.parametrize(
    ("can", "expected"),
    [({"avx2": True}, False), ({"avx2": True, "avx512_bf16": True}, True), ({"bf16": True}, True)],
)
def test_bfloat16_is_used_where_the_processor_multiplies_it(
    can: dict[str, bool], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert multiplies_bfloat16("cpu") is expected
