"""The network that a recipe begins with: a fresh one, or that of a model to go on from."""

from __future__ import annotations

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
from vqa2cli.model.sampling import sampling_for
from vqa2cli.model.weights import copy_tokenizer, load_network, stated_protocol

#: What a model need not have to be gone on from: it is fitted anew wherever it is told.
_EXPECTATION = "stream_expectation."


def check_start(recipe: Recipe, folder: Path) -> None:
    """Refuse a model to go on from that does not fit, before anything is made; cheap.

    Raises:
        UsageError: it is asked by another protocol than the recipe's, or lies in `folder`.
    """
    if recipe.start is None:
        return
    stated, asked = stated_protocol(recipe.start), recipe.network.protocol
    if stated != asked:
        raise UsageError(
            f"{recipe.start}: cannot go on from this model, which is asked by the protocol "
            f"{stated or 'of its name'}; the recipe is for {asked}"
        )
    if folder.resolve() == recipe.start.resolve():
        raise UsageError(f"{folder}: the model to go on from would be overwritten; choose another")


def begin(recipe: Recipe, folder: Path) -> tuple[Vqa2Network, Prompter]:
    """Return the network to train and its prompts; its tokenizer is put into `folder`.

    Raises:
        UsageError: the model to go on from does not fit the recipe, or lies in `folder`.
        ModelError: it cannot be read.
    """
    check_start(recipe, folder)
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
    asked, protocol = recipe.network, PROTOCOLS[recipe.network.protocol]
    if sampling_for(known.config, protocol) != sampling_for(asked, protocol):
        raise UsageError(
            f"{recipe.start}: cannot go on from this model, which looks at clips otherwise than "
            "the recipe's [look] and [vision] say; say there what its config.json says"
        )
    config = replace(
        known.config,
        expectation=asked.expectation,
        traits=asked.traits,
        revision=asked.revision,
    )
    network = Vqa2Network(config)
    told = known.state_dict().items()
    state = {key: value for key, value in told if not key.startswith(_EXPECTATION)}
    absent, _ = network.load_state_dict(state, strict=False)
    assert all(key.startswith(_EXPECTATION) for key in absent), absent
    copy_tokenizer(recipe.start, folder)
    return network
