"""Questions with several answers to choose of, and which of them a model's words choose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from vqa2cli.model.protocols import ScoringProtocol, choice_question

#: What is chosen of where a question is to be answered by yes or no.
YES_OR_NO: Final = ("Yes", "No")

#: What an answer says of a fault, and of a question for what is free of it.
_OF_FAULT: Final = re.compile(r"(?<=: )(?:yes|no)\b")
_OPPOSITE: Final = {"yes": "no", "no": "yes"}


def to_choose(question: str, offered: Sequence[str], protocol: ScoringProtocol) -> str:
    """Return the question as a model of `protocol` is asked it: with letters, or as it stands."""
    by_letter = offered and not protocol.chooses_by_words
    return choice_question(question, offered) if by_letter else question


def chosen(
    question: str, text: str, offered: Sequence[str], protocol: ScoringProtocol
) -> int | None:
    """Return which of the answers `offered` a model's `text` chooses; None for none or several."""
    letter = text.strip()[:1]
    index = ord(letter) - ord("A") if letter and not protocol.chooses_by_words else -1
    if 0 <= index < len(offered) and not text.strip()[1:2].isalpha():
        return index
    if protocol.asks_opposite(question):
        text = _OF_FAULT.sub(lambda said: _OPPOSITE[said[0]], text)
    named = named_in(text, offered)
    return None if named is None else list(offered).index(named)


def named_in(text: str, offered: Sequence[str]) -> str | None:
    """Return the one of some answers that a text names, as whole words; None of none or several.

    "motion blur" names no "blur" where both are offered.
    """

    def named(each: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text, re.IGNORECASE) is not None

    found = [each for each in offered if named(each)]
    whole = [
        each for each in found if not any(each.lower() in o.lower() for o in found if o != each)
    ]
    return whole[0] if len(whole) == 1 else None
