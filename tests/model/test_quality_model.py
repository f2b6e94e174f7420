"""The assembled model on a miniature checkpoint: from pictures to scores and answers."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.model.checkpoints import write_embedded, write_published
from tests.model.networks import pixels
from vqa2cli import config
from vqa2cli.errors import DeviceError, EngineError, ModelError, UsageError
from vqa2cli.levels import LEVELS, level_of
from vqa2cli.model import QualityModel, load_model
from vqa2cli.model.catalogue import CATALOGUE, EMBEDDED_DIR
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.quality_model import score_of
from vqa2cli.model.weights import export_motion
from vqa2cli.video.media import FragmentGrid


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("models") / "VQA-Tiny-Scorer"
    write_published(directory)
    return directory


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("models") / "tiny"
    write_embedded(directory)
    return directory


@pytest.fixture(scope="module")
def model(published: Path) -> QualityModel:
    return load_model(published, device="cpu")


def window(model: QualityModel, keyframes: int = 2, frames: int = 8, seed: int = 0):
    sampling = model.sampling()
    side, motion = sampling.keyframe_size, sampling.motion_size
    visual = [model.encode_keyframes(pixels(keyframes, side, side, 3, seed=seed).numpy())]
    stream = model.open_motion()
    stream.push(pixels(frames, motion, motion, 3, seed=seed).numpy())
    return model.window_tokens(visual, stream.finish(), frames)


def test_a_window_gets_a_score_with_all_its_parts(model):
    (score,) = model.score_windows([window(model)])
    assert list(score.probs) == list(LEVELS)
    assert sum(score.probs.values()) == pytest.approx(1.0)
    assert score.level == level_of(score.value)
    assert 0.0 < score.level_mass < 1.0
    assert score.reference_score == pytest.approx(score.value / 100)


def test_the_embedded_form_scores_too_and_reads_facts(embedded):
    model = load_model(embedded, device="cpu")
    made = window(model)
    facts = " It is h264 at -12 dB bits per pixel, 100 percent of the display width."
    plain, told = (model.score_windows([made], facts=each)[0] for each in ("", facts))
    assert plain.reference_score is None
    assert plain.value != told.value
    assert model.info.protocol == "mini-1"
    assert model.info.name == "tiny"


def test_each_window_is_told_of_its_own_facts(embedded):
    model = load_model(embedded, device="cpu")
    made = window(model)
    facts = [f" It is h264 at -12 dB bits per pixel, {share} percent." for share in (25, 100)]
    alone = [model.score_windows([made], facts=each)[0].value for each in facts]
    together = [score.value for score in model.score_windows([made, made], facts=facts)]
    assert together == pytest.approx(alone, abs=1e-3)
    assert alone[0] != pytest.approx(alone[1], abs=1e-3)


def test_facts_change_nothing_where_the_prompt_has_no_place_for_them(model):
    made = window(model)
    assert model.score_windows([made], facts=" It is av1.") == model.score_windows([made])


def test_stalls_change_the_streaming_score(published):
    model = load_model(published, device="cpu", protocol="streaming-2024")
    made = window(model)
    told = model.score_windows([made], stalls="The video stalled twice.")
    assert told[0].value != model.score_windows([made])[0].value


def test_the_same_window_scores_the_same_to_the_last_digit(published, model):
    again = load_model(published, device="cpu")
    assert model.score_windows([window(model)]) == again.score_windows([window(again)])


def test_windows_score_the_same_alone_and_in_a_batch(model):
    windows = [
        window(model, keys, frames, seed)
        for seed, (keys, frames) in enumerate([(1, 4), (3, 40), (2, 12)])
    ]
    alone = [model.score_windows([each])[0].value for each in windows]
    together = [score.value for score in model.score_windows(windows)]
    assert together == pytest.approx(alone, abs=1e-3)


def test_a_batch_over_the_token_limit_is_split(model, monkeypatch):
    windows = [window(model, seed=seed) for seed in range(3)]
    together = [score.value for score in model.score_windows(windows)]
    monkeypatch.setattr(config, "TOKENS_PER_PASS", 10)
    assert [score.value for score in model.score_windows(windows)] == pytest.approx(together)
    assert model.score_windows([]) == []


def test_a_window_without_motion_frames_still_scores(model):
    (score,) = model.score_windows([window(model, frames=0)])
    assert math.isfinite(score.value)


def test_read_only_pictures_are_fine(model):
    still = pixels(1, 42, 42, 3).numpy()
    still.flags.writeable = False
    assert model.encode_keyframes(still).tokens.shape[0] == 1


def test_a_window_without_key_frames_is_refused(model):
    with pytest.raises(ValueError, match="at least one key frame"):
        model.window_tokens([], np.empty((0, 64), np.float32), 0)


def test_sampling_follows_model_and_protocol(published, embedded):
    sampling = load_model(published, device="cpu").sampling(display=(1920, 1080), find_stalls=True)
    assert (sampling.motion_stride, sampling.motion_multiple) == (8, 4)
    assert (sampling.keyframe_size, sampling.resize) == (42, "pil")
    assert (sampling.display, sampling.find_stalls) == ((1920, 1080), True)
    assert sampling.max_window_frames == 64 * 8
    small = load_model(embedded, device="cpu").sampling()
    assert small.fragments == FragmentGrid(grid=2, size=32)
    assert (small.window_s, small.keyframes_per_second) == (2.0, 2.0)
    assert small.max_window_frames == 64


def test_bfloat16_stays_close_and_is_reported(published, model):
    rough = load_model(published, device="cpu", precision="bf16")
    assert (rough.info.precision, rough.network.dtype) == ("bf16", torch.bfloat16)
    got, want = (each.score_windows([window(each)])[0].value for each in (rough, model))
    assert got == pytest.approx(want, abs=1.0)


def test_a_report_can_tell_which_model_ran(published, model):
    info = model.info
    digest = hashlib.sha256((published / "model.safetensors").read_bytes()).hexdigest()
    assert (info.name, info.sha256) == ("VQA-Tiny-Scorer", digest)
    assert (info.device, info.engine, info.precision) == ("cpu", "pytorch", "fp32")
    assert info.protocol == "ugc-2024"


def test_engines_agree_on_a_score(embedded):
    scores = []
    for engine in ("pytorch", "onnxruntime"):
        if engine == "onnxruntime":
            export_motion(embedded)
        model = load_model(embedded, device="cpu", engine=engine)
        assert model.info.engine == engine
        scores.append(model.score_windows([window(model)])[0].value)
    assert scores[0] == pytest.approx(scores[1], abs=1e-2)


def test_an_answer_is_greedy_text_and_repeats_itself(published):
    model = load_model(published, device="cpu", protocol="assistant-chat")
    made = window(model)
    first = model.answer(made, "Is it sharp?", max_new_tokens=5)
    assert isinstance(first, str)
    assert first == model.answer(made, "Is it sharp?", max_new_tokens=5)
    assert 1 <= len(model.generate_ids(made, "Is it <image> sharp?", max_new_tokens=5)) <= 5


def test_asking_for_what_a_protocol_cannot_do_says_so(published, model):
    with pytest.raises(UsageError, match="ugc-2024 takes no question"):
        model.answer(window(model), "Is it sharp?")
    chat = load_model(published, device="cpu", protocol="assistant-chat")
    with pytest.raises(UsageError, match="gives no score"):
        chat.score_windows([window(chat)])
    with pytest.raises(UsageError, match="question is empty"):
        chat.answer(window(chat), "  ")


def test_an_unknown_protocol_lists_the_known_ones(published):
    with pytest.raises(UsageError, match="ugc-2024, streaming-2024"):
        load_model(published, protocol="nope")


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "mps"])
def test_an_unknown_device_is_refused(published, device):
    with pytest.raises(DeviceError, match="choose auto, cpu, cuda"):
        load_model(published, device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_a_named_device_that_is_not_there_is_refused(published):
    with pytest.raises(DeviceError, match="found 0 CUDA devices"):
        load_model(published, device="cuda")


def test_a_named_engine_that_cannot_run_is_refused(published):
    with pytest.raises(EngineError, match="tensorrt"):
        load_model(published, device="cpu", engine="tensorrt")


def test_a_model_that_is_not_there_is_one_line(tmp_path, published, monkeypatch):
    for name in (tmp_path / "nothing", "./nothing/here"):
        with pytest.raises(ModelError, match="no such directory, and the known names are mini"):
            load_model(name)
    with pytest.raises(ModelError, match=r"takes the directory that holds config\.json"):
        load_model(published / "model.safetensors")
    monkeypatch.setattr("vqa2cli.model.catalogue.EMBEDDED_DIR", tmp_path)
    with pytest.raises(ModelError, match="is not in this installation"):
        load_model("mini")


def test_a_hub_that_cannot_be_reached_says_what_to_do(monkeypatch):
    def refuse(*_args: object, **_options: object) -> str:
        raise FileNotFoundError("no network\nmore lines")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(ModelError, match=r"\(no network\); download it elsewhere") as caught:
        load_model("q-future/VQA-UGC-Scorer-llava_qwen")
    assert "\n" not in str(caught.value)


def test_a_missing_tokenizer_is_one_line(published, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((published / name).read_bytes())
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        load_model(tmp_path, device="cpu")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="damaged tokenizer"):
        load_model(tmp_path, device="cpu")


def test_directory_names_choose_the_protocol(tmp_path):
    for name, protocol in (
        ("VQA-Streaming-Scorer-llava_qwen", "streaming-2024"),
        ("VQA-Assistant-llava_qwen", "assistant-chat"),
    ):
        write_published(tmp_path / name)
        assert load_model(tmp_path / name, device="cpu").info.protocol == protocol


def test_every_catalogued_model_has_a_protocol_we_know():
    assert {entry.protocol for entry in CATALOGUE.values()} <= PROTOCOLS.keys()
    assert EMBEDDED_DIR.name == "models"


def test_huge_and_not_a_number_logits_do_not_break_a_score():
    protocol = PROTOCOLS["ugc-2024"]
    logits = torch.full((20,), -1e4)
    logits[3] = 1e4
    score = score_of(logits, (3, 4, 5, 6, 7), protocol)
    assert (score.value, score.level, score.level_mass) == (100.0, "high", 1.0)
    broken = score_of(torch.full((20,), math.nan), (3, 4, 5, 6, 7), protocol)
    assert math.isnan(broken.value)


def test_reference_weights_are_the_protocols_own():
    logits = torch.zeros(20)
    for weights, want in ((None, None), ((1.0, 0.8, 0.6, 0.4, 0.2), 0.6)):
        protocol = replace(PROTOCOLS["ugc-2024"], reference_weights=weights)
        assert score_of(logits, (3, 4, 5, 6, 7), protocol).reference_score == (
            None if want is None else pytest.approx(want)
        )
