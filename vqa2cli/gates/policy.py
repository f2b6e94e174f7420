"""A policy file: gates, and what the checks of a ladder allow, as TOML that a team shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vqa2cli.errors import UsageError
from vqa2cli.gates.names import nearest
from vqa2cli.gates.rules import Rule
from vqa2cli.gates.toml_file import read_toml

_KEYS: Final = ("gates", "ladder")


@dataclass(frozen=True)
class Policy:
    """Gates in the order written; `ladder` is that table of the file, unchecked."""

    gates: tuple[Rule, ...] = ()
    ladder: Mapping[str, Any] = field(default_factory=dict)


def read_policy(path: Path | None, gates: Iterable[str] = ()) -> Policy:
    """Return the policy of `path`, if any, its gates followed by `gates`, each once.

    Raises:
        UsageError: the file cannot be read, is no TOML, has an unknown key, or a rule in it
            is none.
    """
    table = read_toml(path) if path is not None else {}
    where = f"{path}: " if path is not None else ""
    for key in table:
        if key not in _KEYS:
            raise UsageError(f"{where}no key {key}{nearest(key, _KEYS)}")
    told = table.get("gates", [])
    if not isinstance(told, list) or not all(isinstance(text, str) for text in told):
        raise UsageError(f"{where}gates must be a list of rules in quotes")
    ladder = table.get("ladder", {})
    if not isinstance(ladder, dict):
        raise UsageError(f"{where}ladder must be a table, as in [ladder.step-small]")
    try:
        rules = [Rule.of(text) for text in told]
    except UsageError as error:
        raise UsageError(f"{where}{error}") from error
    rules += [Rule.of(text) for text in gates]
    return Policy(tuple({rule.text: rule for rule in rules}.values()), ladder)
