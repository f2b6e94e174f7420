"""Sources as lossless files: clips cut and scaled, photographs in motion, scenes, treated ones."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from PIL import Image

from train.ffmpeg import run_ffmpeg
from train.focus import draw_focus, in_shallow_focus
from train.scenes import rendered_scene
from train.sources import SOURCE_FRAMES, Source
from train.treatments import Grain, draw_treatment, made


def render_source(source: Source, folder: Path) -> Path:
    """Write `source` losslessly into `folder` and return the file; done once."""
    target = folder / f"{source.name}.mkv"
    if target.exists():
        return target
    partial = folder / f"{source.name}.{os.getpid()}.part.mkv"
    lossless = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "yuv420p"]
    if source.kind == "clip" and not (source.treated or source.shallow):
        size = f"{source.width}:{source.height}"
        scale = f"fps={source.fps:g},{cut(source)}scale={size}:flags=lanczos"
        run_ffmpeg(
            # Seeking after -i decodes from the start: raw streams cannot be sought.
            ["-i", str(source.origin), "-ss", f"{source.start_s}", "-map", "0:v:0", "-an"]
            + ["-vf", scale, "-frames:v", str(SOURCE_FRAMES), *lossless, str(partial)]
        )
    else:
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{source.width}x{source.height}"]
        run_ffmpeg(
            [*raw, "-r", f"{source.fps:g}", "-i", "-", *lossless, str(partial)],
            frames=(np.ascontiguousarray(frame).tobytes() for frame in painted(source, folder)),
        )
    partial.rename(target)
    return target


def cut(source: Source) -> str:
    """Return the filter that keeps the part of a clip that is looked at, nothing for all of it."""
    if source.native:
        return f"crop={source.width}:{source.height},"
    if not source.view:
        return ""
    left, top, side = source.part
    return f"crop=iw*{side:g}:ih*{side:g}:iw*{left:g}:ih*{top:g},"


def painted(source: Source, folder: Path) -> Iterator[np.ndarray]:
    """Yield the uint8 RGB frames of a source that is made here, of what is rendered in `folder`."""
    size = (source.width, source.height)
    if source.kind == "scene":
        return rendered_scene(source.seed, SOURCE_FRAMES, source.fps, size)
    if source.shallow:
        focus = draw_focus(np.random.default_rng([10, *source.name.encode()]))
        return _changed(source, folder, lambda picture: in_shallow_focus(picture, focus))
    if not source.treated:
        return still_in_motion(source)
    rng = np.random.default_rng([9, *source.name.encode()])
    treatment = draw_treatment(rng, on_paper=source.kind != "clip")
    grain = Grain(size, treatment, rng)
    return map(grain, _changed(source, folder, lambda picture: made(picture, treatment, rng)))


def _changed(
    source: Source, folder: Path, change: Callable[[np.ndarray], np.ndarray]
) -> Iterator[np.ndarray]:
    """Yield frames of what `change` makes of a photograph, or of each frame of the plain clip.

    What is done to a photograph moves with it; to a clip, it stays where it is.
    """
    if source.kind != "clip":
        return still_in_motion(source, change)
    plain = replace(source, name=f"{source.content}@0")
    return map(change, frames_of(render_source(plain, folder)))


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """Yield the uint8 RGB frames of a source file."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(format="rgb24", threads=1).to_ndarray()


def still_in_motion(
    source: Source, treat: Callable[[np.ndarray], np.ndarray] | None = None
) -> Iterator[np.ndarray]:
    """Yield uint8 RGB frames of a slow pan, zoom and roll over the photograph.

    What `treat` does is done to the photograph, at the size at which it is shown.
    """
    rng = np.random.default_rng(zlib.crc32(source.name.encode()))
    assert source.origin is not None
    picture = Image.open(source.origin).convert("RGB")
    crop_w = min(picture.width, picture.height * source.width / source.height) * 0.8
    nearest = 0.45 if source.view else 0.7
    crop_w = min(max(crop_w * rng.uniform(nearest, 1.0), source.width), picture.width * 0.9)
    centre_x, centre_y = picture.width / 2, picture.height / 2
    if source.view:  # elsewhere, as far as the picture goes
        crop_h = crop_w * source.height / source.width
        centre_x += rng.uniform(-0.45, 0.45) * max(0.95 * picture.width - 1.15 * crop_w, 0)
        centre_y += rng.uniform(-0.45, 0.45) * max(0.95 * picture.height - 1.15 * crop_h, 0)
    direction, reach = rng.uniform(0, 2 * math.pi), rng.uniform(0.01, 0.06) * crop_w
    zoom, roll = rng.uniform(-0.08, 0.08), rng.uniform(-0.02, 0.02)
    if treat is not None:
        shown = source.width / crop_w
        picture = picture.resize((round(picture.width * shown), round(picture.height * shown)))
        picture = Image.fromarray(treat(np.asarray(picture)))
        crop_w, centre_x, centre_y, reach = (
            shown * length for length in (crop_w, centre_x, centre_y, reach)
        )
    for index in range(SOURCE_FRAMES):
        t = index / SOURCE_FRAMES - 0.5
        scale = (1 + zoom * t) * crop_w / source.width
        cx = centre_x + t * reach * math.cos(direction)
        cy = centre_y + t * reach * math.sin(direction)
        a, b = scale * math.cos(roll * t), scale * math.sin(roll * t)
        matrix = (
            a, -b, cx - a * source.width / 2 + b * source.height / 2,
            b, a, cy - b * source.width / 2 - a * source.height / 2,
        )  # fmt: skip
        yield np.asarray(
            picture.transform(
                (source.width, source.height),
                Image.Transform.AFFINE,
                matrix,
                Image.Resampling.BICUBIC,
            )
        )
