"""Report files that appear whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from vqa2cli.errors import UsageError


class TextSink(Protocol):
    """What a writer needs of a stream."""

    def write(self, text: str, /) -> int:
        """Add `text`."""
        ...

    def flush(self) -> None:
        """Hand over what is buffered."""
        ...


@contextmanager
def report_file(path: Path) -> Iterator[TextSink]:
    """Give a UTF-8 stream whose text becomes `path` when the block ends.

    The text goes to a temporary file in the same folder, which takes the place of `path` at
    the end, and also on Ctrl-C, so that results so far are kept. On any other error the old
    `path` stays as it was. A link is written through; a device or a FIFO is written directly.

    Raises:
        UsageError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    with _saying(path):
        special = _is_special(target)
        stream, partial = _open(target, special)
    sink = _FileSink(stream, path)
    try:
        try:
            yield sink
        except KeyboardInterrupt:
            _finish(sink, partial, target)
            raise
        _finish(sink, partial, target)
    finally:
        if partial:
            partial.unlink(missing_ok=True)
        with _saying(path):
            stream.close()


class _FileSink:
    """A file whose failing writes name the file."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self.stream, self.path = stream, path

    def write(self, text: str, /) -> int:
        with _saying(self.path):
            return self.stream.write(text)

    def flush(self) -> None:
        with _saying(self.path):
            self.stream.flush()


@contextmanager
def _saying(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a line about `path`."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _is_special(target: Path) -> bool:
    """Return whether `target` is there and is no regular file.

    Raises:
        OSError: it is a folder, or cannot be looked at.
    """
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "it is a folder", str(target))
    return not stat.S_ISREG(mode)


def _open(target: Path, special: bool) -> tuple[TextIO, Path | None]:
    """Open `target` itself, or a temporary file beside it and return its name too."""
    if special:
        return target.open("w", encoding="utf-8", newline=""), None
    handle, name = tempfile.mkstemp(prefix=".vqa2-", suffix=".tmp", dir=target.parent)
    return os.fdopen(handle, "w", encoding="utf-8", newline=""), Path(name)


def _finish(sink: _FileSink, partial: Path | None, target: Path) -> None:
    """Put what was written on the disk and, if it went to `partial`, rename that to `target`."""
    sink.flush()
    if partial is None:
        return
    with _saying(sink.path):
        os.fsync(sink.stream.fileno())
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
        partial.chmod(mode)
        partial.replace(target)


def _umask() -> int:
    """Return the process's umask; POSIX has no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
