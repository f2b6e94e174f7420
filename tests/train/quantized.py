"""Clips whose quality goes with their quantizer, and some whose facts lie, in memory."""

from __future__ import annotations

import numpy as np

from train.items import Item
from vqa2cli.video.media import StreamFacts

COUNT, CONTENTS = 400, 20


def clips(seed: int = 0, count: int = COUNT) -> tuple[list[Item], list[StreamFacts], np.ndarray]:
    """Return clips whose label is their quantizer's, in a third of them that of the picture."""
    rng = np.random.default_rng(seed)
    items, facts, pictures = [], [], []
    for number in range(count):
        content = f"c{number % CONTENTS}"
        honest, quantizer = number % 3 > 0, float(rng.uniform(15, 45))
        label = 145 - 3 * quantizer if honest else float(rng.uniform(10, 60))
        item = Item(
            name=str(number), path=f"{number}.mp4", source=content, content=content, split="train",
            kind="rendition" if honest else "distortion", codec="h264", crf=23, scale=1.0,
            distortion=None if honest else (1, 3), display=(640, 360), label=label,
        )  # fmt: skip
        items.append(item)
        facts.append(StreamFacts("h264", 2 ** (-quantizer / 6), 640, 360, 25.0, quantizer))
        pictures.append([label + rng.normal(0, 12), rng.normal()])
    return items, facts, np.array(pictures, np.float32)
