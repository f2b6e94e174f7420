"""Nearly pristine sources to degrade: segments of real clips, photographs in motion, renderings.

Most clips at hand were compressed once, so a segment is shrunk before use; those that were
compressed little are sources at their own size too. Photographs are panned and zoomed. Every source
is a short lossless file at a constant frame rate.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from vqa2cli.errors import UsageError
from vqa2cli.video.media import HDR
from vqa2cli.video.scan import Scan, scan_packets

#: Frames of one source; about two seconds.
SOURCE_FRAMES = 48

#: What the name of a source that looks as a maker may want it ends with.
TREATED = "@treated"

#: What the name of a source in shallow focus ends with.
SHALLOW = "@shallow"

#: Shorter side of a source, pixels: half of the clip's, held inside these bounds.
SHORT_SIDE = (216, 540)


@dataclass(frozen=True)
class Source:
    """One source to render: where it comes from and what it becomes.

    `content` names the original: nothing of one content is in two splits. `original` is its
    (width, height) where it is a clip; `width` and `height` are those of the source. `start_s`
    is the offset in the clip; `kind` is "clip", "still", "photograph" (a still of a folder that is
    of one split) or "scene", which has a seed and no origin. `view` is 0 for the whole picture,
    else the number of a closer look at a part of it; `part` is (left, top, side) of that part in
    shares of a clip's width, height and both. `native` is of the middle of a clip that is not
    scaled.
    """

    name: str
    content: str
    split: str
    kind: str
    origin: Path | None
    start_s: float
    fps: float
    width: int
    height: int
    original: tuple[int, int] = (0, 0)
    seed: int = 0
    view: int = 0
    part: tuple[float, float, float] = (0.0, 0.0, 1.0)
    native: bool = False

    @property
    def first(self) -> bool:
        """Whether it is the whole picture of the first segment of its content, as it is."""
        return self.name.endswith("@0")

    @property
    def treated(self) -> bool:
        """Whether it looks as a maker may want it (`train.treatments`); its name says so."""
        return self.name.endswith(TREATED)

    @property
    def shallow(self) -> bool:
        """Whether it was put in shallow focus (`train.focus`); its name says so."""
        return self.name.endswith(SHALLOW)


def even(value: float) -> int:
    """Return the nearest even integer: yuv420p has no odd sides."""
    return 2 * round(value / 2)


def shrunk(width: float, height: float) -> tuple[int, int]:
    """Return half the size, the shorter side held inside `SHORT_SIDE`, never enlarged."""
    short = min(width, height)
    target = min(max(short / 2, SHORT_SIDE[0]), SHORT_SIDE[1], short)
    return even(width * target / short), even(height * target / short)


def clip_sources(folder: Path, segments: int = 3) -> Iterator[Source]:
    """Yield up to `segments` sources of every SDR clip in `folder/manifest.csv`.

    Shrinking hides what compression had done to a clip. One too small to be shrunk is left out
    where its quantizer tells that much was done: nothing can be compared with it.
    """
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        clip = folder / row["file"]
        told = any(word in row["file"].lower() for word in ("hdr", "dovi"))
        scan = scan_packets(clip)
        if told or scan.media.color_transfer in HDR:
            continue
        duration, fps = float(row["duration_s"]), float(row["fps"])
        fps = min(max(round(fps), 8), 60)
        need = SOURCE_FRAMES / fps
        count = max(1, min(segments, int(duration / (2 * need))))
        original = int(row["width"]), int(row["height"])
        width, height = shrunk(*original)
        if original == (width, height) and compressed_little(scan) is False:
            continue
        for index in range(count):
            spare = max(duration - need - 0.3, 0.0)
            stem = Path(row["file"]).stem.replace(" ", "_")
            yield Source(
                name=f"{stem}@{index}",
                content=stem,
                split=row["split"],
                kind="clip",
                origin=clip,
                start_s=round(spare * index / max(count - 1, 1), 3) if count > 1 else 0.0,
                fps=fps,
                width=width,
                height=height,
                original=original,
            )


#: Shorter side of a source at its own size, at most.
NATIVE_SIDE = 480

#: Mean quantizer up to which a clip is clean enough not to be shrunk, on its codec's own scale.
CLEAN_QUANTIZER = {"h264": 24.0, "hevc": 24.0, "vp9": 120.0, "av1": 120.0}


def compressed_little(scan: Scan) -> bool | None:
    """Return whether the mean quantizer of a clip says so; None where it has none that tells."""
    limit = CLEAN_QUANTIZER.get(scan.media.codec_name)
    return None if limit is None or scan.quantizer is None else scan.quantizer <= limit


def native_sources(sources: Iterable[Source]) -> Iterator[Source]:
    """Yield one source at its own size for each clip that was compressed little.

    Clips that nothing shrank are softer than shrunk ones, and as clean. Of a large clip it is the
    middle; one too small to be shrunk is a source at its own size already.
    """
    for source in sources:
        if source.kind != "clip" or not source.first or source.origin is None:
            continue
        if source.original == (source.width, source.height):
            continue
        if not compressed_little(scan_packets(source.origin)):
            continue
        width, height = source.original
        share = min(NATIVE_SIDE / min(width, height), 1.0)
        yield replace(
            source,
            name=f"{source.content}@native",
            width=even(width * share),
            height=even(height * share),
            native=True,
        )


#: Sizes (width, height) that photographs and renderings take in turn.
SIZES = ((640, 360), (960, 540), (1280, 720), (854, 480))


def scene_sources(count: int) -> Iterator[Source]:
    """Yield `count` rendered contents, all for training."""
    for seed in range(count):
        width, height = SIZES[(seed // 4 + seed) % len(SIZES)]
        yield Source(
            name=f"scene{seed:02d}@0",
            content=f"scene{seed:02d}",
            split="train",
            kind="scene",
            origin=None,
            start_s=0.0,
            fps=(30, 24, 25)[seed % 3],
            width=width,
            height=height,
            seed=seed,
        )


def still_sources(folder: Path) -> Iterator[Source]:
    """Yield one source a photograph in `folder`; every seventh is for validation or test."""
    for index, path in enumerate(sorted(folder.glob("*.jpg"))):
        held_out = {3: "val", 6: "test"}.get(index % 7, "train")
        yield _in_motion(index, path, held_out, "still", SIZES)


#: What a pan, zoom and roll may need beside the part of a photograph that is shown, its multiple.
ROOM = 1.3


def photograph_sources(folder: Path, split: str) -> Iterator[Source]:
    """Yield one source of `split` for each photograph in `folder`, never enlarged.

    Raises:
        UsageError: a photograph is too small for the smallest source; the message names it.
    """
    for index, path in enumerate(sorted(folder.glob("*.jpg"))):
        with Image.open(path) as picture:
            wide, high = picture.width / ROOM, picture.height / ROOM
        fitting = [size for size in SIZES if size[0] <= wide and size[1] <= high]
        if not fitting:
            least = "x".join(str(math.ceil(side * ROOM)) for side in SIZES[0])
            size = f"{picture.width}x{picture.height}"
            raise UsageError(f"{path}: too small a photograph ({size}); {least} will do")
        yield _in_motion(index, path, split, "photograph", fitting)


def _in_motion(
    index: int, path: Path, split: str, kind: str, sizes: Sequence[tuple[int, int]]
) -> Source:
    """Return the source of a folder's photograph `index`: sizes and frame rates take turns."""
    width, height = sizes[index % len(sizes)]
    return Source(
        name=f"{path.stem}@0",
        content=path.stem,
        split=split,
        kind=kind,
        origin=path,
        start_s=0.0,
        fps=(24, 30, 25)[index % 3],
        width=width,
        height=height,
    )


#: Sides of a closer look in shares of those of its clip, and how much it is at least shrunk.
PARTS = (0.6, 0.8)
SHRUNK_LEAST = 1.5


def further_views(sources: Iterable[Source], count: int, seed: int) -> Iterator[Source]:
    """Yield `count` closer looks at each training clip or photograph that is large enough.

    They show textures at another size and in other company: contents are what a small corpus is
    short of. Of a clip, parts; photographs are panned elsewhere, from nearer.
    """
    for source in sources:
        if source.split != "train" or source.kind == "scene" or not source.first:
            continue
        for view in range(1, count + 1):
            rng = np.random.default_rng([seed, 3, view, *source.name.encode()])
            seen = replace(source, name=f"{source.name}v{view}", view=view)
            if source.kind == "still":
                at = int(rng.integers(len(SIZES)))
                width, height = SIZES[at] if SIZES[at][0] < 1280 else SIZES[0]
                yield replace(seen, width=width, height=height)
                continue
            side = float(rng.uniform(*PARTS))
            whole_width, whole_height = source.original
            if side * min(whole_width, whole_height) < SHRUNK_LEAST * SHORT_SIDE[0]:
                continue
            width, height = shrunk(side * whole_width, side * whole_height)
            left, top = rng.uniform(0, 1 - side, 2)
            yield replace(
                seen,
                width=width,
                height=height,
                part=(round(left, 4), round(top, 4), round(side, 4)),
            )


def treated_sources(sources: Iterable[Source]) -> Iterator[Source]:
    """Yield the first source of each clip and photograph as a maker may want it to look.

    What resembles a distortion is not one: contents that are graded, grainy or soft, or printed.
    """
    for source in sources:
        if source.kind != "scene" and source.first:
            yield replace(source, name=f"{source.content}{TREATED}")


def shallow_sources(sources: Iterable[Source]) -> Iterator[Source]:
    """Yield the first source of each training clip and photograph in shallow focus."""
    for source in sources:
        if source.split == "train" and source.kind != "scene" and source.first:
            yield replace(source, name=f"{source.content}{SHALLOW}")
