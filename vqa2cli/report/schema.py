"""The published JSON Schemas of the reports, and what they say of every key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

#: What a key of a record holds, as far as a rule can use it.
KeyType = Literal["number", "text", "flag", "list"]

#: Names of the schemas that ship with the package.
SCHEMAS: Final = ("report", "ladder")

_TYPES: Final[dict[str, KeyType]] = {
    "number": "number",
    "integer": "number",
    "string": "text",
    "boolean": "flag",
    "array": "list",
}


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) called `name`, one of `SCHEMAS`."""
    path = files("vqa2cli.report").joinpath("schemas", f"{name}.schema.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@cache
def record_keys() -> Mapping[str, KeyType]:
    """Return every leaf of a record as a dotted key, and what it holds."""
    return dict(_leaves(schema("report")["$defs"]["record"], ""))


def _leaves(node: Mapping[str, Any], path: str) -> Iterator[tuple[str, KeyType]]:
    for name, child in node["properties"].items():
        inner = f"{path}.{name}" if path else name
        kinds = child["type"] if isinstance(child["type"], list) else [child["type"]]
        if "object" in kinds:
            yield from _leaves(child, inner)
        else:
            yield inner, _TYPES[kinds[0]]
