"""What counts as a contradiction."""

from __future__ import annotations

import pytest

from train.assistant.evaluation import Told, Truth, contradictions, told_by

NOISE = Truth("noise", 2, "fair")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Noticeable noise is seen throughout. Hence, the quality of this video is fair.",
         (False, False)),
        ("Slight noise is seen throughout. Hence, the quality of this video is good.",
         (False, False)),
        ("Noticeable blur is seen throughout. Hence, the quality of this video is fair.",
         (True, False)),
        ("A severe distortion of no clear kind is seen at the end. Hence, the quality of this "
         "video is poor.", (False, False)),
        ("No distortion is seen. Hence, the quality of this video is high.", (True, True)),
        ("It is a fine video.", (True, True)),
        ("Severe snow is seen throughout. Hence, the quality of this video is fair.",
         (True, False)),
    ],
)  # fmt: skip
def test_names_degrees_and_levels_are_held_against_the_label(
    text: str, expected: tuple[bool, bool]
) -> None:
    assert contradictions(told_by(text), NOISE) == expected


def test_nothing_is_right_of_a_clip_that_shows_hardly_anything() -> None:
    told = Told(True, nothing=True, level="high")
    assert contradictions(told, Truth("noise", 1, "high")) == (False, False)
