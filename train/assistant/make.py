"""The assistant out of the scorer: the same eyes, and a language model that learns to answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from train.assistant.shown import ENCODED, NAMES, SPANS, Fault, Shown
from train.assistant.talk import talk_of, talk_of_two
from train.vocabulary import train_tokenizer
from vqa2cli.levels import DEGREES, LEVELS, degree_of
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import SYSTEM, Prompter, read_tokenizer
from vqa2cli.model.protocols import PROTOCOLS, SLOT
from vqa2cli.model.recognition import UNCLEAR, Reading, readings_text

#: How the assistant is asked.
PROTOCOL = "mini-ask-1"

#: Questions that the tokenizer reads, of one view and of two.
READ, READ_PAIRS = 20_000, 2_000

#: Parts of the language model that belong to a vocabulary.
_ROWS = ("llm.model.embed_tokens.weight", "llm.lm_head.weight")


def sentences(seed: int = 0) -> Iterator[str]:
    """Yield what the assistant reads and writes: prompts, questions and answers."""
    rng = np.random.default_rng([seed, 7])
    protocol = PROTOCOLS[PROTOCOL]
    yield SYSTEM
    yield from ("system\n", "user\n", "assistant\n")
    for text in (protocol.user, protocol.pair or ""):
        yield from re.sub(r"\{\w+\}", "", text).split(SLOT)
    for number in range(101):
        yield f"About {number} of 100."
    for level in LEVELS:
        yield f"The quality of the video is {level}."
    for _ in range(READ):
        yield "\n".join(talk_of(_made_up(rng), rng))
        names = [[ENCODED, UNCLEAR, *NAMES][int(at)] for at in rng.integers(len(NAMES) + 2, size=3)]
        yield readings_text([Reading(name, float(rng.uniform(0, 100))) for name in names])
    for _ in range(READ_PAIRS):
        yield "\n".join(talk_of_two(_made_up(rng), _made_up(rng), rng))


def _made_up(rng: np.random.Generator) -> Shown:
    quality = float(rng.uniform(0, 100))
    degree = degree_of(quality)
    name = NAMES[int(rng.integers(len(NAMES)))]
    span = list(SPANS)[int(rng.integers(len(SPANS)))]
    if degree == DEGREES[0]:
        return Shown(quality, None, frozenset(NAMES))
    return Shown(quality, Fault(name, degree, span), frozenset(NAMES) - {name})


def new_assistant(
    scorer: Vqa2Network, folder: Path, vocabulary: int, name: str
) -> tuple[Vqa2Network, Prompter, Prompter]:
    """Train a tokenizer into `folder` and return the network, asked about one clip and about two.

    All but the rows of the vocabulary begins as the scorer is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer(folder, vocabulary, sentences())
    rows = read_tokenizer(folder).get_vocab_size()
    language = replace(scorer.config.language, vocab_size=rows)
    network = Vqa2Network(
        replace(scorer.config, language=language, name=name, protocol=PROTOCOL, expectation=())
    ).to(scorer.device)
    state = {key: value for key, value in scorer.state_dict().items() if key not in _ROWS}
    network.load_state_dict(state, strict=False)
    protocol = PROTOCOLS[PROTOCOL]
    of_one = Prompter.from_directory(folder, protocol)
    return network, of_one, Prompter.from_directory(folder, protocol.of_two())
