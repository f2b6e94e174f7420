"""How questions are put to a model of ours, by the paper's protocol or by the benchmark's own."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from train.qbench.letters import Protocol
from train.qbench.questions import Question
from vqa2cli.asking import clean_question
from vqa2cli.errors import UsageError
from vqa2cli.model.protocols import SLOT, ScoringProtocol, choice_question, open_question

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel

#: Frames that the benchmark shows of a clip, and of each of two (PEERS.md §6.2).
FRAMES: Final = 16
PAIR_FRAMES: Final = 8

_ANALYZE: Final = "Please analyze these frames and answer the questions based on your observations."

#: The benchmark's own lead to a question about one clip (PEERS.md §6.2).
_SINGLE: Final = ScoringProtocol(
    name="qbench-official",
    user=(
        "You will receive 16 distinct frames that have been uniformly sampled from a video "
        "sequence, arranged in the same temporal order as they appear in the video. "
        f"{_ANALYZE}\nThe video frames:{SLOT}{{question}}"
    ),
    prefix=None,
    blocks=("V",),
)

#: To one about two: the lead of REFERENCE.md §4.3 without what it says of seconds and of motion.
#: The second block is named M because that is where a view of two clips holds the second.
_PAIR: Final = ScoringProtocol(
    name="qbench-official",
    user=(
        "You will receive 16 distinct frames in total. The first 8 frames and 9-16 frames are "
        "uniformly sampled from the first and the second video sequence, arranged in the same "
        f"temporal order as they appear in the videos. {_ANALYZE}\n"
        f"The first video frames:{SLOT}\nThe second video frames:{SLOT}{{question}}"
    ),
    prefix=None,
    blocks=("V", "M"),
)


def prompt_text(question: Question, protocol: Protocol) -> str:
    """Return what a model is asked behind the clip: question, options, form of the answer.

    Raises:
        UsageError: the question is too long.
    """
    try:
        asked = clean_question(question.text)
    except UsageError as error:
        raise UsageError(f"question {question.id}, line {question.line}: {error}") from error
    if question.options:
        return choice_question(asked, question.options)
    return open_question(asked) if protocol == "paper" else asked


def asked_officially(model: QualityModel, clips: int) -> QualityModel:
    """Return the model, asked by the benchmark's own words about one clip or two."""
    from vqa2cli.model import QualityModel

    how = _SINGLE if clips == 1 else _PAIR
    prompter = copy.copy(model.prompter)
    prompter.protocol = replace(how, generation=model.protocol.generation)
    info = replace(model.info, protocol=how.name)
    return QualityModel(model.network, prompter, model.engine, info)
