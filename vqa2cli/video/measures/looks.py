"""What pictures of a clip show, measured a few at a time."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.measures import departure, detail, tone
from vqa2cli.video.measures.planes import Cut, chroma_of, cut_of, side_by_side

#: Pictures that are measured together: half of what it takes one by one is calls, and caches
#: that decoding has filled with other things.
_TOGETHER = 8


@dataclass(frozen=True)
class Look:
    """What is taken from one picture, of a half second that `cell` numbers.

    `samples` are its luma at few points, `chroma` its colour and `cut` its patches, None where
    it has none.
    """

    cell: int
    samples: NDArray[np.uint8]
    chroma: NDArray[np.float32] | None
    cut: Cut | None

    def like(self, other: Look) -> bool:
        """Whether both can be measured together."""
        kinds = [None if look.cut is None else look.cut.kind for look in (self, other)]
        return kinds[0] == kinds[1] and (self.chroma is None) == (other.chroma is None)


class Looks:
    """Takes pictures of a clip in order and measures them.

    Args:
        black: code of black in their luma.
        codes: number of codes from black to white.
    """

    def __init__(self, black: float, codes: float) -> None:
        self.cells: list[int] = []
        self.places = departure.Places()
        self._range = (black, codes)
        self._waiting: list[Look] = []
        self._measured: list[tuple[list[int], dict[str, NDArray[np.floating]]]] = []

    def add(self, frame: av.VideoFrame, samples: NDArray[np.uint8], cell: int) -> None:
        """Take the picture that the half second `cell` begins with, and its `luma_of`."""
        look = Look(cell, samples, chroma_of(frame), cut_of(frame))
        self.cells.append(cell)
        if self._waiting and not look.like(self._waiting[0]):
            self._measure()
        self._waiting.append(look)
        if len(self._waiting) == _TOGETHER:
            self._measure()

    def close(self) -> list[tuple[list[int], dict[str, NDArray[np.floating]]]]:
        """Return cells [n] and their values by measure [n], a few pictures after the other."""
        self._measure()
        return self._measured

    def _measure(self) -> None:
        """Measure the pictures that wait."""
        looks, self._waiting = self._waiting, []
        if not looks:
            return
        samples = np.stack([look.samples for look in looks])
        found: dict[str, NDArray[np.floating]] = dict(tone.tone(samples, *self._range))
        light = samples[:, ::2, ::2].astype(np.float32) - self._range[0]
        places = {"light": np.maximum(light, departure.LEAST_LIGHT)}
        chroma = [look.chroma for look in looks if look.chroma is not None]
        if chroma:
            places["colour"] = tone.colour(np.stack(chroma))
            found["saturation"] = places["colour"].mean(1)
        cuts = [look.cut for look in looks if look.cut is not None]
        if cuts:
            native, viewed = side_by_side(cuts)
            places["blur"] = detail.blur_of_patches(viewed)
            found["blur"] = detail.blur(places["blur"])
            found["noise"] = detail.noise(viewed)
            found["blockiness"] = detail.blockiness(native)
            found["banding"] = detail.banding(native)
            found["combing"] = detail.combing(native)
        for at in range(len(looks)):
            self.places.add({name: values[at] for name, values in places.items()})
        self._measured.append(([look.cell for look in looks], found))
