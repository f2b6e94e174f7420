"""What a builder must know of a media file: picture or clip, how large, how long, at what rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from train.data.records import Kind
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.video.probe import check_regular_file
from vqa2cli.video.scan import scan_packets

#: Suffixes taken for a still picture; everything else is opened as a clip.
PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})


@dataclass(frozen=True)
class MediaFacts:
    """One file. A picture has one frame, no rate and no length."""

    kind: Kind
    width: int
    height: int
    frames: int = 1
    fps: float | None = None
    duration_s: float | None = None


@dataclass(frozen=True)
class Missing:
    """A file that a label names and that cannot be used, with the reason in one line."""

    media: str
    reason: str


def is_picture(media: str | Path) -> bool:
    """Return whether `media` is a still picture by its name."""
    return Path(media).suffix.lower() in PICTURE_SUFFIXES


def look_at(path: Path) -> MediaFacts:
    """Return the facts of a file; no frame of a clip is decoded.

    Raises:
        VideoError: it is not there, cannot be read or is neither picture nor clip.
    """
    check_regular_file(path)
    if not is_picture(path):
        scan = scan_packets(path)
        return MediaFacts(
            "video",
            scan.media.width,
            scan.media.height,
            scan.packets,
            float(scan.fps),
            round(scan.duration_s, 3),
        )
    try:
        with Image.open(path) as picture:
            picture.load()
            return MediaFacts("image", picture.width, picture.height)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise VideoError("unreadable", f"{path.name}: not a picture we can read") from error


def look_at_all(
    folder: Path, media: Iterable[str]
) -> tuple[dict[str, MediaFacts], tuple[Missing, ...]]:
    """Return the facts of each of `media` below `folder`, and those that cannot be used."""
    facts: dict[str, MediaFacts] = {}
    missing: dict[str, Missing] = {}
    for name in media:
        if name in facts or name in missing:
            continue
        path = folder / name
        try:
            facts[name] = look_at(path)
        except VideoError as error:
            reason = str(error).removeprefix(f"{path}: ").removeprefix(f"{path.name}: ")
            missing[name] = Missing(name, reason)
    return facts, tuple(missing.values())


def below(folder: Path, path: Path) -> str:
    """Return `path` as samples name it: relative to the media folder, with forward slashes.

    Raises:
        UsageError: it does not lie below `folder`.
    """
    try:
        return path.absolute().relative_to(folder.absolute()).as_posix()
    except ValueError as error:
        raise UsageError(
            f"{path} does not lie below the media folder {folder}; name a folder above both"
        ) from error
