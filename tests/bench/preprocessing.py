"""What making pictures of decoded frames costs: PIL's bicubic beside swscale.

    python -m tests.bench.preprocessing [--seconds 4] [--size 1920x1080] [--repeats 3]

Processor time a decoded frame beyond bare decoding, and its share of scoring the same clip
with the embedded model. Published models ask for 384 x 384 by PIL, of every frame.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from vqa2cli import load_model, score
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import NO_PICTURES, Sampling
from vqa2cli.video.synthesis import moving_scene, write_clip

#: Frames a second of the made clip.
FPS = 30


def seconds(clip: Path, sampling: Sampling, repeats: int) -> float:
    """Return the processor time of one pass over the clip, the best of some."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        for _event in decode_clip(clip, sampling):
            pass
        best = min(best, time.process_time() - started)
    return best


def routes(own: Sampling) -> dict[str, Sampling]:
    """Return what is compared: the embedded model's sampling, and the published models'."""
    published = replace(own, keyframe_size=384, motion_size=384, motion_stride=1, fragments=None)
    return {
        "mini, swscale": replace(own, resize="swscale"),
        "mini, PIL": replace(own, resize="pil"),
        "384 x 384 of every frame, swscale": replace(published, resize="swscale"),
        "384 x 384 of every frame, PIL": replace(published, resize="pil"),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    model = load_model(device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        scene = moving_scene(asked.seconds, FPS, (width, height))
        write_clip(clip, scene, FPS, options={"crf": "26"})
        frames = round(asked.seconds * FPS)
        score(clip, model)  # the first clip pays for what is set up once
        started = time.process_time()
        score(clip, model)  # decodes in another process
        thinking = time.process_time() - started
        bare = seconds(clip, NO_PICTURES, asked.repeats)
        print(f"{frames} frames of {asked.size}; bare decoding {1000 * bare / frames:.2f} ms a "
              f"frame; mini's network {1000 * thinking / frames:.2f}")  # fmt: skip
        print(f"{'route':36} ms a frame   share of decoding, pictures and mini's network")
        for name, sampling in routes(model.sampling()).items():
            extra = seconds(clip, sampling, asked.repeats) - bare
            share = extra / (bare + extra + thinking)
            print(f"{name:36} {1000 * extra / frames:10.2f} {share:10.0%}", flush=True)


if __name__ == "__main__":
    main()
