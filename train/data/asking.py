"""How a question of stages 1 and 3 stands in its turn: what is said of the media before it."""

from __future__ import annotations

from typing import Final

from train.data.looks import MediaFacts
from train.data.records import Turn
from vqa2cli.model.protocols import SLOT, find_protocol

#: The lead of the 2024 scorer, which stage 2 uses too; no counts in it.
_SCORER: Final = find_protocol("ugc-2024").user.partition("How would")[0] + "{question}"

#: What is said before a question about a clip, by name.
#: "figure-4" is the wording of the paper's figure 4.
CLIP_LEADS: Final[dict[str, str]] = {
    "scorer": _SCORER,
    "figure-4": (
        f"The key frames of this video are:\n{SLOT}, and the motion features of the video are:\n"
        f"{SLOT}. Based on this, answer the following question.\n{{question}}"
    ),
    "assistant": find_protocol("assistant-chat").user,
}

#: The same for a picture.
PICTURE_LEADS: Final[dict[str, str]] = {
    "scorer": f"{SLOT}\n{{question}}",
    "figure-4": (
        f"The image is:\n{SLOT}. Based on this, answer the following question.\n{{question}}"
    ),
    "assistant": (
        "You will receive one image. Please analyze these images and answer the questions based "
        f"on your observations.\n{SLOT}\n{{question}}"  # as Q-Bench asks (REFERENCE.md §4.4)
    ),
}

#: Names of the leads, for options.
LEADS: Final = tuple(CLIP_LEADS)


def first_turn(question: str, facts: MediaFacts, lead: str) -> Turn:
    """Return the human turn that shows the media and asks `question`.

    Counts are those of inference: one key frame a second begun, motion frames in fours.
    """
    if facts.kind == "image":
        return Turn("human", PICTURE_LEADS[lead].replace("{question}", question))
    a_second = max(round(facts.fps or 0), 1)
    text = CLIP_LEADS[lead].replace("{keyframes}", str(-(-facts.frames // a_second)))
    text = text.replace("{frames}", str(facts.frames // 4 * 4))
    return Turn("human", text.replace("{question}", question))
