"""What the stall detector adds to decoding, CPU seconds of one thread.

python -m tests.bench.stall_cost VIDEO...
"""

from __future__ import annotations

from pathlib import Path
from time import process_time

import av
import click
import numpy as np

from vqa2cli.config import MIN_STALL_S
from vqa2cli.video.memory import keep_freed
from vqa2cli.video.stalls import StallTrack, luma_of


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def main(videos: tuple[Path, ...]) -> None:
    """Print decoding and detector seconds of each of VIDEOS, frame by frame in one run."""
    np.median([0.0])  # numpy loads a part of itself on the first call
    for video in videos:
        decoding, detecting, frames = _measured(video)
        print(
            f"{video.name}: {frames} frames, decoding {1000 * decoding / frames:.2f} ms a frame, "
            f"detector {1000 * detecting / frames:.3f} ms, {detecting / decoding:.1%} over decoding"
        )


def _measured(video: Path) -> tuple[float, float, int]:
    keep_freed()  # as the decode pass does
    track, detecting, frames = StallTrack(MIN_STALL_S), 0.0, 0
    began = process_time()
    with av.open(str(video)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for frame in container.decode(video=0):
            started = process_time()
            track.add(luma_of(frame), frame.time or 0.0, bool(frame.key_frame))
            detecting += process_time() - started
            frames += 1
    started = process_time()
    track.close(0.0)
    detecting += process_time() - started
    return process_time() - began - detecting, detecting, frames


if __name__ == "__main__":
    main()
