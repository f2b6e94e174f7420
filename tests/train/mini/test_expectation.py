"""What streams of given facts usually look like is learned from encodes whose facts do not lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.train.quantized import clips
from train.expectation import fit_expectation
from vqa2cli.model.expectation import StreamExpectation
from vqa2cli.video.media import StreamFacts


@pytest.fixture(scope="module")
def fitted() -> StreamExpectation:
    """What is expected where a busy picture looks better than a plain one."""
    expectation = StreamExpectation((32, 32), channels=2, traits=1)
    items, facts, pictures = clips(count=600)
    busy = np.random.default_rng(1).choice([-1.0, 1.0], len(items))
    pictures = np.stack([busy, -busy], 1).astype(np.float32)
    items = [
        replace(item, label=min(max(item.label + 5.0 * more, 0.0), 100.0))
        for item, more in zip(items, busy, strict=True)
    ]
    fit_expectation(expectation, items, facts, pictures, seed=0)
    return expectation


def of(
    fitted: StreamExpectation, quantizer: float | None, rate: float | None, busy: float = 0.0
) -> float:
    facts = StreamFacts("h264", rate, 640, 360, 25.0, quantizer)
    expected = fitted.of(facts, (640, 360), torch.tensor([busy, -busy]))
    assert expected is not None
    return expected


@pytest.mark.parametrize("quantizer", [20.0, 30.0, 40.0])
def test_streams_are_expected_to_be_as_good_as_single_encodes_of_such_facts(
    fitted: StreamExpectation, quantizer: float
) -> None:
    assert of(fitted, quantizer, 2 ** (-quantizer / 6)) == pytest.approx(
        min(145 - 3 * quantizer, 100), abs=5
    )


@pytest.mark.parametrize("quantizer", [22.0, 38.0])
def test_one_of_quantizer_and_rate_is_enough(fitted: StreamExpectation, quantizer: float) -> None:
    label = 145 - 3 * quantizer
    assert of(fitted, None, 2 ** (-quantizer / 6)) == pytest.approx(label, abs=8)
    assert of(fitted, quantizer, None) == pytest.approx(label, abs=8)


@pytest.mark.parametrize("quantizer", [22.0, 30.0, 38.0])
def test_what_pictures_show_says_how_good_such_a_stream_looks(
    fitted: StreamExpectation, quantizer: float
) -> None:
    rate = 2 ** (-quantizer / 6)
    plain, busy = (of(fitted, quantizer, rate, shown) for shown in (-1.0, 1.0))
    assert busy - plain == pytest.approx(10.0, abs=4.0)


def test_without_a_single_encode_nothing_can_be_expected() -> None:
    items, facts, pictures = clips()
    twice = [replace(item, kind="twice") for item in items]
    with pytest.raises(ValueError, match="no single encode"):
        fit_expectation(StreamExpectation((4,)), twice, facts, pictures, seed=0)
