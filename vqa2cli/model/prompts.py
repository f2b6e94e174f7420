"""Prompts as token ids: the chat layout, its special tokens and the five level words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from tokenizers import Tokenizer

from vqa2cli.errors import ModelError, UsageError
from vqa2cli.levels import LEVELS
from vqa2cli.model.protocols import SLOT, ScoringProtocol
from vqa2cli.model.tokens import IMAGE_SLOT

#: The system turn of every prompt, in training and in use (REFERENCE.md §4.1).
SYSTEM = "You are a helpful assistant."

START, END, PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"


class Counts(Protocol):
    """What a prompt tells of a clip."""

    @property
    def keyframes(self) -> int:
        """Key frames it was seen in."""

    @property
    def frames(self) -> int:
        """Frames its motion was taken from."""


class Prompter:
    """Asks by one protocol, with one model's tokenizer.

    Attributes:
        protocol: how it asks.
        level_ids: id of each level word, best first, as it follows "is": lower case with a
            leading space.
        stop_ids: ids that end an answer.
    """

    def __init__(self, tokenizer: Tokenizer, protocol: ScoringProtocol) -> None:
        """Look up everything once.

        Raises:
            ModelError: the tokenizer lacks a special token, or splits a level word.
        """
        self.protocol = protocol
        self._tokenizer = tokenizer
        # Marks such as <|im_end|> in a user's question stay plain text.
        self._tokenizer.encode_special_tokens = True
        self._start, self._end = self._special(START), self._special(END)
        self.level_ids = tuple(self._level(word) for word in LEVELS)
        self.stop_ids = (self._end, self._special(PAD))

    @classmethod
    def from_directory(cls, directory: Path, protocol: ScoringProtocol) -> Prompter:
        """Return a prompter for a model directory.

        Raises:
            ModelError: there is no usable tokenizer in it.
        """
        return cls(read_tokenizer(directory), protocol)

    def encode(self, text: str) -> list[int]:
        """Return the ids of plain text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, special tokens left out."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def turn_frame(self, role: str) -> tuple[list[int], list[int]]:
        """Return what goes before and after the text of a turn of `role`."""
        return [self._start, *self.encode(role), *self.encode("\n")], self._closing()

    def conversation_ids(
        self, keyframes: int, frames: int, *, facts: str = "", stalls: str = ""
    ) -> list[int]:
        """Return a scoring prompt with the assistant's turn closed, as it is trained on.

        IMAGE_SLOT stands where features go. Texts the protocol has no place for are left out.

        Raises:
            UsageError: the protocol answers questions and gives no score.
        """
        prefix = self.protocol.prefix
        if prefix is None:
            raise UsageError(
                f"protocol {self.protocol.name} answers questions and gives no score; choose "
                "another with --protocol"
            )
        values = {
            "keyframes": str(keyframes),
            "frames": str(frames),
            "facts": facts,
            "stalls": stall_text(self.protocol, stalls),
            "question": "",
        }
        return [*self._opening(values), *self._turn("assistant", prefix)]

    def scoring_ids(
        self, keyframes: int, frames: int, *, facts: str = "", stalls: str = ""
    ) -> list[int]:
        """Return a scoring prompt that ends where the score is read: before the closing tokens.

        Raises:
            UsageError: the protocol answers questions and gives no score.
        """
        closed = self.conversation_ids(keyframes, frames, facts=facts, stalls=stalls)
        return closed[: -len(self._closing())]

    def question_ids(
        self, keyframes: int, frames: int, question: str, readings: str = ""
    ) -> list[int]:
        """Return a prompt about one clip that ends where the answer begins.

        Args:
            readings: what was read in its key frames; left out where it has no place.

        Raises:
            UsageError: the protocol takes no question, or there is none.
        """
        told = {"keyframes": keyframes, "frames": frames, "readings": readings}
        return self._asking(told, question, 1)

    def pair_ids(
        self, first: Counts, second: Counts, question: str, readings: tuple[str, str] = ("", "")
    ) -> list[int]:
        """Return a prompt about two clips that ends where the answer begins.

        Args:
            readings: what was read in the key frames of each; the same.

        Raises:
            UsageError: the protocol takes no question, or there is none.
        """
        told = {
            "keyframes": first.keyframes + second.keyframes,
            "first_keyframes": first.keyframes,
            "second_from": first.keyframes + 1,
            "first_frames": first.frames,
            "second_frames": second.frames,
            "first_readings": readings[0],
            "second_readings": readings[1],
        }
        return self._asking(told, question, 2)

    def _asking(self, told: Mapping[str, object], question: str, clips: int) -> list[int]:
        if "{question}" not in self.protocol.user:
            raise UsageError(
                f"protocol {self.protocol.name} takes no question; choose assistant-chat with "
                "--protocol, and a model trained to answer"
            )
        if clips != self.protocol.clips:
            raise ValueError(f"{clips} clips, but the prompt is about {self.protocol.clips}")
        if not question.strip():
            raise UsageError("the question is empty; ask one")
        values = {name: str(value) for name, value in told.items()}
        opening = self._opening({**values, "question": question})
        return [*opening, *self.turn_frame("assistant")[0]]

    def _opening(self, values: Mapping[str, str]) -> list[int]:
        # Slots are cut out before texts go in, so a question may say "<image>".
        content: list[int] = []
        for index, chunk in enumerate(self.protocol.user.split(SLOT)):
            if index:
                content.append(IMAGE_SLOT)
            content += self.encode(chunk.format_map(values))
        header, closing = self.turn_frame("user")
        return [*self._turn("system", SYSTEM), *header, *content, *closing]

    def _turn(self, role: str, text: str) -> list[int]:
        header, closing = self.turn_frame(role)
        return [*header, *self.encode(text), *closing]

    def _closing(self) -> list[int]:
        return [self._end, *self.encode("\n")]

    def _special(self, token: str) -> int:
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelError(f"the tokenizer has no {token}; it does not belong to a VQA2 model")
        return found

    def _level(self, word: str) -> int:
        ids = self.encode(f" {word}")
        if len(ids) != 1:
            raise ModelError(
                f"the tokenizer splits the level word ' {word}' into {len(ids)} tokens; it does "
                "not belong to a VQA2 model"
            )
        return ids[0]


def read_tokenizer(directory: Path) -> Tokenizer:
    """Return the tokenizer of a model directory: tokenizer.json, or vocabulary and merges.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    path = directory / "tokenizer.json"
    if path.is_file():
        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            if type(error) is not Exception:
                raise
            raise ModelError(f"{path}: damaged tokenizer ({error}); download it again") from error
    if (directory / "vocab.json").is_file() and (directory / "merges.txt").is_file():
        from transformers import Qwen2Tokenizer

        slow = Qwen2Tokenizer.from_pretrained(str(directory))
        return cast(Tokenizer, slow.backend_tokenizer)
    raise ModelError(f"{directory}: no tokenizer.json; copy the model's tokenizer beside it")


def stall_text(protocol: ScoringProtocol, stalls: str) -> str:
    """Return what takes the place of `{stalls}`: the text, spaced off as the protocol needs it."""
    text = stalls.strip()
    if not text:
        return ""
    return f"{text} " if protocol.user.startswith("{stalls}") else f" {text}"
