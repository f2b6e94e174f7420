"""Labelled clips of a corpus: one JSON line an item."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from train.sources import TREATED


@dataclass(frozen=True)
class Item:
    """One labelled clip.

    `kind` is "rendition", "twice" (encoded badly, then well) or "distortion". `label` is
    quality in [0, 100]: VMAF for an encode, the human mean of its type and level for a made
    distortion. `display` is (width, height) of the source, at which the label holds. `codec`,
    `crf` and `scale` are the last encode's, `qp` its encoder's own mean QP. `distortion` is
    (type, level) of KADID-10k.
    """

    name: str
    path: str
    split: str
    content: str
    source: str
    kind: str
    label: float
    display: tuple[int, int]
    codec: str
    crf: int
    scale: float
    qp: float | None = None
    distortion: tuple[int, int] | None = None

    @property
    def treated(self) -> bool:
        """Whether it is of a content that looks as a maker may want it."""
        return self.source.endswith(TREATED)

    @property
    def distortion_type(self) -> int:
        """KADID type of a made distortion, 0 of an encode."""
        return self.distortion[0] if self.distortion else 0


def read_items(folder: Path) -> list[Item]:
    """Return the items of a built corpus, in a stable order.

    Raises:
        ValueError: a line is not an item; the message names it.
    """
    items = []
    for number, line in enumerate((folder / "items.jsonl").read_text().splitlines(), start=1):
        try:
            record = json.loads(line)
            record["display"] = tuple(record["display"])
            record["distortion"] = tuple(record["distortion"]) if record["distortion"] else None
            items.append(Item(**record))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{folder / 'items.jsonl'}:{number}: not an item ({error})") from error
    return sorted(items, key=lambda item: item.name)
