"""Agreement with what the authors' own code computed, on their layout and real clips.

Tolerances: features, tokens and logits within 2e-4 relative (norm of the difference over
norm), probabilities and scores within 1e-4 absolute, indices and ids exactly.
"""

from __future__ import annotations

import json
from ast import literal_eval
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from vqa2cli.levels import LEVELS
from vqa2cli.model.dimensions import NetworkConfig
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter, read_tokenizer
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.quality_model import QualityModel, WindowTokens, load_model
from vqa2cli.model.slowfast import normalise
from vqa2cli.model.weights import our_key, read_config
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, KeyFrames, MotionFrames

RELATIVE = 2e-4
ABSOLUTE = 1e-4

CLIPS = ["a", "b", "c"]
SCORING = ["ugc-2024", "streaming-2024", "ugc-2025"]
CASES = [
    (clip, preset) for clip in CLIPS for preset in SCORING if (clip, preset) != ("b", "ugc-2024")
]


@dataclass
class Seen:
    """What decoding gave of one clip under one protocol."""

    keyframes: list[np.ndarray] = field(default_factory=list)
    key_pts_s: list[float] = field(default_factory=list)
    motion: list[np.ndarray] = field(default_factory=list)
    frames: int = 0
    windows: int = 0


@pytest.fixture(scope="module")
def golden(shared_dir: Path) -> Path:
    folder = shared_dir / "golden"
    if not (folder / "checkpoint" / "model.safetensors").is_file():
        pytest.skip("the golden checkpoint is not beside this checkout")
    return folder


@pytest.fixture(scope="module")
def expected(golden: Path) -> dict[str, Any]:
    return json.loads((golden / "expected.json").read_text())


@pytest.fixture(scope="module")
def model_for(golden: Path) -> Any:
    """Return the golden model under a protocol; weights are loaded once."""
    loaded = load_model(golden / "checkpoint", device="cpu", precision="fp32")
    tokenizer = read_tokenizer(golden / "checkpoint")

    @cache
    def under(protocol: str) -> QualityModel:
        prompter = Prompter(tokenizer, PROTOCOLS[protocol])
        return QualityModel(loaded.network, prompter, loaded.engine, loaded.info)

    return under


@pytest.fixture(scope="module")
def see(golden: Path, expected: dict[str, Any], model_for: Any) -> Any:
    @cache
    def seen(clip: str, protocol: str) -> Seen:
        result = Seen()
        sampling = model_for(protocol).sampling()
        for event in decode_clip(golden / expected[clip]["file"], sampling):
            match event:
                case KeyFrames():
                    result.keyframes.append(event.pixels)
                    result.key_pts_s += event.pts_s.tolist()
                case MotionFrames():
                    result.motion.append(event.pixels)
                case Closed():
                    result.frames = event.media.nb_frames_decoded
        return result

    return seen


@pytest.fixture(scope="module")
def window(see: Any, model_for: Any) -> Any:
    visual: dict[str, list[Tensor]] = {}

    @cache
    def made(clip: str, protocol: str) -> WindowTokens:
        model, clip_seen = model_for(protocol), see(clip, protocol)
        if clip not in visual:  # the same key frames under every published protocol
            visual[clip] = [model.encode_keyframes(pixels) for pixels in clip_seen.keyframes]
        return model.window_tokens(visual[clip], features(clip, protocol), clip_seen.frames)

    @cache
    def features(clip: str, protocol: str) -> np.ndarray:
        every_frame = protocol != "ugc-2024"
        if every_frame and protocol != "ugc-2025":
            return features(clip, "ugc-2025")
        stream = model_for(protocol).open_motion()
        for pixels in see(clip, protocol).motion:
            stream.push(pixels)
        return stream.finish()

    made.features = features
    return made


def relative(got: Tensor, want: Tensor) -> float:
    assert got.shape == want.shape
    return float((got.double() - want.double()).norm() / want.double().norm())


@pytest.mark.parametrize("clip", CLIPS)
def test_key_frames_are_those_of_the_reference(clip, golden, expected, see):
    seen, want = see(clip, "ugc-2025"), expected[clip]
    assert seen.frames == want["frames"]
    assert [round(pts * want["fps"]) for pts in seen.key_pts_s] == want["keyframe_indices"]
    pixels = torch.from_numpy(seen.keyframes[-1][-1])
    last = load_file(golden / f"{clip}.safetensors")["key_pixels_last"]
    assert torch.equal(normalise(pixels).permute(2, 0, 1), last)


@pytest.mark.parametrize("clip", CLIPS)
def test_motion_features_and_tokens_match(clip, golden, expected, model_for, window):
    want = load_file(golden / f"{clip}.safetensors")
    network = model_for("ugc-2025").network
    features = torch.from_numpy(window.features(clip, "ugc-2025"))
    with torch.inference_mode():
        placed = network.slowfast.add_positions(features)
        assert relative(placed, want["motion_features"]) < RELATIVE
        assert relative(network.motion_tokens(features), want["motion_tokens"]) < RELATIVE


@pytest.mark.parametrize("clip", CLIPS)
def test_tower_and_visual_tokens_match(clip, golden, see, model_for, window):
    want = load_file(golden / f"{clip}.safetensors")
    network = model_for("ugc-2025").network
    first = torch.from_numpy(see(clip, "ugc-2025").keyframes[0][:1])
    with torch.inference_mode():
        assert relative(network.vision_tower(first), want["vision_tower_first"]) < RELATIVE
    tokens = window(clip, "ugc-2025").visual[:-1].reshape(want["vision_tokens_pooled"].shape)
    assert relative(tokens, want["vision_tokens_pooled"]) < RELATIVE


@pytest.mark.parametrize(("clip", "preset"), CASES)
def test_prompts_have_the_reference_ids(clip, preset, expected, model_for, window):
    want = expected[clip]["presets"][preset]
    made, model = window(clip, preset), model_for(preset)
    ids = model.prompter.conversation_ids(made.keyframes, made.frames)
    assert ids == want["input_ids"]
    used = [made.block(kind) for kind in model.protocol.blocks][: ids.count(-200)]
    length = len(ids) - len(used) + sum(len(block) for block in used)
    assert length == want["sequence_length"]
    assert made.frames == want["motion_frames"]


@pytest.mark.parametrize(("clip", "preset"), CASES)
def test_logits_match(clip, preset, expected, model_for, window):
    want = expected[clip]["presets"][preset]
    model = model_for(preset)
    with torch.inference_mode():
        made = window(clip, preset)
        ids = model.prompter.scoring_ids(made.keyframes, made.frames)
        sequence = model.network.assemble(ids, [made.visual, made.motion])
        logits = model.network(sequence.unsqueeze(0))[0]
    levels = torch.tensor([want["level_logits"][word] for word in LEVELS])
    assert relative(logits[list(model.prompter.level_ids)], levels) < RELATIVE
    top = logits.topk(5)
    assert top.indices.tolist() == [token for token, _ in want["top5"]]
    assert relative(top.values, torch.tensor([value for _, value in want["top5"]])) < RELATIVE


@pytest.mark.parametrize(("clip", "preset"), CASES)
def test_scores_match(clip, preset, expected, model_for, window):
    want = expected[clip]["presets"][preset]
    (score,) = model_for(preset).score_windows([window(clip, preset)])
    assert score.probs == pytest.approx(want["level_probs"], abs=ABSOLUTE)
    assert score.reference_score == pytest.approx(want["reference_score"], abs=ABSOLUTE)
    assert score.level_mass == pytest.approx(want["level_mass"], rel=1e-3)


@pytest.mark.parametrize("clip", CLIPS)
def test_greedy_answers_have_the_reference_ids(clip, expected, model_for, window):
    want = expected[clip]["assistant_chat_greedy"]
    model = model_for("assistant-chat")
    made = window(clip, "assistant-chat")
    question = "Is this video blurry?"
    ids = model.prompter.question_ids(made.keyframes, made.frames, question)
    assert ids == want["input_ids"]
    got = model.generate_ids(made, question, want["max_new_tokens"])
    assert got == want["generated_ids"]


def test_the_seven_billion_layout_gives_the_published_sizes(golden):
    text = (golden / "checkpoint_keys.txt").read_text()
    rows = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    shapes = {our_key(key): tuple(literal_eval(shape)) for key, shape in rows}
    raw = json.loads((golden / "checkpoint" / "config.json").read_text())
    raw |= {"num_attention_heads": 28, "num_key_value_heads": 4}
    config = read_config(golden, raw, shapes)
    assert config == NetworkConfig()  # whose defaults are the published sizes
    with torch.device("meta"):
        wanted = Vqa2Network(config).state_dict()
    assert {key: tuple(value.shape) for key, value in wanted.items()}.items() <= shapes.items()


def test_a_clip_too_short_for_the_stride_still_scores(model_for, window):
    (score,) = model_for("ugc-2024").score_windows([window("b", "ugc-2024")])
    assert 0.0 <= score.value <= 100.0


def test_windows_score_the_same_alone_and_together(model_for, window):
    model = model_for("ugc-2025")
    windows = [window(clip, "ugc-2025") for clip in CLIPS]
    alone = [model.score_windows([each])[0].value for each in windows]
    together = [score.value for score in model.score_windows(windows)]
    assert together == pytest.approx(alone, abs=1e-3)
