"""What a model is told of how good streams of given facts usually look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.model.networks import EMBEDDED, build
from vqa2cli.model.expectation import FEATURES, StreamExpectation, features_of
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.weights import load_network, save_network
from vqa2cli.video.media import StreamFacts

FACTS = StreamFacts("h264", 0.1, 640, 360, 25.0, 30.0)


def expecting(quality: float) -> Vqa2Network:
    """Return a network that expects `quality`, 0-1, of every stream."""
    network = build(replace(EMBEDDED, expectation=(4,)))
    assert network.stream_expectation is not None
    network.stream_expectation.layers[-1].bias.fill_(quality)
    return network


def test_a_network_that_expects_something_of_a_stream_says_it_behind_the_facts() -> None:
    plain = build().describe_stream(FACTS, (640, 360))
    assert "usual" not in plain.lower()
    told = expecting(0.63).describe_stream(FACTS, (640, 360))
    assert told == f"{plain} Usual quality 63."


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, codec="mpeg2video"),
        replace(FACTS, codec=""),
        replace(FACTS, bits_per_pixel=None, quantizer=None),
        replace(FACTS, bits_per_pixel=0.0, quantizer=None),
    ],
    ids=["codec of no known quantizer", "no codec", "nothing told", "no bits"],
)
def test_nothing_is_expected_of_a_stream_of_which_too_little_is_known(facts: StreamFacts) -> None:
    assert features_of(facts, None) is None
    assert "usual" not in expecting(0.63).describe_stream(facts, None).lower()


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, quantizer=None),
        replace(FACTS, bits_per_pixel=None),
        replace(FACTS, bits_per_pixel=1e9, quantizer=1e6, fps=1e6, width=10**6),
        replace(FACTS, codec="av1", quantizer=0.0, bits_per_pixel=1e-9, fps=0.0),
    ],
)
def test_what_is_known_of_a_stream_becomes_numbers_of_about_one(facts: StreamFacts) -> None:
    row = features_of(facts, (640, 360))
    assert row is not None
    assert len(row) == FEATURES
    assert all(-4.0 <= value <= 4.0 for value in row)


def test_an_answer_that_is_no_number_is_not_told() -> None:
    assert "usual" not in expecting(float("nan")).describe_stream(FACTS, None).lower()


def test_no_gradient_reaches_what_is_expected_and_nothing_else_begins_differently() -> None:
    with_it, without = expecting(0.5), build(EMBEDDED)
    names = {name for name, _ in with_it.named_parameters()}
    assert names == {name for name, _ in without.named_parameters()}
    kept = with_it.state_dict()
    assert all(torch.equal(kept[key], value) for key, value in without.state_dict().items())


def test_what_is_expected_is_kept_with_the_weights(tmp_path: Path) -> None:
    network = build(replace(EMBEDDED, expectation=(8, 4)))
    expectation = network.stream_expectation
    assert isinstance(expectation, StreamExpectation)
    torch.manual_seed(0)
    for layer in expectation.layers:
        layer.weight.normal_(0, 0.5)
    expectation.layers[-1].bias.fill_(0.5)
    save_network(network, tmp_path, tmp_path / "kept", dtype=torch.float16)
    read = load_network(tmp_path / "kept").network
    assert read.config.expectation == (8, 4)
    told, kept = (each.describe_stream(FACTS, (1280, 720)) for each in (network, read))
    assert told == kept
