"""Questions as training samples, and a network that learns their answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.train.mini.toy import toy
from train.assistant.make import new_assistant
from train.assistant.shown import shown_by
from train.assistant.task import AnswerTask, Questions
from train.assistant.views import Seen, Views
from train.beginning import begin
from train.instruct.parts import let_language_learn
from train.recipe import read_recipe
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.recognition import Reading

RECIPE = toy(read_recipe("mini"))
FIT = replace(RECIPE.stages[-1].fit, steps=3, groups=2, per_group=2)

Made = tuple[Vqa2Network, Vqa2Network, Prompter, Questions]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A scorer that learned nothing, its assistant, who asks, and the questions."""
    torch.manual_seed(0)
    scorer, _ = begin(RECIPE, tmp_path_factory.mktemp("scorer"))
    folder: Path = tmp_path_factory.mktemp("assistant")
    network, of_one, of_two = new_assistant(scorer, folder, 1536, "toy")
    rng = np.random.default_rng(0)
    width, channels = network.config.language.hidden_size, network.config.motion.width
    clips = []
    for name, quality in (("none", 95.0), ("noise", 40.0), ("blur", 20.0)):
        told = (Reading(name, quality),) * 2
        tokens, motion = rng.normal(size=(2, 2, width)), rng.normal(size=(8, channels))
        clips.append(Seen(tokens, motion, told, shown_by(told)))
    return scorer, network, of_one, Questions(Views(clips, 8), of_one, of_two, FIT)


def test_a_question_is_the_prompt_that_is_asked_in_use_and_its_answer_alone_is_learned(
    made: Made,
) -> None:
    *_, prompter, questions = made
    asked = [questions[0, number] for number in range(60)]
    pairs = [one for one in asked if len(one.views) == 2]
    assert 0 < len(pairs) < len(asked) / 2
    for one in asked:
        ids = [token for token in one.encoded.ids if token >= 0]
        text = prompter.decode(ids)
        assert "Quality " in text
        learned = [t for t, on in zip(one.encoded.ids, one.encoded.learned, strict=True) if on]
        assert learned[-1] == prompter.stop_ids[0]
        assert text.endswith(prompter.decode(learned))
        assert one.encoded.slots() == 2 * len(one.views)


def test_the_same_seed_asks_the_same_and_another_does_not(made: Made) -> None:
    *_, questions = made
    assert len(questions) == 3 * 4
    first, again, other = (list(questions.loader(seed)) for seed in (0, 0, 1))
    assert len(first) == 3
    ids = [[one.encoded.ids for batch in drawn for one in batch["asked"]]
           for drawn in (first, again, other)]  # fmt: skip
    assert ids[0] == ids[1] != ids[2]


def test_answers_are_learned_and_the_eyes_stay_as_they_are(made: Made) -> None:
    scorer, network, _, questions = made
    let_language_learn(network)
    task = AnswerTask(network, FIT)
    batch = next(iter(questions.loader(0)))
    optimizer = torch.optim.AdamW([p for p in task.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    for _ in range(12):
        loss = task(**batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    for part in ("vision_tower", "mm_projector", "distortion_head"):
        before = getattr(scorer, part).state_dict()
        after = getattr(network, part).state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_network_without_a_head_has_nothing_to_answer_by(made: Made) -> None:
    from train.assistant.views import seen_of

    scorer, *_ = made
    blind = Vqa2Network(replace(scorer.config, distortions=()))
    with pytest.raises(ValueError, match="no head"):
        next(seen_of(blind, []))
