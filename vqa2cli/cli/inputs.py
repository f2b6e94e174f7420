"""From what the user named to the files a command works on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vqa2cli.cli.messages import Messenger
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from vqa2cli.batch import Clip
    from vqa2cli.video.sources import Source

#: Skipped files named one by one; the rest are counted, and -v names them.
_NAMED_SKIPS = 10


def find_files(inputs: Sequence[str], messenger: Messenger) -> list[Path]:
    """Return the files under `inputs`, saying which were passed over and why.

    Raises:
        UsageError: nothing is left to work on.
    """
    from vqa2cli.video.discover import discover

    found = discover(inputs, sys.stdin)
    named = len(found.skipped) if messenger.verbose else _NAMED_SKIPS
    for path, reason in found.skipped[:named]:
        messenger.note(f"skipped {path}: {reason}")
    if found.skipped[named:]:
        messenger.note(f"skipped {len(found.skipped[named:])} more; -v names them")
    if not found.files:
        raise UsageError(f"no video in {', '.join(inputs)}; name a video or a folder of videos")
    return list(found.files)


def find_clips(
    inputs: Sequence[str], outputs: Iterable[Path | None], messenger: Messenger
) -> list[Clip]:
    """Return the clips under `inputs`: files, and the rungs of playlists.

    A playlist that cannot be used is among them, to become an error row.

    Raises:
        UsageError: nothing is left to work on, or an output would overwrite an input.
    """
    files = find_files(inputs, messenger)
    return _clips_of(files, outputs)


def arriving_clips(
    folders: Sequence[str], outputs: Iterable[Path | None], idle_s: float | None
) -> Iterator[list[Clip]]:
    """Yield clips as their files become complete, until none did for `idle_s` seconds.

    Raises:
        UsageError: something named is no folder, or an output would overwrite an input.
    """
    from vqa2cli.video.arrivals import arrivals

    written = {path.resolve() for path in outputs if path is not None}
    for files in arrivals(folders, idle_s=idle_s):
        if ours := [file for file in files if file.resolve() not in written]:
            yield _clips_of(ours, ())


def _clips_of(files: Sequence[Path], outputs: Iterable[Path | None]) -> list[Clip]:
    from vqa2cli.video.playlists.expand import clips_of
    from vqa2cli.video.sources import Rendition

    clips = list(clips_of(files))
    runs = [run for clip in clips if isinstance(clip, Rendition) for run in clip.runs]
    segments = [extent.path for run in runs for extent in run.extents]
    refuse_overwriting(outputs, [*files, *segments])
    return clips


def show_clips(clips: Iterable[Clip]) -> None:
    """Write a line for each clip: its name, and why it cannot be used where that is known."""
    from vqa2cli.report.plain_text import one_line
    from vqa2cli.video.playlists.expand import Refused

    for clip in clips:
        why = f": {clip.error}" if isinstance(clip, Refused) else ""
        click.echo(one_line(f"{clip}{why}"))


def find_clip(name: str, output: Path | None, messenger: Messenger) -> Source:
    """Return the one clip that `name` means.

    Raises:
        UsageError: it is none, or several.
        VideoError: it is a playlist that cannot be used.
    """
    from vqa2cli.video.playlists.expand import Refused

    clips = find_clips([name], (output,), messenger)
    if len(clips) != 1:
        raise UsageError(f"{name}: holds {len(clips)} clips; name one of them")
    (clip,) = clips
    if isinstance(clip, Refused):
        raise clip.error
    return clip


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
