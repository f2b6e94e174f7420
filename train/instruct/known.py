"""Which recipes ship, and what their first sentence says; cheap to import, for help."""

from __future__ import annotations

import tomllib
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def recipe_names() -> list[str]:
    """Return the names of all recipes that ship."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def recipe_path(name: str) -> Path:
    """Return the file of a recipe: the one of that path if it ends in .toml, else ours."""
    return Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"


def instruct_recipes() -> list[str]:
    """Return the names of the instruction recipes that ship."""
    return [name for name in recipe_names() if is_instruct(recipe_path(name))]


def is_instruct(path: Path) -> bool:
    """Return whether a file is an instruction recipe; a file that is no TOML is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")).get("kind") == "instruct"
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def first_sentence(path: Path) -> str:
    """Return the sentence a recipe's comment begins with, empty where there is none."""
    try:
        head = path.read_text(encoding="utf-8").partition("\n\n")[0]
    except (OSError, UnicodeDecodeError):
        return ""
    told = head.replace("\n# ", " ").removeprefix("# ").partition(". ")[0].rstrip(".")
    return told if head.startswith("# ") else ""
