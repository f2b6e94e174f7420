"""The tokenizer of the embedded scorer, made anew."""

from pathlib import Path

from train.recipe import read_recipe
from train.vocabulary import train_tokenizer
from vqa2cli.model.catalogue import EMBEDDED_DIR


def test_the_recipe_makes_the_very_tokenizer_that_ships(tmp_path: Path) -> None:
    train_tokenizer(tmp_path, read_recipe("mini").vocabulary)
    made = (tmp_path / "tokenizer.json").read_bytes()
    assert made == (EMBEDDED_DIR / "mini" / "tokenizer.json").read_bytes()
