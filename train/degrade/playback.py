"""Makes a session's clip: encodes its pieces, shows them at one size, and stalls in between."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from train.colour import Frame
from train.degrade.material import LOSSLESS, Material
from train.degrade.session import Piece, Session, Stall
from train.degrade.spinner import with_spinner
from train.ffmpeg import ffmpeg_binary
from train.rendering import frames_of
from train.renditions import vmaf
from train.sources import even
from vqa2cli.errors import MissingError
from vqa2cli.video.synthesis import write_clip

#: x264 constant rate factor of a finished clip: what was made of it shows, and little else.
FINISHED_CRF = 12

#: Seconds between key frames of a finished clip; one inside a stall is the detector's hard case.
KEY_EVERY_S = 2.0


def write_session(material: Material, session: Session, target: Path) -> tuple[float | None, ...]:
    """Write the clip of `session` over `material` to `target` (.mp4).

    Returns:
        VMAF of each piece against the material at the display size; None where no ffmpeg with
        libvmaf is at hand.

    Raises:
        ValueError: the session is over another number of frames than the material has.
        RuntimeError: ffmpeg failed.
    """
    if session.media_frames != material.count:
        raise ValueError(f"a session over {session.media_frames} frames of {material.count}")
    with tempfile.TemporaryDirectory() as scratch:
        encoded = [
            _write_piece(material, piece, Path(scratch) / f"{index}.mp4")
            for index, piece in enumerate(session.pieces)
        ]
        measured = tuple(
            _vmaf(material, piece, path, Path(scratch))
            for piece, path in zip(session.pieces, encoded, strict=True)
        )
        size = (material.width, material.height)
        fps = float(material.fps)
        write_clip(
            target,
            with_stalls(_shown(encoded, size), session.stalls, fps),
            material.fps,
            options={"crf": str(FINISHED_CRF)},
            gop=round(KEY_EVERY_S * fps),
        )
    return measured


def with_stalls(frames: Iterator[Frame], stalls: Sequence[Stall], fps: float) -> Iterator[Frame]:
    """Yield media `frames` with every stall before its frame: what a player shows."""
    waiting = {stall.before: stall for stall in stalls}
    held: Frame | None = None
    for index, rgb in enumerate(frames):
        if (stall := waiting.get(index)) is not None:
            still = _cover(stall, rgb, held)
            for step in range(stall.frames):
                yield with_spinner(still, step / fps) if stall.spinner else still
        yield rgb
        held = rgb


def _cover(stall: Stall, coming: Frame, held: Frame | None) -> Frame:
    if stall.cover == "black":
        return np.zeros_like(coming)
    return coming if held is None else held


def _write_piece(material: Material, piece: Piece, path: Path) -> Path:
    size = (even(material.width * piece.scale), even(material.height * piece.scale))
    options = {"crf": str(piece.crf)}
    return write_clip(path, _media(material, piece), material.fps, options=options, size=size)


def _media(material: Material, piece: Piece) -> Iterator[Frame]:
    return islice(material.frames(), piece.first, piece.after)


def _shown(encoded: Sequence[Path], size: tuple[int, int]) -> Iterator[Frame]:
    """Yield the frames of the pieces in turn, enlarged (bicubic) to the display."""
    for path in encoded:
        for rgb in frames_of(path):
            if rgb.shape[1::-1] == size:
                yield rgb
            else:
                yield np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BICUBIC))


def _vmaf(material: Material, piece: Piece, encoded: Path, scratch: Path) -> float | None:
    if not libvmaf_at_hand():
        return None
    reference = scratch / "reference.mkv"
    write_clip(reference, _media(material, piece), material.fps, options=LOSSLESS)
    return min(max(vmaf(reference, encoded, material.source()), 0.0), 100.0)


@lru_cache(maxsize=1)
def libvmaf_at_hand() -> bool:
    """Return whether there is an ffmpeg here that has libvmaf."""
    try:
        binary = ffmpeg_binary()
    except MissingError:
        return False
    found = subprocess.run(
        [binary, "-hide_banner", "-filters"], capture_output=True, text=True, check=True
    )
    return " libvmaf " in found.stdout
