"""What the model sees of each corpus item, decoded once and kept on disk.

The arrays come from the same decoder and the same sampling as scoring.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from train.items import Item
from train.processes import processes
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, KeyFrames, MotionFrames, Sampling, StreamFacts


@dataclass(frozen=True)
class Look:
    """One window of one clip: key frames [K, S, S, 3], motion [T, s, s, 3], stream facts.

    Once a branch is trained, its features may stand in for its pictures. `statistics` [2C] are
    those of what the trunk finds in the key frames, once it has been asked.
    """

    keyframes: NDArray
    motion: NDArray
    facts: StreamFacts
    statistics: NDArray[np.float32] | None = None


def look_at(path: Path, sampling: Sampling) -> Look:
    """Decode the first window of `path`.

    Raises:
        VideoError: the file cannot be decoded.
    """
    keyframes, motion, facts = [], [], None
    for event in decode_clip(path, sampling):
        if isinstance(event, KeyFrames) and event.window == 0:
            keyframes.append(event.pixels)
        elif isinstance(event, MotionFrames) and event.window == 0:
            motion.append(event.pixels)
        elif isinstance(event, Closed):
            facts = event.facts
    assert facts is not None
    return Look(np.concatenate(keyframes), np.concatenate(motion), facts)


def statistics_of(looks: Sequence[Look]) -> NDArray[np.float32]:
    """Return the statistics of looks in which the trunk was asked what it finds, [N, 2C]."""
    return np.stack([look.statistics for look in looks if look.statistics is not None])


class LookCache:
    """Looks on disk, one file a clip, keyed by the clip's bytes, the sampling, and what is kept."""

    def __init__(self, folder: Path, corpus: Path, sampling: Sampling) -> None:
        self.folder, self.corpus, self.sampling = folder, corpus, sampling
        folder.mkdir(parents=True, exist_ok=True)

    def file_of(self, item: Item) -> Path:
        """Return where the look of `item` is kept."""
        source = (self.corpus / item.path).read_bytes()
        kept = [field.name for field in fields(StreamFacts)]
        told = json.dumps([asdict(self.sampling), item.display, kept], sort_keys=True).encode()
        return self.folder / f"{hashlib.sha256(source + told).hexdigest()[:24]}.npz"

    def fill(self, items: Sequence[Item], jobs: int = 2) -> list[Path]:
        """Decode what is missing and return the file of every item, in order."""
        files = [self.file_of(item) for item in items]
        missing = [pair for pair in zip(items, files, strict=True) if not pair[1].exists()]
        if not missing:
            return files
        with processes(jobs) as pool:
            work = pool.map(self._make, *zip(*missing, strict=True), chunksize=8)
            for _ in tqdm(work, total=len(missing), desc="looks", unit="clip"):
                pass
        return files

    def _make(self, item: Item, file: Path) -> None:
        sampling = Sampling(**{**vars(self.sampling), "display": item.display})
        look = look_at(self.corpus / item.path, sampling)
        partial = file.with_suffix(f".{os.getpid()}.part")
        with partial.open("wb") as out:
            np.savez(
                out,
                keyframes=look.keyframes,
                motion=look.motion,
                facts=np.array(json.dumps(asdict(look.facts))),
            )
        partial.rename(file)


def load_look(file: Path, *, motion: bool = True) -> Look:
    """Return a cached look, without its motion frames where they are not asked for."""
    with np.load(file) as arrays:
        frames = arrays["motion"] if motion else np.zeros((0, 1, 1, 3), np.uint8)
        return Look(arrays["keyframes"], frames, _facts(arrays))


def _facts(arrays: Mapping[str, NDArray]) -> StreamFacts:
    return StreamFacts(**json.loads(str(arrays["facts"])))
