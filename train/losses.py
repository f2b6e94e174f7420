"""What a scorer is trained on: the level word, correlation, order within a content, distance."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from vqa2cli.levels import LEVELS


def level_loss(logits: Tensor, targets: Tensor, level_ids: list[int]) -> Tensor:
    """Return the cross-entropy of the next word over the whole vocabulary.

    Args:
        logits: [B, vocabulary] at the scoring position.
        targets: [B, 5] probabilities of the level words, best first.
    """
    log_probs = functional.log_softmax(logits, dim=-1)[:, level_ids]
    each: Tensor = -(targets * log_probs).sum(-1)
    return each.mean()


def expected_scores(logits: Tensor, level_ids: list[int]) -> Tensor:
    """Return the scores [B] in 0-1 under the softmax over the five words."""
    values = torch.tensor(tuple(LEVELS.values()), device=logits.device)
    scores: Tensor = functional.softmax(logits[:, level_ids], dim=-1) @ values
    return scores


def plcc_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Return (1 - PLCC) / 2 over the batch; 0 is perfect."""
    s, y = scores - scores.mean(), labels - labels.mean()
    correlation: Tensor = (s @ y) / (s.norm() * y.norm() + 1e-6)
    return (1 - correlation) / 2


#: Distances below this count by their squares, those above as they are.
NEAR = 0.02


def distance_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Return how far scores are from their labels in the mean, both in 0-1."""
    apart: Tensor = functional.smooth_l1_loss(scores, labels, beta=NEAR)
    return apart


def order_loss(scores: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
    """Return how far pairs of one source stand from their labelled gap, hinge at half of it.

    Pairs closer than 3 points in label carry no order and are left out.
    """
    gap = labels[:, None] - labels[None, :]
    chosen = (groups[:, None] == groups[None, :]) & (gap > 0.03)
    if not chosen.any():
        return scores.sum() * 0
    found = scores[:, None] - scores[None, :]
    short: Tensor = functional.relu(0.5 * gap - found)[chosen]
    return short.mean() * 4
