"""Views of clips that do not exist: key frames and motion of imagined clips, put together.

What is asked of a view, `train.assistant.talk` answers by what is read in its key frames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from train.assistant.shown import SPANS, Shown, shown_by
from train.features import Look
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.recognition import Reading, readings

#: Key frames of a second, and frames of a second of common clips.
KEYFRAMES_PER_SECOND = 2
RATES = (24.0, 25.0, 30.0, 30.0, 50.0, 60.0)

#: Share of views over a part of which another clip is seen, and fewest key frames of such a view.
EVENTS, LEAST_FRAMES = 0.3, 4

#: Faults are drawn as often as this power of how often they were imagined.
RARITY = 0.5


@dataclass(frozen=True)
class Seen:
    """What the network sees of a clip, and what that shows.

    `keyframes` are tokens [K, P, D], `motion` features [T, C]; there is a reading a key frame.
    """

    keyframes: NDArray
    motion: NDArray
    told: tuple[Reading, ...]
    shown: Shown


def seen_of(network: Vqa2Network, looks: Sequence[Look]) -> Iterator[Seen]:
    """Yield looks of tokens with what the network's head reads in them.

    Raises:
        ValueError: the network has no such head.
    """
    head, names = network.distortion_head, network.config.distortions
    if head is None:
        raise ValueError("the network has no head for what its answers are to be made of")
    for look in looks:
        with torch.inference_mode():
            told = readings(head, names, torch.from_numpy(look.keyframes).to(network.device))
        yield Seen(
            look.keyframes.astype(np.float16),
            look.motion.astype(np.float16),
            tuple(told),
            shown_by(told),
        )


class Views:
    """Draws views out of imagined clips: motion tokens are of every `stride`-th frame."""

    def __init__(self, clips: Sequence[Seen], stride: int) -> None:
        self.clips, self.stride = clips, stride
        faults: dict[str, list[int]] = {}
        for index, clip in enumerate(clips):
            fault = clip.shown.fault
            faults.setdefault("" if fault is None else str(fault.name), []).append(index)
        self.clean = faults.get("", [])
        self.faulty = [faults[name] for name in sorted(faults) if name]
        self.groups = [*self.faulty, self.clean] if self.clean else self.faulty

    def draw(self, rng: np.random.Generator, longest_s: float) -> Seen:
        """Return one view of at most `longest_s` seconds.

        It is a clip, or a clean one that shows a fault of another for a while.
        """
        longest = int(longest_s * KEYFRAMES_PER_SECOND)
        count = int(rng.integers(1, longest + 1)) if rng.random() < 0.7 else 4
        frames = self._frames(count, rng)
        if not (self.clean and self.faulty and count >= LEAST_FRAMES and rng.random() < EVENTS):
            whole = _part(self.clips[_rare(self.groups, rng)], count, frames, rng)
            return replace(whole, shown=shown_by(whole.told))
        base = _part(self.clips[_of(self.clean, rng)], count, frames, rng)
        words = [word for word, span in SPANS.items() if span != (0.0, 1.0)]
        word = words[int(rng.integers(len(words)))]
        key, moving = _places(count, word), _places(frames, word)
        other = _part(self.clips[_rare(self.faulty, rng)], len(key), len(moving), rng)
        return _spliced(base, other, word, key, moving)

    def _frames(self, count: int, rng: np.random.Generator) -> int:
        rate = RATES[int(rng.integers(len(RATES)))]
        return max(int(count / KEYFRAMES_PER_SECOND * rate / self.stride), 1)


def _part(clip: Seen, count: int, frames: int, rng: np.random.Generator) -> Seen:
    """Return `count` key frames of a clip in order, some several times, and `frames` of motion."""
    chosen = np.sort(rng.integers(len(clip.keyframes), size=count))
    return Seen(
        clip.keyframes[chosen],
        clip.motion[np.arange(frames) % len(clip.motion)],
        tuple(clip.told[at] for at in chosen),
        clip.shown,
    )


def _places(count: int, word: str) -> range:
    """Return which of `count` frames a span is."""
    start, end = SPANS[word]
    first = min(round(start * count), count - 1)
    return range(first, max(round(end * count), first + 1))


def _spliced(base: Seen, other: Seen, word: str, key: range, moving: range) -> Seen:
    """Return a clean clip that shows another for a while, and the other's fault there."""
    keyframes, motion, told = base.keyframes.copy(), base.motion.copy(), list(base.told)
    keyframes[key.start : key.stop] = other.keyframes
    motion[moving.start : moving.stop] = other.motion
    told[key.start : key.stop] = other.told
    during = shown_by(other.told)
    quality = sum(one.quality for one in told) / len(told)
    fault = during.fault and replace(during.fault, span=word)
    return Seen(keyframes, motion, tuple(told), Shown(quality, fault, during.denied))


def _rare(groups: Sequence[Sequence[int]], rng: np.random.Generator) -> int:
    """Return one of the groups' indices; a group counts less than its size."""
    shares = np.array([len(group) for group in groups]) ** RARITY
    return _of(groups[int(rng.choice(len(groups), p=shares / shares.sum()))], rng)


def _of(indices: Sequence[int], rng: np.random.Generator) -> int:
    return int(indices[int(rng.integers(len(indices)))])
