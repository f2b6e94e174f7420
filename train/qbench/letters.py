"""Which option an answer names, by either protocol."""

from __future__ import annotations

import re
from typing import Final, Literal

from train.qbench.questions import Question

Protocol = Literal["official", "paper"]

#: A letter as the prompt asks for it, in brackets or behind "answer is"; what follows is ignored.
_LED: Final = re.compile(
    r"(?:(?:the\s+)?(?:correct\s+)?answer\s*(?:is|:)?\s*:?\s*)?\(?([A-Z])(?=[.):]|\s*$)",
    re.IGNORECASE,
)


def chosen_letter(question: Question, answer: str, protocol: Protocol) -> str | None:
    """Return the letter that an answer names, None where it names none of the options.

    "paper": the first character, as the authors' script compares it (REFERENCE.md §4.3).
    "official": the letter in the form that was asked for (`A.`), alone, in brackets or behind
    "the answer is"; or the text of exactly one option. How its authors matched is not told.
    """
    text = answer.strip()
    if protocol == "paper":
        return text[:1] if text[:1] in set(question.letters) else None
    found = _LED.match(text)
    if found is not None and found[1].upper() in question.letters:
        return found[1].upper()
    plain = text.rstrip(".").casefold()
    same = [
        letter
        for letter, option in zip(question.letters, question.options, strict=True)
        if option.rstrip(".").casefold() == plain
    ]
    return same[0] if len(same) == 1 else None
