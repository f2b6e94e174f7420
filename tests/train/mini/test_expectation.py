"""What streams of given facts usually look like is learned from encodes whose facts do not lie."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.train.quantized import clips
from train.expectation import fit_expectation
from vqa2cli.model.expectation import StreamExpectation
from vqa2cli.video.media import StreamFacts


@pytest.fixture(scope="module")
def fitted() -> StreamExpectation:
    expectation = StreamExpectation((16, 16))
    items, facts, _ = clips(count=600)
    fit_expectation(expectation, items, facts, seed=0)
    return expectation


def of(fitted: StreamExpectation, quantizer: float | None, rate: float | None) -> float:
    facts = StreamFacts("h264", rate, 640, 360, 25.0, quantizer)
    expected = fitted.of(facts, (640, 360))
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


def test_without_a_single_encode_nothing_can_be_expected() -> None:
    items, facts, _ = clips()
    twice = [replace(item, kind="twice") for item in items]
    with pytest.raises(ValueError, match="no single encode"):
        fit_expectation(StreamExpectation((4,)), twice, facts, seed=0)
