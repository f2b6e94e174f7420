"""Matches names with files, though either may lack folders or the suffix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from vqa2cli.video.discover import VIDEO_SUFFIXES

#: Suffixes a name may have where the file has another: tables of raw video name .yuv.
_SUFFIXES: Final = VIDEO_SUFFIXES | {".yuv"}


@dataclass(frozen=True)
class NameMatch:
    """Pairs of (file, name) by their places, and why the others have no partner.

    The last `by_name_alone` of `pairs` agree in the file's name and not in its folder.
    """

    pairs: tuple[tuple[int, int], ...]
    by_name_alone: int
    lone_files: dict[int, str]
    lone_names: dict[int, str]


def match_names(files: Sequence[str], names: Sequence[str]) -> NameMatch:
    """Return which name means which file.

    First where one path ends with the other; then, of what is left, where a file's name stands
    once on both sides. What fits several partners is no match.
    """
    sure = _one_to_one(dict(enumerate(files)), dict(enumerate(names)))
    left, open_names = _rest(files, {f for f, _ in sure}), _rest(names, {n for _, n in sure})
    alike = _one_to_one(left, open_names)
    pairs = (*sure, *alike)
    return NameMatch(
        pairs,
        len(alike),
        _why(_rest(files, {f for f, _ in pairs}), open_names.values()),
        _why(_rest(names, {n for _, n in pairs}), left.values()),
    )


def _one_to_one(files: Mapping[int, str], names: Mapping[int, str]) -> list[tuple[int, int]]:
    """Return the pairs in which each means the other alone."""
    places: dict[str, list[int]] = {}
    for place, file in files.items():
        places.setdefault(file, []).append(place)
    index = NameIndex(places)
    claims: dict[str, list[int]] = {}
    for place, name in names.items():
        found = index.find(name)
        if len(found) == 1:
            claims.setdefault(found[0], []).append(place)
    return [
        (places[file][0], claimants[0])
        for file, claimants in claims.items()
        if len(claimants) == len(places[file]) == 1
    ]


def _rest(texts: Sequence[str], taken: set[int]) -> dict[int, str]:
    """Return the file names, without folders, of the places not taken."""
    return {
        place: PurePosixPath(text.replace("\\", "/")).name
        for place, text in enumerate(texts)
        if place not in taken
    }


def _why(lone: Mapping[int, str], others: Iterable[str]) -> dict[int, str]:
    index = NameIndex(others)
    return {
        place: "several fit" if index.find(name) else "none fits" for place, name in lone.items()
    }


class NameIndex:
    """Files by name.

    A name is that of a file if one path ends with the other, part by part. A suffix that
    either lacks or that differs (`.yuv` kept as `.mp4`) matters only where names with it compete.
    Anything else, such as names that begin alike, is no match.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._whole: defaultdict[str, list[str]] = defaultdict(list)
        self._bare: defaultdict[str, list[str]] = defaultdict(list)
        for file in files:
            path = PurePosixPath(file.replace("\\", "/"))
            self._whole[path.name].append(file)
            self._bare[path.stem].append(file)

    def find(self, name: str) -> list[str]:
        """Return the files that `name` may mean: one, none, or several that fit alike."""
        path = PurePosixPath(name.replace("\\", "/"))
        found = _best(path, self._whole.get(path.name, []), suffix=True)
        found = found or _best(path, self._bare.get(path.name, []), suffix=False)
        if not found and path.suffix.lower() in _SUFFIXES:
            bare = path.with_name(path.stem)
            found = _best(bare, self._bare.get(bare.name, []), suffix=False)
        return found


def _best(name: PurePosixPath, files: list[str], *, suffix: bool) -> list[str]:
    """Return the files that share the most trailing parts with `name`, all of one of the two."""
    shared: dict[str, int] = {}
    for file in files:
        path = PurePosixPath(file.replace("\\", "/"))
        parts = path.parts if suffix else path.with_name(path.stem).parts
        count = min(len(parts), len(name.parts))
        if parts[-count:] == name.parts[-count:]:
            shared[file] = count
    most = max(shared.values(), default=0)
    return [file for file, count in shared.items() if count == most]
