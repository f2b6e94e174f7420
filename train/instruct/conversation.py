"""Conversations as token ids, and which of them the loss is taken on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.data.records import Turn
from train.instruct.recipe import LossMask
from vqa2cli.model.prompts import SYSTEM, Prompter
from vqa2cli.model.protocols import SLOT
from vqa2cli.model.tokens import IMAGE_SLOT


@dataclass(frozen=True)
class Encoded:
    """One conversation: its ids, IMAGE_SLOT where features go, and which ids are learned."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]

    def __post_init__(self) -> None:
        """Check the record once.

        Raises:
            ValueError: there is not one mark an id.
        """
        if len(self.ids) != len(self.learned):
            raise ValueError(f"{len(self.ids)} ids but {len(self.learned)} marks")

    def slots(self) -> int:
        """Return how many blocks of features it takes."""
        return sum(token == IMAGE_SLOT for token in self.ids)

    def length(self, blocks: Sequence[int]) -> int:
        """Return the embedded length with blocks of these lengths in its slots."""
        return len(self.ids) - self.slots() + sum(blocks[: self.slots()])

    def targets(self, blocks: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return where the loss is taken in the embedded sequence, and the token due there.

        Args:    blocks: length of the features each slot takes, in order.
        Returns: columns, each the position before its token, and tokens, both [N].
        """
        columns, tokens, place = [], [], 0
        waiting = iter(blocks)
        for token, learned in zip(self.ids, self.learned, strict=True):
            if token == IMAGE_SLOT:
                place += next(waiting)
                continue
            if learned and place:  # nothing comes before the first
                columns.append(place - 1)
                tokens.append(token)
            place += 1
        return columns, tokens


def encode_conversation(
    prompter: Prompter, turns: Sequence[Turn], mask: LossMask = "answer"
) -> Encoded:
    """Return turns in the chat layout, after the system turn of every prompt.

    Args:
        mask: "answer" learns each whole answer and the `<|im_end|>` that ends it, no more.
            "authors" is their labelling: the header `<|im_start|>assistant` and the line break
            after `<|im_end|>` are learned too, and so is every single line break,
            `<|im_start|>` and `<|im_end|>` of the system's and the user's turns (REFERENCE §5).

    Text around an `<image>` of a user is cut into ids piece by piece, as scoring does it; in an
    answer the mark is plain text.
    """
    ids: list[int] = []
    learned: list[bool] = []
    for role, text in [("system", SYSTEM), *((_ROLES[turn.role], turn.text) for turn in turns)]:
        header, closing = prompter.turn_frame(role)
        content = _with_slots(prompter, text) if role == "user" else prompter.encode(text)
        answer = role == "assistant"
        around = answer and mask == "authors"
        ids += [*header, *content, *closing]
        learned += [around] * len(header) + [answer] * len(content)
        learned += [answer] + [around] * (len(closing) - 1)
    if mask == "authors":
        header, closing = prompter.turn_frame("user")
        always = {header[0], *closing}
        learned = [one or token in always for one, token in zip(learned, ids, strict=True)]
    return Encoded(tuple(ids), tuple(learned))


_ROLES = {"human": "user", "gpt": "assistant"}


def _with_slots(prompter: Prompter, text: str) -> list[int]:
    ids: list[int] = []
    for index, chunk in enumerate(text.split(SLOT)):
        ids += [IMAGE_SLOT] if index else []
        ids += prompter.encode(chunk)
    return ids
