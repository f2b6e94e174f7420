"""What a model is told of how good streams of given facts and of such pictures usually look."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.model.networks import EMBEDDED, build
from vqa2cli.model.expectation import FEATURES, StreamExpectation, features_of, statistics
from vqa2cli.model.inverted import PATCH_CHANNELS
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
    plain = build().tell_stream(FACTS, (640, 360), None)
    assert "usual" not in plain.text.lower()
    assert plain.usual is None
    told = expecting(0.63).tell_stream(FACTS, (640, 360), None)
    assert told.text == f"{plain.text} Usual quality 63."
    assert told.usual == pytest.approx(63.0)


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
    assert "usual" not in expecting(0.63).tell_stream(facts, None, None).text.lower()


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
    assert "usual" not in expecting(float("nan")).tell_stream(FACTS, None, None).text.lower()


def test_no_gradient_reaches_what_is_expected_and_nothing_else_begins_differently() -> None:
    with_it, without = expecting(0.5), build(EMBEDDED)
    names = {name for name, _ in with_it.named_parameters()}
    assert names == {name for name, _ in without.named_parameters()}
    kept = with_it.state_dict()
    assert all(torch.equal(kept[key], value) for key, value in without.state_dict().items())


def test_what_is_expected_is_kept_with_the_weights(tmp_path: Path) -> None:
    network = build(replace(EMBEDDED, expectation=(8, 4), traits=3))
    expectation = network.stream_expectation
    assert isinstance(expectation, StreamExpectation)
    torch.manual_seed(0)
    expectation.directions.normal_(0, 0.05)
    for layer in expectation.layers:
        layer.weight.normal_(0, 0.5)
    expectation.layers[-1].bias.fill_(0.5)
    save_network(network, tmp_path, tmp_path / "kept", dtype=torch.float16)
    read = load_network(tmp_path / "kept").network
    assert (read.config.expectation, read.config.traits) == ((8, 4), 3)
    seen = torch.randn(2 * PATCH_CHANNELS)
    told, kept = (each.tell_stream(FACTS, (1280, 720), seen) for each in (network, read))
    assert told.text == kept.text


def weighing() -> Vqa2Network:
    """Return a network that expects less the more of the first number is found in pictures."""
    network = build(replace(EMBEDDED, expectation=(4,), traits=2))
    expectation = network.stream_expectation
    assert expectation is not None
    expectation.directions[0, 0] = 1.0
    expectation.layers[0].weight[0, FEATURES] = 0.1
    expectation.layers[1].weight[0, 0] = -1.0
    expectation.layers[1].bias.fill_(0.9)
    return network


@pytest.mark.parametrize(("found", "usual"), [(0.0, 90.0), (2.0, 70.0), (1000.0, 50.0)])
def test_what_is_expected_goes_with_what_pictures_show(found: float, usual: float) -> None:
    seen = torch.zeros(2 * PATCH_CHANNELS)
    seen[0] = found
    assert weighing().tell_stream(FACTS, None, seen).usual == pytest.approx(usual)


def test_nothing_is_expected_of_a_stream_whose_pictures_nobody_saw() -> None:
    assert weighing().tell_stream(FACTS, None, None).usual is None


def test_a_tower_sees_the_same_tokens_where_statistics_are_taken_on_the_way() -> None:
    plain, weighs = (build(replace(EMBEDDED, expectation=(4,), traits=n)) for n in (0, 2))
    side = EMBEDDED.vision.image_size
    pictures = torch.randint(0, 256, (3, side, side, 3), dtype=torch.uint8)
    for part in ("vision_tower", "mm_projector"):
        getattr(weighs, part).load_state_dict(getattr(plain, part).state_dict())
    with torch.inference_mode():
        (tokens, nothing), (same, found) = plain.see(pictures), weighs.see(pictures)
        patches = weighs.vision_tower.patches(pictures)
    assert nothing is None
    assert found is not None
    assert torch.equal(tokens, same)
    assert torch.allclose(found, statistics(patches))


def test_a_stem_that_finds_nothing_in_pictures_has_no_traits_to_tell() -> None:
    with pytest.raises(ValueError, match="tells no traits"):
        replace(EMBEDDED, vision=replace(EMBEDDED.vision, stem="patch"), traits=2)


def test_a_picture_is_told_by_mean_and_deviation_of_its_channels() -> None:
    patches = torch.randn(3, 5, 5, 4).half()
    told = statistics(patches)
    assert told.shape == (3, 8)
    channel = patches[1, :, :, 2].float()
    assert told[1, 2] == pytest.approx(float(channel.mean()), abs=1e-3)
    assert told[1, 6] == pytest.approx(float(channel.std(correction=0)), abs=1e-3)
