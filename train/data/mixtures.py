"""Several instruction sets as one: `part{1,2}.json`, or a YAML that says how much to take of each.

The YAML is the authors' (REFERENCE.md §5): `datasets`, a list of `json_path` and, if not all of
it is wanted, `sampling_strategy`: `first:N`, `end:N` or `random:N`, where N may be a share such
as `10%`, rounded up. Relative paths are relative to the YAML, or else to the working folder.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from train.data.files import read_text
from vqa2cli.errors import UsageError

Item = TypeVar("Item")

_BRACES: Final = re.compile(r"^(?P<before>.*)\{(?P<names>[^{}]*)\}(?P<after>[^{}]*)$")
_STRATEGY: Final = re.compile(r"^(?P<way>first|end|random):(?P<amount>\d+)(?P<share>%?)$")


@dataclass(frozen=True)
class Part:
    """How much of one list is taken: `way` is all, first, end or random."""

    path: Path
    way: str = "all"
    amount: int = 0
    is_share: bool = False

    def of(self, items: Sequence[Item], *, seed: int = 0) -> list[Item]:
        """Return what this part takes of a list; the order is kept but for a random draw."""
        if self.way == "all":
            return list(items)
        count = math.ceil(self.amount * len(items) / 100) if self.is_share else self.amount
        count = min(count, len(items))
        if self.way == "random":
            return random.Random(f"{seed}:{self.path.name}").sample(list(items), count)
        return list(items[:count] if self.way == "first" else items[len(items) - count :])


def parts_of(path: Path) -> list[Part]:
    """Return the lists that one path names, itself included.

    Raises:
        UsageError: the braces hold nothing, or the YAML is none of the authors' kind.
    """
    if path.suffix in {".yaml", ".yml"}:
        return _listed(path)
    found = None if path.exists() else _BRACES.match(str(path))
    if found is None:
        return [Part(path)]
    names = [name.strip() for name in found["names"].split(",") if name.strip()]
    if not names:
        raise UsageError(f"{path}: nothing between the braces; name lists, as in part{{1,2}}.json")
    return [Part(Path(f"{found['before']}{name}{found['after']}")) for name in names]


def _listed(path: Path) -> list[Part]:
    import yaml  # type: ignore[import-untyped]

    try:
        found = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"{path}{where}: malformed YAML") from error
    datasets = found.get("datasets") if isinstance(found, dict) else None
    if not isinstance(datasets, list) or not datasets:
        raise UsageError(f"{path}: no list of datasets, each with a json_path")
    return [_part(path, number, entry) for number, entry in enumerate(datasets)]


def _part(path: Path, number: int, entry: Any) -> Part:
    name = entry.get("json_path") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        raise UsageError(f"{path}, dataset {number}: no json_path")
    beside = path.parent / name
    file = beside if beside.exists() else Path(name)
    stated = str(entry.get("sampling_strategy", "all"))
    if stated == "all":
        return Part(file)
    found = _STRATEGY.match(stated)
    if found is None:
        raise UsageError(
            f"{path}, dataset {number}: sampling_strategy {stated!r}; one of all, first:N, end:N, "
            "random:N, N a number or a share such as 10%"
        )
    return Part(file, found["way"], int(found["amount"]), bool(found["share"]))
