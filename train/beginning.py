"""The network that a recipe begins with: a fresh one, or that of a model to go on from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from train.pretrained import start_from_photographs
from train.recipe import Recipe
from train.vocabulary import embed_numbers_by_size, train_tokenizer
from vqa2cli.errors import UsageError
from vqa2cli.model.inverted import InvertedStem
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter, read_tokenizer
from vqa2cli.model.protocols import PROTOCOLS
from vqa2cli.model.weights import TOKENIZER_FILES, load_network

#: What a model need not have to be gone on from: it is fitted anew wherever it is told.
_EXPECTATION = "stream_expectation."


def begin(recipe: Recipe, folder: Path) -> tuple[Vqa2Network, Prompter]:
    """Return the network to train and its prompts; its tokenizer is put into `folder`.

    Raises:
        UsageError: the model to go on from is not of the recipe's kind, or lies in `folder`.
        ModelError: it cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = _fresh(recipe, folder) if recipe.start is None else _of_model(recipe, folder)
    return network, Prompter.from_directory(folder, PROTOCOLS[recipe.network.protocol])


def _fresh(recipe: Recipe, folder: Path) -> Vqa2Network:
    """Train the tokenizer and return a fresh network that fits it."""
    train_tokenizer(folder, recipe.vocabulary)
    tokenizer = read_tokenizer(folder)
    language = replace(recipe.network.language, vocab_size=tokenizer.get_vocab_size())
    network = Vqa2Network(replace(recipe.network, language=language))
    stem = network.vision_tower.embeddings.patch_embedding
    if isinstance(stem, InvertedStem):
        start_from_photographs(stem)
    embed_numbers_by_size(network.llm.model.embed_tokens.weight, tokenizer.get_vocab())
    return network


def _of_model(recipe: Recipe, folder: Path) -> Vqa2Network:
    """Copy the tokenizer of the model to go on from and return its network, to be trained."""
    assert recipe.start is not None
    known = load_network(recipe.start).network
    config, asked = known.config, recipe.network
    if (config.protocol, config.fragments) != (asked.protocol, asked.fragments):
        raise UsageError(
            f"{recipe.start}: cannot go on from this model, which is asked by the protocol "
            f"{config.protocol or 'of its name'}; the recipe is for {asked.protocol}"
        )
    if folder.samefile(recipe.start):
        raise UsageError(f"{folder}: the model to go on from would be overwritten; choose another")
    network = Vqa2Network(replace(config, expectation=asked.expectation, revision=asked.revision))
    state = {
        key: value for key, value in known.state_dict().items() if not key.startswith(_EXPECTATION)
    }
    absent, _ = network.load_state_dict(state, strict=False)
    assert all(key.startswith(_EXPECTATION) for key in absent), absent
    for name in TOKENIZER_FILES:
        if (recipe.start / name).is_file():
            shutil.copyfile(recipe.start / name, folder / name)
    return network
