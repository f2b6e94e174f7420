"""An answer names an option by its letter; each protocol reads it in its own way."""

from __future__ import annotations

import pytest

from tests.train.qbench.made import asked
from train.qbench.letters import chosen_letter

QUESTION = asked("0", options=("Noise", "Blur", "Nothing"))


@pytest.mark.parametrize(
    ("answer", "paper", "official"),
    [
        ("B.", "B", "B"),
        (" B", "B", "B"),
        ("B. Blur", "B", "B"),
        ("(B)", None, "B"),
        ("b.", None, "B"),
        ("The answer is B.", None, "B"),
        ("Answer: B", "A", "B"),
        ("blur.", None, "B"),
        ("Blur", "B", "B"),
        ("Both are bad", "B", None),
        ("A lot of noise", "A", None),
        ("D.", None, None),
        ("", None, None),
        ("Noise or Blur", None, None),
        ("1", None, None),
    ],
)
def test_the_letter_of_an_answer(answer: str, paper: str | None, official: str | None) -> None:
    assert chosen_letter(QUESTION, answer, "paper") == paper
    assert chosen_letter(QUESTION, answer, "official") == official


def test_two_options_of_the_same_text_name_none() -> None:
    assert chosen_letter(asked("0", options=("Noise", "noise.")), "Noise", "official") is None
