"""From what the user named to the files a command works on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from vqa2cli.cli.messages import Messenger
from vqa2cli.errors import UsageError


def find_files(inputs: Sequence[Path], messenger: Messenger) -> list[Path]:
    """Return the files under `inputs`, saying which were passed over and why.

    Raises:
        UsageError: nothing is left to work on.
    """
    from vqa2cli.video.discover import discover

    found = discover(inputs, sys.stdin)
    for skipped in found.skipped:
        messenger.note(f"skipped {skipped.path}: {skipped.reason}")
    if not found.files:
        named = ", ".join(str(path) for path in inputs)
        raise UsageError(f"no video found in {named}; name a video file or a folder of them")
    return list(found.files)


def refuse_overwriting(outputs: Iterable[Path | None], files: Iterable[Path]) -> None:
    """Make sure that no output is an input, nor another output.

    Raises:
        UsageError: two of them are the same file.
    """
    taken = {path.resolve() for path in files}
    for output in outputs:
        if output is None:
            continue
        if output.resolve() in taken:
            raise UsageError(f"writing {output} would overwrite an input or another output")
        taken.add(output.resolve())
