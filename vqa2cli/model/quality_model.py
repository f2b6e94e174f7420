"""The assembled model: pictures in, scores and answers out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import LogitsProcessorList, RepetitionPenaltyLogitsProcessor

from engines.contract import Engine
from engines.pytorch import exact_convolutions
from vqa2cli import config
from vqa2cli.assessment import Distortion, ModelInfo, Score
from vqa2cli.config import EngineName, Precision
from vqa2cli.levels import LEVELS, expected_value, level_of, score_from_probs
from vqa2cli.model.catalogue import default_protocol, find_model
from vqa2cli.model.devices import DTYPES, find_device, find_precision
from vqa2cli.model.motion import MotionStream, motion_graph
from vqa2cli.model.motion_engine import open_engine
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.protocols import Block, ScoringProtocol, find_protocol
from vqa2cli.model.recognition import readings, readings_text, recognise
from vqa2cli.model.sampling import sampling_for
from vqa2cli.model.streaming import TextStream
from vqa2cli.model.tokens import pad
from vqa2cli.model.weights import MOTION_ONNX, load_network
from vqa2cli.video.media import Sampling


@dataclass(frozen=True)
class SeenFrames:
    """Key frames as the tower saw them: their tokens [k, P, D], and statistics [k, 2C] of them.

    `statistics` is None where the network does not weigh traits of pictures.
    """

    tokens: Tensor
    statistics: Tensor | None


@dataclass(frozen=True)
class WindowTokens:
    """One window, ready for the language model.

    `visual` [K*P + 1, D] holds its key frames and a newline, `motion` [T, D] its motion.
    `statistics` [2C] are the mean of those of its key frames, where there are any.
    """

    visual: Tensor
    motion: Tensor
    keyframes: int
    frames: int
    statistics: Tensor | None = None

    @property
    def keyframe_tokens(self) -> Tensor:
        """The tokens of its key frames without the newline, [K, P, D]."""
        return self.visual[:-1].reshape(self.keyframes, -1, self.visual.shape[-1])

    def block(self, kind: Block) -> Tensor:
        """Return the features a slot of the prompt takes."""
        if kind == "VM":
            return torch.cat([self.visual, self.motion])
        return self.visual if kind == "V" else self.motion


#: What a question is about: a window of one clip, or one of each of two clips.
View = WindowTokens | tuple[WindowTokens, WindowTokens]


class QualityModel:
    """A network with its prompts and its motion engine.

    Attributes:
        info: what reports say of it.
        protocol: how it is asked.
        network: the network itself, in evaluation mode.
        prompter: what turns the protocol into token ids.
        engine: what runs the motion branch.
    """

    def __init__(
        self, network: Vqa2Network, prompter: Prompter, engine: Engine, info: ModelInfo
    ) -> None:
        self.network = network
        self.info = info
        self.protocol: ScoringProtocol = prompter.protocol
        self.prompter = prompter
        self.engine = engine

    def sampling(
        self,
        display: tuple[int, int] | None = None,
        find_stalls: bool = False,
        min_stall_s: float = config.MIN_STALL_S,
    ) -> Sampling:
        """Return what decoding must keep of a clip for this model."""
        return sampling_for(
            self.network.config,
            self.protocol,
            display=display,
            find_stalls=find_stalls,
            min_stall_s=min_stall_s,
        )

    def encode_keyframes(self, pixels: NDArray[np.uint8]) -> SeenFrames:
        """Return what is seen of key frames, uint8 RGB [k, H, W, 3].

        Raises:
            ValueError: the pictures are of another size than `sampling` asks for.
        """
        batches = [
            pixels[start : start + config.KEYFRAMES_PER_PASS]
            for start in range(0, len(pixels), config.KEYFRAMES_PER_PASS)
        ]
        with torch.inference_mode(), exact_convolutions():
            seen = [self.network.see(self._tensor(batch)) for batch in batches]
        found = [of_batch for _, of_batch in seen if of_batch is not None]
        return SeenFrames(
            torch.cat([tokens for tokens, _ in seen]), torch.cat(found) if found else None
        )

    def open_motion(self) -> MotionStream:
        """Return a stream that takes the motion frames of one window."""
        return MotionStream(self.engine)

    def window_tokens(
        self, seen: Sequence[SeenFrames], motion_features: NDArray[np.float32], frames: int
    ) -> WindowTokens:
        """Return one window from what its key frames and its motion stream gave.

        Args:
            seen: results of `encode_keyframes`, in order.
            motion_features: float32 [T, C] of `MotionStream.finish`; T may be 0.
            frames: decoded frames of the window.

        Raises:
            ValueError: there is no key frame, or motion does not fit the decoded frames.
        """
        if not seen:
            raise ValueError("a window needs at least one key frame")
        if len(motion_features) > frames:
            raise ValueError(f"{len(motion_features)} motion features of {frames} frames")
        with torch.inference_mode():
            tokens = torch.cat([each.tokens for each in seen])
            found = [each.statistics for each in seen if each.statistics is not None]
            features = self._tensor(motion_features)
            return WindowTokens(
                visual=self.network.visual_block(tokens),
                motion=self.network.motion_tokens(features),
                keyframes=len(tokens),
                frames=len(motion_features),
                statistics=torch.cat(found).mean(0) if found else None,
            )

    def score_windows(
        self,
        windows: Sequence[WindowTokens],
        facts: str | Sequence[str] = "",
        stalls: str | Sequence[str] = "",
    ) -> list[Score]:
        """Return the score of each window.

        Args:
            facts: sentences on the encode, one text for all windows or one for each; left out
                where the protocol has no place for it.
            stalls: what is told of stalls; the same.

        Raises:
            UsageError: the protocol answers questions and gives no score.
        """
        with torch.inference_mode():
            told, stood = (
                [text] * len(windows) if isinstance(text, str) else text for text in (facts, stalls)
            )
            sequences = [self._sequence(*each) for each in zip(windows, told, stood, strict=True)]
            logits: list[Tensor] = []
            for group in _groups([len(sequence) for sequence in sequences]):
                embeds, mask = pad([sequences[index] for index in group])
                logits += self.network(embeds, mask).cpu().unbind()
        return [score_of(row, self.prompter.level_ids, self.protocol) for row in logits]

    def distortion(self, window: WindowTokens) -> Distortion | None:
        """Return the distortion that the key frames of a window show.

        None where the model has no head for it, or its answer is no number.
        """
        head = self.network.distortion_head
        if head is None:
            return None
        with torch.inference_mode():
            found = recognise(head, self.network.config.distortions, window.keyframe_tokens)
        return found if math.isfinite(found.prob + found.quality) else None

    def generate_ids(
        self,
        view: View,
        question: str,
        max_new_tokens: int | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> list[int]:
        """Return the ids of the greedy answer to a question on one window, or on one of each clip.

        `on_text` gets the text bit by bit as it is generated.

        The repetition penalty sees the answer alone, as in the authors' code, because the
        prompt goes in as embeddings (REFERENCE.md §4.3).

        Raises:
            UsageError: the protocol takes no question, or there is none.
        """
        if isinstance(view, WindowTokens):
            told = self._readings(view)
            ids = self.prompter.question_ids(view.keyframes, view.frames, question, told)
        else:
            first, second = view
            pair = self._readings(first), self._readings(second)
            ids = self.prompter.pair_ids(first, second, question, pair)
        rules = self.protocol.generation
        with torch.inference_mode():
            embeds = self.network.assemble(ids, self._blocks(view)).unsqueeze(0)
            decoder: Any = self.network.llm
            answer = decoder.generate(
                inputs_embeds=embeds,
                attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long, device=embeds.device),
                do_sample=False,
                num_beams=1,
                logits_processor=LogitsProcessorList(
                    [RepetitionPenaltyLogitsProcessor(rules.repetition_penalty)]
                ),
                max_new_tokens=max_new_tokens or rules.max_new_tokens,
                eos_token_id=list(self.prompter.stop_ids),
                pad_token_id=self.prompter.stop_ids[-1],
                streamer=None if on_text is None else TextStream(self.prompter, on_text),
            )
        return [int(token) for token in answer[0]]

    def answer(
        self,
        view: View,
        question: str,
        max_new_tokens: int | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> str:
        """Return the greedy answer to a question on one window, or on one of each clip.

        Raises:
            UsageError: the protocol takes no question, or there is none.
        """
        ids = self.generate_ids(view, question, max_new_tokens, on_text)
        return self.prompter.decode(ids).strip()

    def close(self) -> None:
        """Free the motion engine. Safe to call twice."""
        self.engine.close()

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        """Return an array on the model's device; arrays may be read-only or strided."""
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self.network.device)

    def _sequence(self, window: WindowTokens, facts: str, stalls: str) -> Tensor:
        ids = self.prompter.scoring_ids(window.keyframes, window.frames, facts=facts, stalls=stalls)
        return self.network.assemble(ids, self._blocks(window))

    def _readings(self, window: WindowTokens) -> str:
        """Return what the head reads in a window's key frames, "" where that is not told."""
        head = self.network.distortion_head
        if head is None or not self.protocol.tells_readings:
            return ""
        with torch.inference_mode():
            told = readings(head, self.network.config.distortions, window.keyframe_tokens)
        return readings_text(told)

    def _blocks(self, view: View) -> list[Tensor]:
        windows = (view,) if isinstance(view, WindowTokens) else view
        return [window.block(kind) for window in windows for kind in self.protocol.clip_blocks]


def load_model(
    name_or_dir: str | Path = config.EMBEDDED_MODEL,
    *,
    device: str = "auto",
    precision: Precision = "auto",
    engine: EngineName = "auto",
    protocol: str | ScoringProtocol | None = None,
) -> QualityModel:
    """Return a model ready to score.

    Args:
        name_or_dir: the embedded model's name, a directory, or a hub id.
        device: "auto", "cpu", "cuda" or "cuda:N".
        precision: "auto" is fp32 on a CPU and fp16 on CUDA.
        engine: what runs the motion branch; "auto" is the best that is sound here.
        protocol: how to ask, or the name of it; None is the model's own way.

    Raises:
        UsageError: no such protocol.
        ModelError, EngineError, DeviceError: what is missing, and what to do.
    """
    asked = find_protocol(protocol) if isinstance(protocol, str) else protocol
    place = find_device(device)
    arithmetic = find_precision(precision, place)
    source = find_model(str(name_or_dir))
    loaded = load_network(source.path, device=place, dtype=DTYPES[arithmetic])
    sizes = loaded.network.config
    how = asked or find_protocol(default_protocol(source, sizes.protocol))
    prompter = Prompter.from_directory(source.path, how)
    onnx = source.path / MOTION_ONNX
    graph = motion_graph(
        loaded.network.slowfast, sizes.motion_size, onnx=onnx if onnx.is_file() else None
    )
    runner = open_engine(engine, graph, place, arithmetic)
    info = ModelInfo(
        name=source.name if source.entry else sizes.name or source.name,
        revision=sizes.revision or source.revision,
        sha256=loaded.checkpoint.sha256(),
        protocol=how.name,
        device=place,
        engine=runner.name,
        precision=arithmetic,
    )
    return QualityModel(loaded.network, prompter, runner, info)


def score_of(logits: Tensor, level_ids: Sequence[int], protocol: ScoringProtocol) -> Score:
    """Return the score that next-token logits [vocabulary] mean, in float64.

    NaN logits give NaN values and the level "low"; the caller decides what that means.
    """
    every = logits.double()
    chosen = every[list(level_ids)]
    probs = dict(zip(LEVELS, torch.softmax(chosen, 0).tolist(), strict=True))
    mass = float(torch.exp(torch.logsumexp(chosen, 0) - torch.logsumexp(every, 0)))
    weights = protocol.reference_weights
    value = score_from_probs(probs)
    return Score(
        value=value,
        level=level_of(value) if value == value else "low",
        probs=probs,
        level_mass=mass,
        reference_score=None if weights is None else expected_value(probs, weights),
    )


def _groups(lengths: Sequence[int]) -> list[list[int]]:
    """Return runs of neighbouring indices whose padded size stays under the token limit."""
    groups: list[list[int]] = []
    longest = 0
    for index, length in enumerate(lengths):
        longest = max(longest, length) if groups else length
        if groups and longest * (len(groups[-1]) + 1) <= config.TOKENS_PER_PASS:
            groups[-1].append(index)
        else:
            groups.append([index])
            longest = length
    return groups
