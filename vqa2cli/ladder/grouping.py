"""From what a user names to titles and their rungs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vqa2cli.errors import UsageError, VideoError
from vqa2cli.ladder.names import titles_by_name
from vqa2cli.ladder.titles import Rung, Title, in_order
from vqa2cli.video.playlists.expand import Refused, is_playlist, playlist_rungs
from vqa2cli.video.sources import Rendition

#: Codec of a rung by the first part of its RFC 6381 name, under ffprobe's name.
CODECS = {
    **dict.fromkeys(("avc1", "avc3"), "h264"),
    **dict.fromkeys(("hvc1", "hev1", "dvh1", "dvhe"), "hevc"),
    "vp08": "vp8", "vp8": "vp8",
    "vp09": "vp9", "vp9": "vp9",
    "av01": "av1",
    **dict.fromkeys(("vvc1", "vvi1"), "vvc"),
    "mp4v": "mpeg4",
}  # fmt: skip


@dataclass(frozen=True)
class Grouping:
    """Titles in the order met, and files that are no rung of any."""

    titles: tuple[Title, ...]
    left_out: tuple[Path, ...] = ()


def group(files: Sequence[Path]) -> Grouping:
    """Return the titles of playlists, a title or more each, and of file names.

    A playlist that cannot be read is a title with one rung, which says why.

    Raises:
        UsageError: no file is a rung of anything.
    """
    titles: list[Title] = []
    for playlist in (file for file in files if is_playlist(file)):
        titles += _of_playlist(playlist)
    named, alone = titles_by_name([file for file in files if not is_playlist(file)])
    titles += named
    if not titles:
        shown = ", ".join(file.name for file in alone[:3])
        raise UsageError(
            f"no ladder: the names of {shown} tell neither size nor bit rate "
            "(title_720p_2500k.mp4 would); say with --map which file is which rung"
        )
    return Grouping(tuple(titles), tuple(alone))


def declared_codec(codecs: str | None) -> str | None:
    """Return ffprobe's name of the video codec in an RFC 6381 list, None where it names none."""
    for part in (codecs or "").split(","):
        known = CODECS.get(part.strip().partition(".")[0].lower())
        if known:
            return known
    return None


def _of_playlist(path: Path) -> list[Title]:
    """Return the rungs of a playlist, a title for each codec that it declares."""
    try:
        clips = playlist_rungs(path)
    except VideoError as error:
        return [Title(str(path), (Rung(Refused(path, error), path.name),), "playlist")]
    by_codec: dict[str | None, list[Rung]] = {}
    for clip in clips:
        assert isinstance(clip, Rendition)
        rung = Rung(clip, clip.rung or path.stem, clip.declared)
        by_codec.setdefault(declared_codec(clip.declared.codecs), []).append(rung)
    if len(by_codec) == 2 and None in by_codec:  # one codec, which some rungs do not name
        by_codec = {None: [rung for rungs in by_codec.values() for rung in rungs]}
    titles = [Title(str(path), in_order(rungs), "playlist") for rungs in by_codec.values()]
    if len(titles) == 1:
        return titles
    return [
        replace(title, name=f"{path} ({codec or 'no codec declared'})")
        for title, codec in zip(titles, by_codec, strict=True)
    ]
