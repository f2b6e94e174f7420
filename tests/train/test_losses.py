"""The losses reward what they are meant to reward."""

from __future__ import annotations

import pytest
import torch

from train.losses import distance_loss, expected_scores, level_loss, order_loss, plcc_loss
from vqa2cli.levels import LEVELS, soft_levels

IDS = [7, 3, 11, 0, 5]


def logits_for(score: float) -> torch.Tensor:
    row = torch.full((12,), -30.0)
    row[IDS] = torch.tensor([soft_levels(score)[word] + 1e-9 for word in LEVELS]).log()
    return row


def test_a_certain_word_scores_its_level_value() -> None:
    rows = torch.stack([logits_for(value) for value in (0.0, 25.0, 62.5, 100.0)])
    scores = expected_scores(rows, IDS)
    assert scores.tolist() == pytest.approx([0.0, 0.25, 0.625, 1.0], abs=1e-6)


def test_the_level_loss_is_least_at_its_target() -> None:
    target = torch.tensor([[soft_levels(62.5)[word] for word in LEVELS]])
    losses = [
        level_loss(logits_for(score)[None], target, IDS).item() for score in (40.0, 62.5, 80.0)
    ]
    assert losses[1] < losses[0]
    assert losses[1] < losses[2]


def test_words_outside_the_levels_cost() -> None:
    target = torch.tensor([[soft_levels(50.0)[word] for word in LEVELS]])
    chatty = logits_for(50.0)
    chatty[9] = 5.0
    assert level_loss(chatty[None], target, IDS) > level_loss(logits_for(50.0)[None], target, IDS)


def test_the_correlation_loss_ignores_scale_and_offset() -> None:
    labels = torch.tensor([0.1, 0.4, 0.35, 0.9])
    assert plcc_loss(0.2 * labels + 0.3, labels).item() == pytest.approx(0.0, abs=1e-4)
    assert plcc_loss(-labels, labels).item() == pytest.approx(1.0, abs=1e-4)


def test_order_counts_within_a_source_only() -> None:
    labels = torch.tensor([0.9, 0.2])
    wrong = torch.tensor([0.2, 0.9])
    assert order_loss(wrong, labels, torch.tensor([0, 0])) > 1
    assert order_loss(wrong, labels, torch.tensor([0, 1])) == 0
    assert order_loss(labels, labels, torch.tensor([0, 0])) == 0


def test_pairs_of_nearly_equal_label_carry_no_order() -> None:
    assert order_loss(torch.tensor([0.2, 0.9]), torch.tensor([0.51, 0.50]), torch.zeros(2)) == 0


def test_distance_is_of_the_scores_themselves_and_not_of_their_order() -> None:
    labels = torch.tensor([0.2, 0.5, 0.8])
    assert distance_loss(labels, labels).item() == 0
    assert distance_loss(labels + 0.1, labels).item() == pytest.approx(0.09)  # less half of NEAR
    assert distance_loss(0.5 * labels, labels) > distance_loss(labels + 0.1, labels)
    assert plcc_loss(0.5 * labels, labels).item() == pytest.approx(0.0, abs=1e-4)
