"""What streams of given facts usually look like is learned from encodes whose facts do not lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train.corpus import Item
from train.expectation import fit_expectation
from vqa2cli.model.expectation import StreamExpectation
from vqa2cli.video.media import StreamFacts


def encodes(count: int = 600) -> tuple[list[Item], list[StreamFacts]]:
    """Return single encodes that lose 3 points a quantizer, and distorted ones that are bad."""
    rng = np.random.default_rng(0)
    items, facts = [], []
    for number in range(count):
        quantizer, honest = float(rng.uniform(15, 45)), number % 3 > 0
        label = 145 - 3 * quantizer + float(rng.normal(0, 4)) if honest else 10.0
        item = Item(
            name=str(number), path=f"{number}.mp4", source="c", content="c", split="train",
            kind="rendition" if honest else "distortion", codec="h264", crf=23, scale=1.0,
            distortion=None if honest else (1, 3), display=(640, 360), label=label,
        )  # fmt: skip
        items.append(item)
        facts.append(StreamFacts("h264", 2 ** (-quantizer / 6), 640, 360, 25.0, quantizer))
    return items, facts


@pytest.fixture(scope="module")
def fitted() -> StreamExpectation:
    expectation = StreamExpectation((16, 16))
    fit_expectation(expectation, *encodes(), seed=0)
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
    items, facts = encodes(30)
    twice = [replace(item, kind="twice") for item in items]
    with pytest.raises(ValueError, match="no single encode"):
        fit_expectation(StreamExpectation((4,)), twice, facts, seed=0)
