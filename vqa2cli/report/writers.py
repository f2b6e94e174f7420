"""Writers of reports: each takes records as they come and a text stream to put them on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from vqa2cli.config import SCHEMA_VERSION, VERSION
from vqa2cli.report.output import TextSink
from vqa2cli.report.rows import COLUMNS, Record, compact_json, flat

#: First characters that make a spreadsheet read a cell as a formula (OWASP ASVS 1.2.10), their
#: full-width twins, and the apostrophe itself, so that dropping one leading apostrophe
#: always gives the original back.
FORMULA_STARTS = frozenset("=+-@\t\r\n'＝＋－＠")


Row = TypeVar("Row", contravariant=True)


class Writer(Protocol[Row]):
    """Takes rows one at a time; `close` ends the report and leaves the stream open."""

    def write(self, row: Row, /) -> None:
        """Add one row."""
        ...

    def close(self) -> None:
        """End the report."""
        ...


class ManyWriter(Generic[Row]):
    """Hands every row to several writers."""

    def __init__(self, writers: Sequence[Writer[Row]]) -> None:
        self._writers = writers

    def write(self, row: Row) -> None:
        """Add one row to each."""
        for writer in self._writers:
            writer.write(row)

    def close(self) -> None:
        """End each report."""
        for writer in self._writers:
            writer.close()


class JsonWriter:
    """One JSON object, its `results` written as they come."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream
        self._between = "\n"
        head = f'"schema_version":{SCHEMA_VERSION},"version":{compact_json(VERSION)}'
        stream.write("{" + head + ',"results":[')

    def write(self, record: Record) -> None:
        """Add one record on a line of its own."""
        # One write a record, so that a run stopped at any moment can still be closed.
        self._stream.write(self._between + compact_json(record))
        self._between = ",\n"
        self._stream.flush()

    def close(self) -> None:
        """Close the list and the object; without records it is empty, and still JSON."""
        self._stream.write("\n]}\n")
        self._stream.flush()


class NdjsonWriter:
    """A line of JSON per file, flushed at once."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream

    def write(self, record: Record) -> None:
        """Add one line."""
        self._stream.write(compact_json(record) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line stands for itself."""


class CsvWriter:
    """Flat rows after RFC 4180, text cells made harmless for spreadsheets."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream
        self._rows = csv.writer(stream)
        write_cells(self._rows.writerow, COLUMNS)

    def write(self, record: Record) -> None:
        """Add one row."""
        write_cells(self._rows.writerow, flat(record).values())
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: every row stands for itself."""


class RowWriter(Protocol):
    """`writerow` of the csv module."""

    def __call__(self, row: Iterable[Any], /) -> Any:
        """Write one row."""
        ...


def write_cells(writerow: RowWriter, cells: Iterable[Any]) -> None:
    """Write one CSV row: text neutralised, numbers exact, None an empty cell."""
    writerow([neutral(cell) if isinstance(cell, str) else cell for cell in cells])


def neutral(text: str) -> str:
    """Return `text` such that no spreadsheet takes it for a formula.

    A text that begins with a character of `FORMULA_STARTS` gets a leading apostrophe; NUL,
    which many CSV readers refuse, is spelled out.
    """
    safe = text.replace("\0", "\\x00")
    return f"'{safe}" if safe[:1] in FORMULA_STARTS else safe
