"""How a checkpoint wants to be asked: named, versioned presets.

Prompts are the authors' to the letter, odd wording included, since the weights were trained
on them (REFERENCE.md §0, §4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vqa2cli import config
from vqa2cli.errors import UsageError

#: Where a block of features goes in a template.
SLOT = "<image>"

#: V: key frames and a newline. M: motion. VM: both in one block.
Block = Literal["V", "M", "VM"]

#: Published models: 40 s is the longest window whose tokens stay under the 10000 the authors
#: cut at: 40 key frames x 196 + 1 + at most 2000 motion frames + some 60 of text.
PUBLISHED_WINDOW_S = 40.0


@dataclass(frozen=True)
class Generation:
    """How answers are decoded; greedy, as the authors' evaluation (REFERENCE.md §4.3)."""

    repetition_penalty: float = 1.05
    max_new_tokens: int = 1024


@dataclass(frozen=True)
class ScoringProtocol:
    """One way to ask.

    Attributes:
        user: the user's turn; `{keyframes}` and `{frames}` are counts, `{facts}`, `{stalls}`,
            `{readings}` and `{question}` texts, and every SLOT takes the next of `blocks`.
        prefix: start of the assistant's turn, whose last position is scored; None answers.
        blocks: what fills the slots of a clip, in order; blocks without a slot are left out.
        pair: the user's turn about two clips, None where it takes one only; see `of_two`.
        clips: clips that `user` is about.
        chooses_by_words: letters mean too little to its models, so which of several answers
            is right is read out of what they say in words.
        opposites: what a clip without a fault is; asked whether it is that, such models say
            whether the fault is there.
        reference_weights: the authors' values of the five words, best first.
        judges_stalls: its models learnt from people what stalls are worth, so a streaming score
            is the model's own answer; else the session model weighs them.
        keyframes_per_second, motion_stride, motion_multiple: see `Sampling`.
        window_s, max_window_frames: longest window, seconds and decoded frames.
    """

    name: str
    user: str
    prefix: str | None
    blocks: tuple[Block, ...]
    reference_weights: tuple[float, float, float, float, float] | None = None
    judges_stalls: bool = False
    keyframes_per_second: float = 1.0
    motion_stride: int = 1
    motion_multiple: int = 4
    window_s: float = PUBLISHED_WINDOW_S
    max_window_frames: int = config.MAX_MOTION_FRAMES
    generation: Generation = Generation()
    pair: str | None = None
    clips: int = 1
    chooses_by_words: bool = False
    opposites: tuple[str, ...] = ()

    @property
    def slots(self) -> int:
        """Blocks the prompt takes, of all its clips."""
        return self.user.count(SLOT)

    @property
    def clip_blocks(self) -> tuple[Block, ...]:
        """Blocks of one clip that reach the prompt."""
        return self.blocks[: self.slots // self.clips]

    @property
    def uses_motion(self) -> bool:
        """Whether motion features reach the prompt at all."""
        return any("M" in block for block in self.clip_blocks)

    def asks_opposite(self, question: str) -> bool:
        """Return whether a clip is asked to be what one without a fault is."""
        said = question.lower().rstrip("?. ")
        return any(said.endswith(f" {word}") for word in self.opposites)

    @property
    def accepts_stalls(self) -> bool:
        """Whether a stall summary has a place in the prompt."""
        return "{stalls}" in self.user

    @property
    def tells_readings(self) -> bool:
        """Whether what the network's head reads in key frames has a place in the prompt."""
        return "readings}" in self.user

    @property
    def answers(self) -> bool:
        """Whether it answers questions instead of scoring."""
        return self.prefix is None

    def of_two(self) -> ScoringProtocol:
        """Return how it asks about two clips.

        `user` is `pair`: `{keyframes}` counts those of both clips, `{first_keyframes}`,
        `{second_from}` (number of the first one of the second clip), `{first_frames}`,
        `{second_frames}`, `{first_readings}` and `{second_readings}` tell them apart. Windows are
        half as long, so that the two of a question are no more tokens than one of one clip.

        Raises:
            UsageError: it takes one clip only.
        """
        if self.pair is None:
            able = " or ".join(each.name for each in PROTOCOLS.values() if each.pair)
            raise UsageError(
                f"protocol {self.name} takes one clip; ask about two by {able} with --protocol"
            )
        return replace(
            self,
            user=self.pair,
            pair=None,
            clips=2,
            window_s=self.window_s / 2,
            max_window_frames=self.max_window_frames // 2,
        )


_PAPER_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)  # paper, Fig. 4
_SCRIPT_WEIGHTS = (1.0, 0.8, 0.6, 0.4, 0.2)  # the 2025 scripts
_PREFIX = "The quality of the video is"

_FRAMES = "You will receive {keyframes} distinct frames that have been "
_SAMPLED = (
    _FRAMES + "uniformly sampled in each second from a video sequence, arranged in the same "
    "temporal order as they appear in the video. "
)
_MOTION = "In addition, you will also obtain motion features extracted from all {frames} frames of "
_ANALYZE = "Please analyze these images and answer the questions based on your observations."


#: Of Q-Bench-Video (REFERENCE.md §4.3), quote and plus sign included. The authors' chat takes one
#: clip; its models were compared on pairs by these words, so it asks by them too.
_PAIR = (
    "You will receive {keyframes} distinct frames in total. The first {first_keyframes} frames and "
    "{second_from}-{keyframes}frames are uniformly sampled in each second from the first and the "
    "second video sequence, arranged in the same temporal order as they appear in the videos. "
    "In addition, you will also obtain motion features extracted from all {first_frames} frames of "
    "the the first video and all {second_frames} frames of the the second video'+'. The temporal "
    "motion features also follows the original frame order of the video. "
    + _ANALYZE
    + "\nThe first video frames:<image>\nThe first video motion features:<image>\nThe second video "
    "frames:<image>\nThe second video motion features:<image>\n{question}"
)

_PROTOCOLS = (
    ScoringProtocol(
        name="ugc-2024",
        user=(
            "The key frames of this video are:\n<image>. And the motion feature of the video is\n"
            "<image>. How would you rate the quality of this video?"
        ),
        prefix=_PREFIX,
        blocks=("V", "M"),
        reference_weights=_PAPER_WEIGHTS,
        motion_stride=8,
    ),
    ScoringProtocol(
        name="streaming-2024",
        user="{stalls}How would you rate the quality of this video?\n<image>",
        prefix=_PREFIX,
        blocks=("V", "M"),
        judges_stalls=True,
        reference_weights=_PAPER_WEIGHTS,
    ),
    ScoringProtocol(
        name="ugc-2025",
        user="<image><image>",
        prefix="",
        blocks=("V", "M"),
        reference_weights=_SCRIPT_WEIGHTS,
    ),
    ScoringProtocol(
        name="assistant-chat",
        user=(
            _FRAMES + "by uniformly sampling 1 frame per second from the video, arranged in the "
            "same temporal order as they appear in the video. "
            + _MOTION
            + "the the first video. "
            + _ANALYZE
            + "\nThe video frames:<image>\nThe video motion features:<image>\n{question}"
        ),
        prefix=None,
        pair=_PAIR,
        blocks=("V", "M"),
    ),
    ScoringProtocol(
        name="qbench-2024",
        user=(
            _SAMPLED
            + _MOTION
            + "the the first video.  "
            + _ANALYZE
            + "\nThe video frames:<image>\n{question}"
        ),
        prefix=None,
        pair=_PAIR,
        blocks=("V", "M"),
    ),
    ScoringProtocol(
        name="qbench-2025",
        user=(
            _SAMPLED
            + _MOTION
            + "the the video.  "
            + _ANALYZE
            + "\nThe video frames:<image>\nThe video motion features:<image>\n.{question}"
        ),
        prefix=None,
        pair=_PAIR,
        blocks=("VM", "M"),
    ),
    ScoringProtocol(
        name="mini-1",
        user=(
            "The key frames of this video are:\n<image>. And the motion feature of the video is\n"
            "<image>.{facts}{stalls} How would you rate the quality of this video?"
        ),
        prefix=_PREFIX,
        blocks=("V", "M"),
        keyframes_per_second=2.0,
        motion_multiple=1,
        window_s=2.0,
    ),
    ScoringProtocol(
        name="mini-ask-1",
        user=(
            "The key frames of this video are:\n<image>. And the motion feature of the video is\n"
            "<image>.{readings}\n{question}"
        ),
        prefix=None,
        pair=(
            "The key frames of the first video are:\n<image>. And the motion feature is\n<image>."
            "{first_readings}\nThe key frames of the second video are:\n<image>. And the motion "
            "feature is\n<image>.{second_readings}\n{question}"
        ),
        blocks=("V", "M"),
        keyframes_per_second=2.0,
        motion_stride=8,
        motion_multiple=1,
        window_s=10.0,
        generation=Generation(repetition_penalty=1.0, max_new_tokens=96),
        chooses_by_words=True,
        opposites=("sharp", "in focus", "crisp", "free of noise", "clean of grain"),
    ),
)

PROTOCOLS: dict[str, ScoringProtocol] = {protocol.name: protocol for protocol in _PROTOCOLS}


def find_protocol(name: str) -> ScoringProtocol:
    """Return a protocol by name.

    Raises:
        UsageError: there is none of that name.
    """
    protocol = PROTOCOLS.get(name)
    if protocol is None:
        raise UsageError(f"no protocol {name}; choose one of {', '.join(PROTOCOLS)}")
    return protocol


def choice_question(question: str, answers: Sequence[str]) -> str:
    """Return a multiple-choice question as Q-Bench-Video asks it (REFERENCE.md §4.3)."""
    options = "".join(f"\n{chr(65 + index)}. {answer}" for index, answer in enumerate(answers))
    return (
        f"{question}{options}\nPlease answer the question in the following format: the uppercase "
        "letter of the correct answer option itself +'.'. Please do not add any other answers "
        "beyond this."
    )


def open_question(question: str) -> str:
    """Return an open question as Q-Bench-Video asks it; there is no space in between."""
    return f"{question}Please directly answer the question."
