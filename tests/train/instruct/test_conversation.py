"""The loss mask, token by token, and where it lies once features are in place."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from train.data.records import Turn
from train.instruct.conversation import Encoded, encode_conversation
from vqa2cli.model.prompts import Prompter, read_tokenizer
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.tokens import IMAGE_SLOT

TWO_TURNS = (
    Turn("human", "Look:\n<image>. Motion:<image>\nWhat is wrong?"),
    Turn("gpt", "Noise.\nMuch."),
    Turn("human", "How good is it?"),
    Turn("gpt", "It is low."),
)


@pytest.fixture(scope="session")
def tokenizer(start: Path):
    return read_tokenizer(start)


@pytest.fixture(scope="session")
def prompter(start: Path) -> Prompter:
    return Prompter.from_directory(start, PROTOCOLS["mini-1"])


def runs(encoded: Encoded, tokenizer) -> list[tuple[str, bool]]:
    """Return the text of each run of tokens that are, or are not, learned."""

    def text(token: int) -> str:
        if token == IMAGE_SLOT:
            return "[slot]"
        return tokenizer.decode([token], skip_special_tokens=False)

    pairs = zip(encoded.ids, encoded.learned, strict=True)
    return [
        ("".join(text(token) for token, _ in run), learned)
        for learned, run in groupby(pairs, key=lambda pair: pair[1])
    ]


def test_each_whole_answer_and_its_end_mark_are_learned_and_nothing_else(prompter, tokenizer):
    assert runs(encode_conversation(prompter, TWO_TURNS), tokenizer) == [
        (
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
            "<|im_start|>user\nLook:\n[slot]. Motion:[slot]\nWhat is wrong?<|im_end|>\n"
            "<|im_start|>assistant\n",
            False,
        ),
        ("Noise.\nMuch.<|im_end|>", True),
        ("\n<|im_start|>user\nHow good is it?<|im_end|>\n<|im_start|>assistant\n", False),
        ("It is low.<|im_end|>", True),
        ("\n", False),
    ]


def test_the_authors_mask_also_learns_headers_line_breaks_and_marks_of_all_turns(
    prompter, tokenizer
):
    assert runs(encode_conversation(prompter, TWO_TURNS, "authors"), tokenizer) == [
        ("<|im_start|>", True),
        ("system", False),
        ("\n", True),
        ("You are a helpful assistant.", False),
        ("<|im_end|>\n<|im_start|>", True),
        ("user", False),
        ("\n", True),
        ("Look:", False),
        ("\n", True),
        ("[slot]. Motion:[slot]", False),
        ("\n", True),
        ("What is wrong?", False),
        ("<|im_end|>\n<|im_start|>assistant\nNoise.\nMuch.<|im_end|>\n<|im_start|>", True),
        ("user", False),
        ("\n", True),
        ("How good is it?", False),
        ("<|im_end|>\n<|im_start|>assistant\nIt is low.<|im_end|>\n", True),
    ]


def test_a_one_turn_prompt_has_the_ids_scoring_asks_with(prompter):
    protocol = PROTOCOLS["mini-1"]
    asked = protocol.user.format(facts="", stalls="")
    learned = encode_conversation(
        prompter, (Turn("human", asked), Turn("gpt", f"{protocol.prefix} good."))
    )
    scored = prompter.scoring_ids(2, 8)
    assert list(learned.ids[: len(scored)]) == scored
    assert learned.ids[len(scored)] == prompter.level_ids[1]


def test_an_image_mark_in_an_answer_is_plain_text(prompter):
    encoded = encode_conversation(prompter, (Turn("human", "<image>?"), Turn("gpt", "<image>!")))
    assert encoded.slots() == 1


def test_targets_stand_one_place_before_their_token_in_the_embedded_sequence(prompter):
    encoded = encode_conversation(prompter, TWO_TURNS)
    blocks = (5, 3)
    embedded: list[int] = []
    waiting = iter(blocks)
    for token in encoded.ids:
        embedded += [IMAGE_SLOT] * next(waiting) if token == IMAGE_SLOT else [token]
    columns, tokens = encoded.targets(blocks)
    assert encoded.length(blocks) == len(embedded)
    assert [embedded[column + 1] for column in columns] == tokens
    assert tokens == [t for t, one in zip(encoded.ids, encoded.learned, strict=True) if one]


def test_the_first_token_has_nothing_before_it_and_is_never_due(prompter):
    encoded = encode_conversation(prompter, TWO_TURNS, "authors")
    _, tokens = encoded.targets((1, 0))
    assert encoded.learned[0]
    assert len(tokens) == sum(encoded.learned) - 1
