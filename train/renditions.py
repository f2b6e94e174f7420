"""Renditions of a source and their VMAF: codec, CRF and resolution at one display size."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.ffmpeg import run_ffmpeg
from train.sources import Source, even


@dataclass(frozen=True)
class Codec:
    """How one encoder is called and which CRFs cover its range from clean to ruined."""

    encoder: tuple[str, ...]
    suffix: str
    crf: tuple[int, int]


CODECS: dict[str, Codec] = {
    "h264": Codec(("libx264", "-preset", "veryfast", "-threads", "1"), ".mp4", (15, 50)),
    "hevc": Codec(
        ("libx265", "-preset", "superfast", "-x265-params", "pools=none:frame-threads=1"),
        ".mp4",
        (16, 50),
    ),
    "vp9": Codec(
        ("libvpx-vp9", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "7", "-threads", "1"),
        ".webm",
        (18, 62),
    ),
    "av1": Codec(("libsvtav1", "-preset", "10", "-svtav1-params", "lp=1"), ".mp4", (18, 62)),
}

#: Encoded side over display side, and how often training draws it.
SCALES: dict[float, float] = {1.0: 0.5, 0.75: 0.2, 0.5: 0.2, 0.34: 0.1}


@dataclass(frozen=True)
class Rendition:
    """One encode of one source."""

    codec: str
    crf: int
    scale: float

    @property
    def name(self) -> str:
        """Short name, unique within a source."""
        return f"{self.codec}_crf{self.crf}_s{round(self.scale * 100)}"


def placed(codec: str, position: float, scale: float) -> Rendition:
    """Return the encode whose CRF lies at `position` of its codec's range: 0 clean, 1 ruined."""
    low, high = CODECS[codec].crf
    return Rendition(codec, round(low + position * (high - low)), scale)


def draw_renditions(source: Source, count: int, seed: int) -> list[Rendition]:
    """Return `count` renditions of `source` for training, drawn by `seed` and its name."""
    rng = np.random.default_rng([seed, *source.name.encode()])
    chosen: dict[str, Rendition] = {}
    repeats = math.ceil(count / len(CODECS))
    codecs = rng.permutation([name for name in CODECS for _ in range(repeats)])
    for codec in codecs[:count]:
        # Stratified over the CRF range, so that every source is seen clean and ruined.
        position = (len(chosen) + rng.random()) / count
        scale = float(rng.choice(list(SCALES), p=list(SCALES.values())))
        rendition = placed(str(codec), position, scale)
        chosen[rendition.name] = rendition
    return list(chosen.values())


#: Encoded side over display side at the foot of a ladder, and CRFs drawn there: shares of a range.
LOWEST_SCALE, LOWEST_CRF = 0.25, (0.0, 0.7)


def draw_lowest(source: Source, count: int, seed: int) -> list[Rendition]:
    """Return up to `count` renditions of `source` like the lowest rungs of a ladder."""
    rng = np.random.default_rng([seed, 4, *source.name.encode()])
    chosen: dict[str, Rendition] = {}
    for codec in rng.choice(list(CODECS), size=count):
        rendition = placed(str(codec), float(rng.uniform(*LOWEST_CRF)), LOWEST_SCALE)
        chosen[rendition.name] = rendition
    return list(chosen.values())


def grid_renditions() -> Iterator[Rendition]:
    """Yield the fixed grid of validation and test: four codecs, four CRFs, two scales."""
    for codec in CODECS:
        for position, scale in ((0.1, 1.0), (0.45, 1.0), (0.75, 1.0), (1.0, 1.0), (0.3, 0.5)):
            yield placed(codec, position, scale)


#: Codecs of the grid that treated contents of validation and test take: an old and a new one.
TREATED_CODECS = ("h264", "av1")


def grid_treated() -> Iterator[Rendition]:
    """Yield what treated contents of validation and test take of the grid."""
    return (rendition for rendition in grid_renditions() if rendition.codec in TREATED_CODECS)


@dataclass(frozen=True)
class Reencode:
    """A bad first encode, shown at the source's size and encoded again at a high rate.

    Its bitrate and quantiser look good and its picture is not: the second encode can only be
    as good as the first.
    """

    first: Rendition
    second: Rendition

    @property
    def name(self) -> str:
        """Short name, unique within a source."""
        return f"{self.first.name}+{self.second.name}"


def draw_reencodes(
    source: Source, firsts: list[Rendition], count: int, seed: int
) -> list[Reencode]:
    """Return `count` second encodes over the worst quarter of `firsts`, drawn for training."""
    rng = np.random.default_rng([seed, 2, *source.name.encode()])
    worst = sorted(firsts, key=severity)[-max(len(firsts) // 4, 1) :]
    chosen = rng.choice(len(worst), size=min(count, len(worst)), replace=False)
    return [Reencode(worst[index], draw_good(rng)) for index in chosen]


def grid_reencodes() -> Iterator[Reencode]:
    """Yield those of validation and test: the two worst x264 renditions of the grid, again."""
    for position in (0.75, 1.0):
        yield Reencode(placed("h264", position, 1.0), Rendition("h264", 18, 1.0))


def severity(rendition: Rendition) -> float:
    """Return how far towards ruined a rendition lies: the CRF's position in its codec's range."""
    low, high = CODECS[rendition.codec].crf
    return (rendition.crf - low) / (high - low)


def draw_good(rng: np.random.Generator) -> Rendition:
    """Draw an encode near the clean end of a codec's range."""
    codec = str(rng.choice(list(CODECS)))
    return placed(codec, float(rng.uniform(0.0, 0.3)), 1.0)


@dataclass(frozen=True)
class Encoded:
    """A rendition on disk: its VMAF against the source, and the encoder's own mean QP."""

    path: Path
    vmaf: float
    mean_qp: float | None


def encode(source: Path, plan: Source, rendition: Rendition, folder: Path) -> Encoded:
    """Encode `source` as `rendition` into `folder` and measure VMAF at the source's size.

    Raises:
        RuntimeError: ffmpeg failed.
    """
    target = folder / f"{plan.name}+{rendition.name}{CODECS[rendition.codec].suffix}"
    qp = write_rendition(source, plan, rendition, target)
    return Encoded(target, vmaf(source, target, plan), qp)


def encode_again(source: Path, plan: Source, twice: Reencode, folder: Path) -> Encoded:
    """Encode `source` twice as `twice` says; VMAF is that of the second against the source.

    Raises:
        RuntimeError: ffmpeg failed.
    """
    target = folder / f"{plan.name}+{twice.name}{CODECS[twice.second.codec].suffix}"
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / f"first{CODECS[twice.first.codec].suffix}"
        write_rendition(source, plan, twice.first, first)
        qp = write_rendition(first, plan, twice.second, target)
    return Encoded(target, vmaf(source, target, plan), qp)


def write_rendition(source: Path, plan: Source, rendition: Rendition, target: Path) -> float | None:
    """Encode the pictures of `source` into `target` and return the encoder's own mean QP."""
    width, height = even(plan.width * rendition.scale), even(plan.height * rendition.scale)
    log = run_ffmpeg(
        ["-i", str(source), "-vf", f"scale={width}:{height}:flags=bicubic", "-an"]
        + [*encoder_options(plan, rendition), "-fps_mode", "passthrough", str(target)]
    )
    return mean_qp(log)


def encoder_options(plan: Source, rendition: Rendition) -> list[str]:
    """Return what ffmpeg is told of the encode, its size apart."""
    encoder = CODECS[rendition.codec].encoder
    key_frames = str(round(2 * plan.fps))
    return ["-c:v", *encoder, "-crf", str(rendition.crf), "-g", key_frames, "-pix_fmt", "yuv420p"]


def vmaf(source: Path, rendition: Path, plan: Source) -> float:
    """Return the mean VMAF of `rendition`, scaled to the source's size (bicubic).

    Frames are aligned by number on one time base: containers round timestamps differently,
    and libvmaf pairs by time.
    """
    clock = f"settb=AVTB,setpts=N/({plan.fps:g}*TB)"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "vmaf.json"
        graph = (
            f"[0:v]scale={plan.width}:{plan.height}:flags=bicubic,format=yuv420p,{clock}[d];"
            f"[1:v]format=yuv420p,{clock}[r];"
            f"[d][r]libvmaf=log_fmt=json:log_path={log}:n_threads=1:n_subsample=3"
        )
        run_ffmpeg(["-i", str(rendition), "-i", str(source), "-lavfi", graph, "-f", "null", "-"])
        pooled = json.loads(log.read_text())["pooled_metrics"]["vmaf"]
    return float(pooled["mean"])


def mean_qp(log: str) -> float | None:
    """Return the frame-weighted mean QP that x264 or x265 print, None for other encoders."""
    frames = re.findall(r"frame [IPB]:\s*(\d+)\s+Avg QP:\s*([\d.]+)", log)
    if frames:
        total = sum(int(count) for count, _ in frames)
        return sum(int(count) * float(qp) for count, qp in frames) / total
    overall = re.search(r"encoded \d+ frames.*Avg QP:([\d.]+)", log)
    return float(overall.group(1)) if overall else None
