"""Names of distortions against what was made."""

from __future__ import annotations

import pytest

from train.items import Item
from train.recognition import recognition
from vqa2cli.assessment import Assessment, Distortion, Segment

pytest.importorskip("sklearn")


def item(label: float, distortion: tuple[int, int] | None = None) -> Item:
    kind = "rendition" if distortion is None else "distortion"
    return Item(
        name="n", path="n.mp4", content="c", source="s", split="val", kind=kind, label=label,
        display=(64, 64), codec="h264", crf=20, scale=1.0, qp=None,
        distortion=distortion,
    )  # fmt: skip


def row(name: str | None, quality: float = 50.0, prob: float = 0.9) -> Assessment:
    shown = None if name is None else Distortion(name, prob, quality)
    return Assessment("n.mp4", segments=(Segment(0, 2, 50, "fair", shown),))


NOISE, BLUR, WEAK = item(50, (11, 3)), item(20, (1, 4)), item(85, (1, 2))


def test_names_are_counted_at_strong_levels_and_degrees_at_all() -> None:
    told = [row("noise"), row("noise", 30), row("none", 95)]
    found = recognition([NOISE, BLUR, WEAK], told, [], [])
    assert found is not None
    figures = {one.name: (one.n, one.precision, one.recall) for one in found.names}
    assert figures == {"noise": (1, 0.5, 1.0), "blur": (1, 0.0, 0.0)}
    assert found.macro_f1 == pytest.approx((2 / 3) / 2)
    assert (
        found.degree_within_one == 1.0
    )  # noticeable for noticeable, severe twice, none for slight


def test_a_degree_two_steps_off_is_wrong() -> None:
    found = recognition([BLUR, NOISE], [row("blur", 70), row("noise", 45)], [], [])
    assert found is not None
    assert found.degree_within_one == 0.5


def test_clean_encodes_with_a_distortion_among_their_findings_are_false_calls() -> None:
    encodes = [item(95), item(95), item(95), item(40)]
    told = [row("none"), row("blur"), row("blur", prob=0.2), row("blur")]
    found = recognition([NOISE], [row("noise")], encodes, told)
    assert found is not None
    assert (found.clean, found.called) == (3, pytest.approx(1 / 3))


def test_a_model_that_names_nothing_has_no_figures() -> None:
    assert recognition([NOISE], [row(None)], [], []) is None
    assert recognition([], [], [], []) is None
