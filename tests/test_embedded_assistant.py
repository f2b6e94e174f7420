"""The assistant that ships with the package: it answers about clips made here, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Run, vqa2
from vqa2cli import asking
from vqa2cli.config import ASSISTANT_MODEL, RunConfig
from vqa2cli.model import QualityModel, load_model
from vqa2cli.model.catalogue import EMBEDDED_DIR
from vqa2cli.video.synthesis import Frame, moving_scene, write_clip

__all__ = ["vqa2"]

SIZE = (640, 360)


@pytest.fixture(scope="module")
def assistant() -> QualityModel:
    return asking.answering_model(RunConfig(model=ASSISTANT_MODEL))


def noisy(frames: list[Frame]) -> list[Frame]:
    """Return frames under strong white noise."""
    rng = np.random.default_rng(0)
    return [
        np.clip(frame + rng.normal(0, 30, frame.shape), 0, 255).astype(np.uint8) for frame in frames
    ]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One scene clean, noisy, and compressed to ruin."""
    folder = tmp_path_factory.mktemp("clips")
    scene = list(moving_scene(2.0, 30, SIZE, seed=11))
    return {
        "clean": write_clip(folder / "clean.mp4", scene, 30, options={"crf": "14"}),
        "noisy": write_clip(folder / "noisy.mp4", noisy(scene), 30, options={"crf": "12"}),
        "ruined": write_clip(folder / "ruined.mp4", scene, 30, options={"crf": "48"}),
    }


def answers(model: QualityModel, clip: Path, *questions: str) -> list[str]:
    views = asking.views_of([asking.look(clip, model, RunConfig(diagnostics=False))])
    return [text for asked in questions for text in asking.answers(views, model, asked)]


def test_both_models_together_take_less_than_forty_megabytes() -> None:
    files = [path for path in EMBEDDED_DIR.rglob("*") if path.is_file()]
    folder = EMBEDDED_DIR / ASSISTANT_MODEL
    assert {"config.json", "model.safetensors", "tokenizer.json", "MODEL_CARD.md"} <= {
        path.name for path in folder.iterdir()
    }
    assert sum(path.stat().st_size for path in files) < 40e6


def test_it_has_the_eyes_of_the_model_that_scores(assistant: QualityModel) -> None:
    scorer = load_model("mini").network.state_dict()
    seeing = ("vision_tower.", "mm_projector.", "distortion_head.")
    mine = assistant.network.state_dict()
    assert all(value.equal(mine[name]) for name, value in scorer.items() if name.startswith(seeing))


def test_it_says_what_is_wrong_and_how_good_that_leaves_it(
    assistant: QualityModel, clips: dict[str, Path]
) -> None:
    (noise,) = answers(assistant, clips["noisy"], asking.DEPICT)
    assert "noise is seen throughout. Hence, the quality of this video is " in noise
    (ruined,) = answers(assistant, clips["ruined"], asking.DEPICT)
    assert "ompression artifacts are seen throughout." in ruined
    assert ruined.endswith((" poor.", " low."))


def test_it_says_whether_a_distortion_is_there(
    assistant: QualityModel, clips: dict[str, Path]
) -> None:
    asked = "Is there any noise in this video?"
    assert answers(assistant, clips["noisy"], asked)[0].startswith("Noise: yes, ")
    assert answers(assistant, clips["ruined"], asked) == ["Noise: no."]
    assert answers(assistant, clips["clean"], asked) == ["Noise: no."]


def test_it_chooses_by_letter(vqa2: Run, clips: dict[str, Path]) -> None:
    done = vqa2("ask", clips["noisy"], "What is the main distortion?", "--choices",
                "blur,noise,banding", "--format", "json")  # fmt: skip
    assert done.code == 0
    (window,) = json.loads(done.out)["answers"][0]["windows"]
    assert (window["letter"], window["choice"]) == ("B", "noise")


@pytest.mark.parametrize("choices", ["noise,blur,banding", "blur,banding,noise", "Blocks,Noise"])
def test_it_chooses_the_same_wherever_it_stands(
    vqa2: Run, clips: dict[str, Path], choices: str
) -> None:
    done = vqa2("ask", clips["noisy"], "What is the main distortion?", "--choices", choices,
                "--format", "json")  # fmt: skip
    (window,) = json.loads(done.out)["answers"][0]["windows"]
    assert window["choice"].lower() == "noise"
    assert window["letter"] == "ABC"[choices.lower().split(",").index("noise")]


@pytest.mark.parametrize(
    ("clip", "asked", "said"),
    [
        ("noisy", "Is it noisy?", "Yes"),
        ("clean", "Is there any noise in this video?", "No"),
        ("clean", "Is it sharp?", "Yes"),
        ("noisy", "Is it free of noise?", "No"),
    ],
)
def test_it_says_yes_or_no(
    vqa2: Run, clips: dict[str, Path], clip: str, asked: str, said: str
) -> None:
    done = vqa2("ask", clips[clip], asked, "--binary", "--format", "json")
    (window,) = json.loads(done.out)["answers"][0]["windows"]
    assert (window["choice"], window["letter"]) == (said, "A" if said == "Yes" else "B")


def test_yes_and_no_among_choices_mean_what_was_asked(vqa2: Run, clips: dict[str, Path]) -> None:
    done = vqa2("ask", clips["clean"], "Is it sharp?", "--choices", "no,yes", "--format", "json")
    (window,) = json.loads(done.out)["answers"][0]["windows"]
    assert (window["answer"], window["choice"]) == ("Blur: no.", "yes")


def test_of_choices_that_it_does_not_name_it_chooses_none(
    vqa2: Run, clips: dict[str, Path]
) -> None:
    done = vqa2("ask", clips["noisy"], "What is the main distortion?", "--choices", "cats,dogs",
                "--format", "json")  # fmt: skip
    (window,) = json.loads(done.out)["answers"][0]["windows"]
    assert (window["letter"], window["choice"]) == (None, None)
    assert "noise" in window["answer"]


def test_what_pictures_do_not_tell_it_does_not_tell(
    assistant: QualityModel, clips: dict[str, Path]
) -> None:
    (stalls,) = answers(assistant, clips["clean"], "Are there any stalls?")
    assert stalls == "I see single pictures; stalls are found by vqa2 stalls."


def test_the_same_question_gets_the_same_answer(
    assistant: QualityModel, clips: dict[str, Path]
) -> None:
    first, again = (answers(assistant, clips["noisy"], "What is wrong?") for _ in range(2))
    assert first == again


def test_explain_shows_its_words_below_what_was_measured(vqa2: Run, clips: dict[str, Path]) -> None:
    done = vqa2("explain", clips["noisy"], "--format", "json")
    assert (done.code, done.err) == (0, "")
    record = json.loads(done.out)
    assert record["model"]["name"] == "vqa2-mini"
    told = record["explanation"]
    assert told["depiction"]["model"] == f"vqa2-{ASSISTANT_MODEL}"
    assert "noise" in told["depiction"]["parts"][0]["text"]
    assert told["depiction"]["parts"][0]["end"] == pytest.approx(2.0, abs=0.1)
    assert "the model rates the quality of this video" in told["text"]
    shown = vqa2("explain", clips["noisy"])
    assert f"In the words of vqa2-{ASSISTANT_MODEL}:" in shown.out
