"""Text from outside made safe: file names and metadata may hold anything."""

from __future__ import annotations

import unicodedata

#: Marks that reorder text on a terminal (Unicode Bidirectional Algorithm, UAX #9), the byte
#: order mark and the zero-width space: invisible, and able to make one name look like another.
_INVISIBLE = frozenset(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)

#: Longest error line, characters; a longer one keeps its head and its tail.
MAX_LINE = 400


def told(value: float | str | None) -> str:
    """Return a measured value as people read it: six digits, text in quotes."""
    return f"{value:.6g}" if isinstance(value, int | float) else repr(value)


def met(value: float | str | None, reason: str | None) -> str:
    """Return what a failed gate met instead: why there is no value, or the value."""
    return reason or f"it is {told(value)}"


def storable(text: str) -> str:
    """Return `text` without lone surrogates, so that any UTF-8 file can hold it.

    A byte of a file name that is not UTF-8 becomes `\\xNN`, any other lone surrogate `\\uNNNN`.
    """
    return "".join(_surrogate(char) for char in text)


def one_line(text: str) -> str:
    """Return `text` on one line, with what a terminal would act on spelled out.

    Control characters (C0, C1, ESC, newlines), direction marks and lone surrogates become
    escapes such as `\\x1b` and `\\u202e`; everything else is kept as it is.
    """
    return "".join(_escaped(char) for char in text)


def short_line(text: str, limit: int = MAX_LINE) -> str:
    """Return `one_line(text)` in at most `limit` characters, cut in its middle."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    head = (limit - 3) // 2
    return f"{line[:head]}...{line[len(line) - (limit - 3 - head) :]}"


def _escaped(char: str) -> str:
    if char in _INVISIBLE or unicodedata.category(char) in {"Cc", "Zl", "Zp"}:
        return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
    return _surrogate(char)


def _surrogate(char: str) -> str:
    """Return `char`, or its escape if it is half of a surrogate pair."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries an undecodable byte (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else char
