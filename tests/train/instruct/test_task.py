"""The loss of a batch, against the plain definition."""

from __future__ import annotations

import torch
from torch.nn import functional

from tests.model.networks import PUBLISHED, build, pixels
from train.instruct.task import InstructTask
from vqa2cli.model.tokens import IMAGE_SLOT


def example(seed: int, keyframes: int, motion: int) -> dict[str, torch.Tensor]:
    """Return one conversation: 3 words, pictures, 2 words, motion, 4 words of which 3 are due."""
    words = pixels(9, seed=seed).long()
    slot = torch.tensor([IMAGE_SLOT])
    ids = torch.cat([words[:3], slot, words[3:5], *([slot] if motion else []), words[5:]])
    length = 9 + keyframes * PUBLISHED.tokens_per_keyframe + 1 + motion
    return {
        "keyframes": pixels(keyframes, 42, 42, 3, seed=seed),
        "motion": pixels(motion, 32, 32, 3, seed=seed),
        "ids": ids,
        "columns": torch.arange(length - 4, length - 1),
        "tokens": words[6:],
    }


def batch(*examples: dict[str, torch.Tensor]) -> dict[str, list[torch.Tensor]]:
    return {name: [each[name] for each in examples] for name in examples[0]}


def test_the_loss_is_the_mean_cross_entropy_of_the_due_tokens():
    network = build()
    one = example(1, keyframes=2, motion=4)
    with torch.no_grad():
        visual = network.visual_block(network.visual_tokens(one["keyframes"]))
        moving = network.motion_tokens(network.motion_features(one["motion"]))
        embeds = network.assemble(one["ids"], [visual, moving]).unsqueeze(0)
        every = network(embeds, None, torch.arange(embeds.shape[1]).unsqueeze(0))[0]
        expected = functional.cross_entropy(every[-4:-1], one["tokens"])
        found = InstructTask(network)(**batch(one))["loss"]
    torch.testing.assert_close(found, expected)


def test_a_padded_batch_is_the_mean_of_its_conversations():
    task = InstructTask(build())
    examples = example(1, 2, 4), example(2, 1, 0), example(3, 3, 8)
    with torch.no_grad():
        alone = torch.stack([task(**batch(each))["loss"] for each in examples])
        together = task(**batch(*examples))
    torch.testing.assert_close(together["losses"], alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(together["loss"], alone.mean(), rtol=1e-4, atol=1e-5)


def test_a_batch_without_motion_can_touch_the_motion_branch_without_changing_the_loss():
    network = build()
    still = batch(example(2, 1, 0))
    loss = InstructTask(network, touch_all=True)(**still)["loss"]
    torch.testing.assert_close(loss, InstructTask(network)(**still)["loss"], rtol=0, atol=0)
    loss.backward()
    stem = network.slowfast.feature_extraction[0].multipathway_blocks["1"].conv.weight
    assert torch.equal(stem.grad, torch.zeros_like(stem))


def test_rotary_frequencies_survive_a_cast_of_the_whole_network():
    network = build()
    exact = network.llm.model.rotary_emb.inv_freq.clone()
    network.to(torch.bfloat16)
    InstructTask(network)(**batch(example(1, 1, 4)))
    assert torch.equal(network.llm.model.rotary_emb.inv_freq, exact)
