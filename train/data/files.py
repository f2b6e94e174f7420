"""Files of instruction sets: they appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

from vqa2cli.errors import UsageError
from vqa2cli.report.output import report_file


class _Interrupted(Exception):
    """Ctrl-C came while writing; part of a set is of no use, unlike part of a report."""


def write_whole(path: Path, text: str) -> None:
    """Make `text` the content of `path`, or leave `path` as it was.

    The text goes to a temporary file in the same folder first, so neither a full disk nor
    Ctrl-C leaves half of it.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        with report_file(path) as stream:
            try:
                stream.write(text)
                stream.flush()
            except KeyboardInterrupt as stop:
                raise _Interrupted from stop
    except _Interrupted:
        raise KeyboardInterrupt from None


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; a byte order mark is dropped.

    Raises:
        UsageError: there is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error
