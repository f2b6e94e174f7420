"""JSON lists of records: each value with the line it stands on, so that errors can name it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from train.data.files import read_text
from vqa2cli.errors import UsageError

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\n\r]*")


def json_records(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the values of a JSON list, or of a .jsonl's lines, with the line each begins on.

    Raises:
        UsageError: the file cannot be read or is malformed; the line is named.
    """
    text = read_text(path)
    return _lines(path, text) if path.suffix == ".jsonl" else _elements(path, text)


def _lines(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Yield the JSON value of each line that is not blank, with the line's number."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise UsageError(f"{path}, line {number}: malformed JSON ({error})") from error


def _elements(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Yield each value of the JSON list `text` with the line (from 1) it begins on."""
    position = _next(text, 0)
    if text[position : position + 1] != "[":
        raise UsageError(f"{path}: expected a JSON list of records")
    position = _next(text, position + 1)
    line, counted = 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        value, position = _decoded(path, text, position)
        yield line, value
        position = _after_comma(path, text, position)
    rest = _next(text, position + 1)
    if rest < len(text):
        raise _malformed(path, text, rest, "text after the list")


def _decoded(path: Path, text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise _malformed(path, text, error.pos, error.msg) from error
    except RecursionError as error:
        raise _malformed(path, text, position, "nested too deeply") from error


def _after_comma(path: Path, text: str, position: int) -> int:
    """Return where the next record begins, or where the list's `]` stands."""
    position = _next(text, position)
    mark = text[position : position + 1]
    if mark == "]":
        return position
    following = _next(text, position + 1)
    if mark != "," or text[following : following + 1] == "]":
        raise _malformed(path, text, position, "expected , and a record, or ] after a record")
    return following


def _malformed(path: Path, text: str, position: int, what: str) -> UsageError:
    line = text.count("\n", 0, position) + 1
    return UsageError(f"{path}, line {line}: malformed JSON ({what})")


def _next(text: str, position: int) -> int:
    """Return the position of the first character from `position` on that is not a space."""
    found = _SPACE.match(text, position)
    assert found is not None  # it matches the empty string
    return found.end()
