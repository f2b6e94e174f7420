"""Pictures of a clip at given times, as PNG files, made in a child process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from time import monotonic

from PIL import Image

from vqa2cli.errors import UsageError, VideoError
from vqa2cli.video.frames import FrameReader
from vqa2cli.video.media import Sampling
from vqa2cli.video.pixels import PictureMaker
from vqa2cli.video.scan import scan_packets
from vqa2cli.video.sources import Source


def save_stills(
    source: Source, times_s: Sequence[float], targets: Sequence[Path], max_seconds: float
) -> None:
    """Write what is on the screen at each time, upright and in full size, to `targets` (.png).

    Raises:
        VideoError: the clip cannot be decoded, or its decoder crashed or took too long.
        UsageError: a picture cannot be written.
    """
    # A fresh interpreter: a decoder that crashes must not take this process along.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            pool.submit(_save, source, tuple(times_s), tuple(targets), max_seconds).result()
        except BrokenProcessPool as error:
            told = f"{source.name}: the decoder crashed while its worst moments were saved"
            raise VideoError("crashed", told) from error
        except OSError as error:
            raise UsageError(f"cannot write {targets[0].parent}: {error.strerror}") from error


def _save(
    source: Source, times_s: Sequence[float], targets: Sequence[Path], max_seconds: float
) -> None:
    waiting = sorted(zip(times_s, targets, strict=True))
    end = monotonic() + max_seconds

    def check() -> None:
        if monotonic() > end:
            raise VideoError("timeout", f"{source.name}: took longer than {max_seconds:g} s")

    maker = PictureMaker(Sampling(window_s=1.0))
    shown = None
    for frame in FrameReader(source, scan_packets(source), check):
        while waiting and shown is not None and frame.pts_s > waiting[0][0]:
            Image.fromarray(shown()).save(waiting.pop(0)[1], "PNG")
        if not waiting:
            return
        # Turned into a picture only where it is wanted: the next frame tells.
        shown = partial(maker.shown, frame.picture)
    for _, target in waiting:
        if shown is not None:
            Image.fromarray(shown()).save(target, "PNG")
