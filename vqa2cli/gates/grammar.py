"""The grammar of gate rules, and its parser.

docs/gates.md shows it with examples.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from lark import Lark, Tree, UnexpectedInput, UnexpectedToken
from lark.lexer import Token

from vqa2cli.errors import UsageError

#: `or` binds loosest, then `and`, `not`, comparisons, `+ -`, `* /`.
GRAMMAR: Final = r"""
?start: any
?any: all ("or" all)*
?all: one ("and" one)*
?one: "not" one -> negation
    | sum OPERATOR sum -> comparison
    | sum "in" "(" literal ("," literal)* ")" -> membership
    | "(" any ")"
?sum: product
    | sum "+" product -> add
    | sum "-" product -> subtract
?product: atom
    | product "*" atom -> multiply
    | product "/" atom -> divide
?atom: literal
    | KEY -> key
    | "count" "(" KEY ")" -> count
    | "-" atom -> negative
    | "(" sum ")"
?literal: NUMBER -> number
    | STRING -> text
OPERATOR: ">=" | "<=" | "==" | "!=" | ">" | "<"
KEY: /[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*/
STRING: /'[^'\n]*'|"[^"\n]*"/
NUMBER: /[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?/
%ignore /[ \t]+/
"""

#: Longest rule read, characters.
MAX_RULE: Final = 1000


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr")


def parsed(text: str) -> Tree[Token]:
    """Return the tree of a rule.

    Raises:
        UsageError: it is no rule; the message points at the place.
    """
    if len(text) > MAX_RULE:
        raise UsageError(f"gate: a rule of {len(text)} characters is longer than {MAX_RULE}")
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise UsageError(
            f"gate {text!r}: not understood at {_place(text, error)}; "
            "write KEY OPERATOR VALUE, such as score.value >= 60"
        ) from error
    except RecursionError as error:
        raise UsageError(f"gate {text[:40]!r}...: nested too deeply") from error


def _place(text: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return "its end"
    position = error.pos_in_stream or 0
    return f"character {position + 1} ({text[position : position + 12]!r})"
