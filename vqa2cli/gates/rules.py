"""One rule over a record: parsed and checked once, then judged on every file.

A key whose value is null makes a comparison neither true nor false (Kleene's logic); a rule
that ends so is not passed, and says what was missing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lark import Transformer, Tree, v_args
from lark.exceptions import VisitError
from lark.lexer import Token

from vqa2cli.assessment import Gate
from vqa2cli.errors import UsageError
from vqa2cli.gates.grammar import parsed
from vqa2cli.gates.names import nearest
from vqa2cli.report.schema import KeyType, record_keys

Value = float | str | bool | None

_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """Whether something holds (None: nobody can say), the value that decided, what lacked."""

    holds: bool | None
    value: Value
    missing: str | None = None


@dataclass(frozen=True)
class Rule:
    """A gate's rule.

    Attributes:
        text: as the user wrote it, blanks at its ends removed.
        keys: dotted keys it reads.
    """

    text: str
    keys: tuple[str, ...]
    _tree: Tree[Token]

    @classmethod
    def of(cls, text: str, known: Mapping[str, KeyType] | None = None) -> Rule:
        """Return the rule that `text` states.

        Args:
            text: see the grammar.
            known: keys it may read, and what they hold; those of a record by default.

        Raises:
            UsageError: it is no rule, reads no key or an unknown one, or mixes kinds.
        """
        text = text.strip()
        types = record_keys() if known is None else known
        tree = parsed(text)
        keys = tuple(dict.fromkeys(str(token) for token in _key_tokens(tree)))
        if not keys:
            raise UsageError(f"gate {text!r}: reads no key of the report, so it decides nothing")
        for key in keys:
            if key not in types:
                raise UsageError(f"gate {text!r}: no key {key}{nearest(key, types)}")
        try:
            _Kinds(types).transform(tree)
        except VisitError as error:
            raise UsageError(f"gate {text!r}: {error.orig_exc}") from error
        return cls(text, keys, tree)

    def judge(self, record: Mapping[str, Any]) -> Gate:
        """Return what the rule makes of one record; missing data is not a pass."""
        if record.get("status") == "error":
            return Gate(self.text, None, False, "the file could not be scored")
        try:
            verdict: Verdict = _Judge(record).transform(self._tree)
        except VisitError as error:
            if isinstance(error.orig_exc, ArithmeticError):
                return Gate(self.text, None, False, "its arithmetic has no result")
            raise
        if verdict.holds is None:
            return Gate(self.text, None, False, f"{verdict.missing} has no value")
        value = verdict.value
        return Gate(self.text, int(value) if isinstance(value, bool) else value, verdict.holds)


def _key_tokens(tree: Tree[Token]) -> Iterator[Token]:
    yield from tree.scan_values(lambda value: isinstance(value, Token) and value.type == "KEY")


@v_args(inline=True)
class _Kinds(Transformer[Token, str]):
    """Finds out what each part of a rule is, so that mistakes show before a file is read."""

    def __init__(self, types: Mapping[str, KeyType]) -> None:
        super().__init__()
        self._types = types

    def number(self, _: Token) -> str:
        return "number"

    def text(self, _: Token) -> str:
        return "text"

    def key(self, key: Token) -> str:
        kind = self._types[str(key)]
        if kind == "list":
            raise ValueError(f"{key} is a list; count({key}) is its length")
        return "number" if kind == "flag" else kind

    def count(self, key: Token) -> str:
        if self._types[str(key)] != "list":
            raise ValueError(f"count({key}): only a list has a length")
        return "number"

    def negative(self, kind: str) -> str:
        return self._numbers(kind)

    def _arithmetic(self, left: str, right: str) -> str:
        return self._numbers(left, right)

    add = subtract = multiply = divide = _arithmetic

    def _numbers(self, *kinds: str) -> str:
        if set(kinds) != {"number"}:
            raise ValueError("text cannot be calculated with")
        return "number"

    def comparison(self, left: str, sign: Token, right: str) -> str:
        if left != right:
            raise ValueError("compares text with a number")
        if left == "text" and sign not in ("==", "!="):
            raise ValueError(f"text has no order; use == or != instead of {sign}")
        return "verdict"

    def membership(self, left: str, *options: str) -> str:
        if set(options) != {left}:
            raise ValueError("compares text with a number")
        return "verdict"

    def _joined(self, *parts: str) -> str:
        return "verdict"

    any = all = negation = _joined


@dataclass(frozen=True)
class _Operand:
    """One side of a comparison: its value, the key that lacked one, whether a key was read."""

    value: Any
    missing: str | None = None
    measured: bool = True


@v_args(inline=True)
class _Judge(Transformer[Token, Any]):
    """Works a rule out on one record."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        super().__init__()
        self._record = record

    def number(self, token: Token) -> _Operand:
        return _Operand(float(token), measured=False)

    def text(self, token: Token) -> _Operand:
        return _Operand(str(token[1:-1]), measured=False)

    def key(self, key: Token) -> _Operand:
        value = self._found(key)
        return _Operand(value, str(key) if value is None else None)

    def count(self, key: Token) -> _Operand:
        found = self._found(key)
        return _Operand(None, str(key)) if found is None else _Operand(len(found))

    def _found(self, key: Token) -> Any:
        value: Any = self._record
        for name in key.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def negative(self, operand: _Operand) -> _Operand:
        return operand if operand.missing else replace(operand, value=-operand.value)

    def add(self, left: _Operand, right: _Operand) -> _Operand:
        return _calculated(operator.add, left, right)

    def subtract(self, left: _Operand, right: _Operand) -> _Operand:
        return _calculated(operator.sub, left, right)

    def multiply(self, left: _Operand, right: _Operand) -> _Operand:
        return _calculated(operator.mul, left, right)

    def divide(self, left: _Operand, right: _Operand) -> _Operand:
        return _calculated(operator.truediv, left, right)

    def comparison(self, left: _Operand, sign: Token, right: _Operand) -> Verdict:
        missing = left.missing or right.missing
        if missing:
            return Verdict(None, None, missing)
        told = left if left.measured or not right.measured else right
        return Verdict(_OPERATORS[sign](left.value, right.value), told.value)

    def membership(self, left: _Operand, *options: _Operand) -> Verdict:
        if left.missing:
            return Verdict(None, None, left.missing)
        return Verdict(left.value in [option.value for option in options], left.value)

    def all(self, *parts: Verdict) -> Verdict:
        return _first(parts, (False, None, True))

    def any(self, *parts: Verdict) -> Verdict:
        return _first(parts, (True, None, False))

    def negation(self, part: Verdict) -> Verdict:
        return part if part.holds is None else replace(part, holds=not part.holds)


def _calculated(act: Callable[[Any, Any], Any], left: _Operand, right: _Operand) -> _Operand:
    """Return what `act` makes of two operands.

    Raises:
        ArithmeticError: it makes nothing finite.
    """
    missing = left.missing or right.missing
    if missing:
        return _Operand(None, missing)
    value = act(left.value, right.value)
    if not math.isfinite(value):
        raise ArithmeticError
    return _Operand(value, measured=left.measured or right.measured)


def _first(parts: Sequence[Verdict], order: Sequence[bool | None]) -> Verdict:
    """Return the first part that holds as `order` ranks it: the one that decides."""
    return min(parts, key=lambda part: order.index(part.holds))
