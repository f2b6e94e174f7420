"""Rungs told by file names: the patterns, and the titles they give.

docs/ladder.md lists them. A name is cut at `_`, `-`, blanks and dots between words; the words
at its end, and folders that hold nothing else, may tell size, bit rate, frame rate and codec:

    title_720p_2500k.mp4   title-1280x720-2.5M.mp4   title_1080p60_hevc.mp4
    title/720p.mp4         title/720p_2500k.mp4      720p_2500k/title.mp4
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from vqa2cli.ladder.titles import Rung, Title, in_order
from vqa2cli.video.media import DeclaredFacts

_CUT: Final = re.compile(r"[_\-\s]+|(?<!\d)\.|\.(?!\d)")
_HEIGHT: Final = re.compile(r"(\d{3,4})[pi](\d{2,3})?", re.ASCII)
_SIZE: Final = re.compile(r"(\d{2,5})x(\d{2,5})", re.ASCII)
#: At least two digits before `k`, so that the `4k` of a title is none.
_RATE: Final = re.compile(
    r"(\d{2,6})(?:k|kb|kbps|kbit)|(\d{1,3}(?:\.\d+)?)(?:m|mb|mbps|mbit)", re.ASCII
)
_FPS: Final = re.compile(r"(\d{2,3}(?:\.\d+)?)fps", re.ASCII)

#: Words for codecs, and an RFC 6381 name that stands for each.
CODEC_WORDS: Final = {
    **dict.fromkeys(("h264", "x264", "avc", "avc1"), "avc1"),
    **dict.fromkeys(("h265", "x265", "hevc", "hvc1"), "hvc1"),
    **dict.fromkeys(("vp9", "vp09"), "vp09"),
    **dict.fromkeys(("av1", "av01", "svtav1"), "av01"),
    **dict.fromkeys(("h266", "vvc", "vvc1"), "vvc1"),
}


@dataclass(frozen=True)
class _Told:
    """What a name tells: words of the title, words of the rung, and the facts in them."""

    title: tuple[str, ...]
    rung: tuple[str, ...]
    facts: DeclaredFacts


def titles_by_name(files: Sequence[Path]) -> tuple[list[Title], list[Path]]:
    """Return the titles that file names tell, and the files whose names tell no rung.

    Files go together where folder, title and codec word are the same.
    """
    groups: dict[tuple[Path, tuple[str, ...], str], list[Rung]] = {}
    alone: list[Path] = []
    for file in files:
        folder, told = _read(file)
        if not told.facts.height and not told.facts.average_bandwidth:
            alone.append(file)
            continue
        key = (folder, told.title, told.facts.codecs or "")
        rung = Rung(file, "_".join(told.rung), told.facts)
        groups.setdefault(key, []).append(rung)
    titles = [
        Title(_title_name(*key, groups), in_order(rungs), "names") for key, rungs in groups.items()
    ]
    return titles, alone


def _title_name(
    folder: Path,
    words: tuple[str, ...],
    codec: str,
    groups: Iterable[tuple[Path, tuple[str, ...], str]],
) -> str:
    """Return a title's name: its words or folder, with what tells it from others of that name."""
    name = "_".join(words) or folder.name or "ladder"
    if sum(1 for other in groups if other[:2] == (folder, words)) > 1:
        name = f"{name} ({codec or 'no codec in the name'})"
    if any(other[0] != folder and other[1] == words for other in groups) and words:
        name = f"{folder}/{name}"
    return name


def _read(file: Path) -> tuple[Path, _Told]:
    """Return the folder of the title and what folder and name tell together."""
    told = _told(file.stem)
    folder = file.parent
    above = _told(folder.name)
    if folder.name and above.rung and not above.title:
        return folder.parent, _Told(
            told.title, above.rung + told.rung, _both(above.facts, told.facts)
        )
    return folder, told


def _told(name: str) -> _Told:
    words = [word for word in _CUT.split(name) if word]
    facts = DeclaredFacts()
    first = len(words)
    while first:
        found = _facts(words[first - 1])
        if found is None:
            break
        facts = _both(facts, found)
        first -= 1
    return _Told(tuple(words[:first]), tuple(words[first:]), facts)


def _facts(word: str) -> DeclaredFacts | None:
    """Return what one word declares, None where it is none of a rung's."""
    word = word.lower()
    if match := _HEIGHT.fullmatch(word):
        return DeclaredFacts(height=int(match[1]), frame_rate=float(match[2]) if match[2] else None)
    if match := _SIZE.fullmatch(word):
        return DeclaredFacts(width=int(match[1]), height=int(match[2]))
    if match := _RATE.fullmatch(word):
        rate = float(match[1]) * 1e3 if match[1] else float(match[2]) * 1e6
        return DeclaredFacts(average_bandwidth=round(rate))
    if match := _FPS.fullmatch(word):
        return DeclaredFacts(frame_rate=float(match[1]))
    if word in CODEC_WORDS:
        return DeclaredFacts(codecs=CODEC_WORDS[word])
    return None


def _both(first: DeclaredFacts, second: DeclaredFacts) -> DeclaredFacts:
    """Return what either declares; the second wins."""
    told = {key: value for key, value in vars(second).items() if value is not None}
    return replace(first, **told)
