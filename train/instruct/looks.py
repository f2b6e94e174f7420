"""What the model sees of each clip or picture: decoded once, kept on disk under a limit."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from train.features import Look, load_look
from train.processes import processes
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, KeyFrames, MotionFrames, Sampling, WindowEnd

#: Bytes hashed at a time.
_HASH_BLOCK = 1 << 20

#: Errors of a disk that takes no more.
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Extent:
    """How much of a file is seen: key frames, motion frames, and equal windows it was cut into.

    The first window is the one seen. `sha256` is that of the file.
    """

    sha256: str
    keyframes: int
    motion: int
    windows: int


@dataclass(frozen=True)
class Refused:
    """A file that cannot be decoded, and why, in one line."""

    media: str
    reason: str


class LookStore:
    """Looks on disk, one file for each content and sampling, least recently used out first.

    An index remembers the digest of every file by its size and time of change, so a file that
    did not change is not read again to be found.
    """

    def __init__(self, folder: Path, media: Path, sampling: Sampling, limit_bytes: int) -> None:
        """`media` is the folder that names of media are relative to.

        Raises:
            UsageError: the folder cannot be made.
        """
        self.folder, self.media, self.sampling, self.limit = folder, media, sampling, limit_bytes
        told = json.dumps(asdict(sampling), sort_keys=True).encode()
        self._how = hashlib.sha256(told).hexdigest()[:12]
        self._index = folder / f"index-{self._how}.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make {folder}: {error.strerror or error}") from error
        self._known = self._read_index()

    def look(self, media: str) -> Look:
        """Return the look of a file, kept from before or decoded now.

        Raises:
            VideoError: it cannot be decoded.
            UsageError: the disk is full.
        """
        extent = self.known(media)
        kept = None if extent is None else self._kept(extent.sha256)
        if kept is not None:
            return kept
        look, extent = self._decode(media)
        self._keep(look, extent.sha256)
        return look

    def known(self, media: str) -> Extent | None:
        """Return what is known of a file that did not change since, None if nothing is."""
        entry = self._known.get(media)
        return entry[1] if entry and entry[0] == _stamp(self.media / media) else None

    def fill(self, names: Iterable[str], jobs: int = 1) -> list[Refused]:
        """Decode each file that is not known yet and return those that cannot be.

        Raises:
            UsageError: the disk is full.
        """
        missing = [name for name in dict.fromkeys(names) if self.known(name) is None]
        refused: list[Refused] = []
        bar = tqdm(total=len(missing), desc="decode", unit="file", disable=None)
        with bar:
            for name, found in self._look_at_all(missing, jobs):
                bar.update()
                if isinstance(found, Refused):
                    refused.append(found)
                else:
                    self._known[name] = (_stamp(self.media / name), found)
        if missing:
            self._write_index()
        return refused

    def _look_at_all(
        self, names: Sequence[str], jobs: int
    ) -> Iterator[tuple[str, Extent | Refused]]:
        if jobs < 2 or len(names) < 2:
            for name in names:
                yield name, self._make(name)
            return
        with processes(jobs) as pool:
            yield from zip(names, pool.map(self._make, names), strict=True)

    def _make(self, media: str) -> Extent | Refused:
        try:
            look, extent = self._decode(media)
        except VideoError as error:
            return Refused(media, str(error))
        self._keep(look, extent.sha256)
        return extent

    def _decode(self, media: str) -> tuple[Look, Extent]:
        path = self.media / media
        look, windows = first_window(path, self.sampling)
        return look, Extent(_sha256(path), len(look.keyframes), len(look.motion), windows)

    def _file(self, sha256: str) -> Path:
        return self.folder / f"{sha256[:24]}-{self._how}.npz"

    def _kept(self, sha256: str) -> Look | None:
        path = self._file(sha256)
        if not zipfile.is_zipfile(path):
            path.unlink(missing_ok=True)  # torn: decoded again
            return None
        try:
            look = load_look(path)
            os.utime(path)  # used last now
        except FileNotFoundError:  # another process needed the room
            return None
        return look

    def _keep(self, look: Look, sha256: str) -> None:
        """Write a look, then drop the least recently used until all fit under the limit."""
        path = self._file(sha256)
        if path.exists() or look.keyframes.nbytes + look.motion.nbytes > self.limit:
            return
        partial = path.with_suffix(f".{os.getpid()}.part")
        try:
            with partial.open("wb") as out:
                facts = np.array(json.dumps(asdict(look.facts)))
                np.savez(out, keyframes=look.keyframes, motion=look.motion, facts=facts)
            partial.rename(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise self._unwritable(error) from error
        self._evict()

    def _evict(self) -> None:
        kept = []
        for path in self.folder.glob("*.npz"):
            try:
                told = path.stat()
            except FileNotFoundError:  # another process was quicker
                continue
            kept.append((told.st_mtime_ns, told.st_size, path))
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self.limit:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _unwritable(self, error: OSError) -> UsageError:
        advice = "free some, lower --cache-gb, or name another --cache"
        reason = "no space left" if error.errno in FULL else error.strerror or str(error)
        return UsageError(f"cannot keep pictures in {self.folder}: {reason}; {advice}")

    def _read_index(self) -> dict[str, tuple[list[int], Extent]]:
        try:
            raw = json.loads(self._index.read_text(encoding="utf-8"))
            return {name: (list(stamp), Extent(**told)) for name, (stamp, told) in raw.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError):  # torn or of another version: everything is looked at
            return {}

    def _write_index(self) -> None:
        raw = {name: (stamp, asdict(extent)) for name, (stamp, extent) in self._known.items()}
        partial = self._index.with_suffix(f".{os.getpid()}.part")
        try:
            partial.write_text(json.dumps(raw), encoding="utf-8")
            partial.rename(self._index)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise self._unwritable(error) from error


def first_window(path: Path, sampling: Sampling) -> tuple[Look, int]:
    """Return the look of the first window of a file, and how many windows it has.

    The whole file is decoded, so a file that returns is sound to its end. A picture is a clip
    of one frame.

    Raises:
        VideoError: it cannot be decoded.
    """
    keyframes, motion, windows, facts = [], [], 0, None
    for event in decode_clip(path, sampling):
        match event:
            case KeyFrames(window=0):
                keyframes.append(event.pixels)
            case MotionFrames(window=0):
                motion.append(event.pixels)
            case WindowEnd():
                windows += 1
            case Closed():
                facts = event.facts
    if facts is None or not keyframes:
        raise VideoError("corrupt", f"{path.name}: no picture could be decoded")
    side = sampling.motion_size
    none = np.zeros((0, side, side, 3), np.uint8)
    return Look(np.concatenate(keyframes), np.concatenate([*motion, none]), facts), windows


def _stamp(path: Path) -> list[int]:
    """Return size and time of change of a file, which both move when it does."""
    try:
        told = path.stat()
    except OSError:
        return [-1, -1]
    return [told.st_size, told.st_mtime_ns]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()
