"""Tells clips from questions on one command line: clips come first."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from vqa2cli.errors import UsageError

#: Suffixes of still images, which are clips of one frame where they are named outright.
_STILLS = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".jxl")
)


def clips_and_questions(
    arguments: Sequence[str], most: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the clips that a command line begins with, and the questions after them.

    The first argument is a clip. Those after it are clips as long as they are files, or look
    like a path of one; so a name that is mistyped is missed as a file and never asked.

    Raises:
        UsageError: there are more than `most` clips, or one stands behind a question.
    """
    count = 1
    while count < len(arguments) and is_clip(arguments[count]):
        count += 1
    clips, questions = tuple(arguments[:count]), tuple(arguments[count:])
    if count > most:
        raise UsageError(f"{count} clips named, at most {most} are asked about; leave some out")
    late = next((text for text in questions if _looks_like_clip(text)), None)
    if late is not None:
        raise UsageError(
            f"{late}: looks like a clip behind a question; name clips first, or end the question "
            "with a question mark"
        )
    return clips, questions


def is_clip(text: str) -> bool:
    """Whether an argument is a file, or looks like the path of one."""
    return os.path.isfile(text) or _looks_like_clip(text)


def _looks_like_clip(text: str) -> bool:
    from vqa2cli.video.discover import VIDEO_SUFFIXES
    from vqa2cli.video.playlists.expand import is_playlist

    path = Path(text)
    if path.suffix.lower() in VIDEO_SUFFIXES | _STILLS or is_playlist(path):
        return True
    return os.sep in text and re.search(r"\s|\?$", text) is None
