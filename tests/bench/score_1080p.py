"""Seconds and memory of scoring 10 s of 1080p30, beside bare decoding and libvmaf on the file.

    python tests/bench/score_1080p.py [--seconds 10] [--repeats 3]

Prints medians over the repeats; ratios are to the two baselines of the same run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from train.ffmpeg import run_ffmpeg
from vqa2cli.video.synthesis import moving_scene, write_clip

DECODE = """
import av, sys
with av.open(sys.argv[1]) as container:
    container.streams.video[0].thread_type = "AUTO"
    print(sum(1 for _ in container.decode(video=0)))
"""

SCORE = """
import json, resource, sys
from vqa2cli import load_model, score
row = score(sys.argv[1], load_model())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"timing": vars(row.timing), "score": row.score.value,
                  "rss_mib": peak / 1024, "decoder_rss_mib": child / 1024}))
"""


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Return the seconds `work` took and what it returned."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def python(code: str, path: Path) -> str:
    """Run `code` on `path` in a fresh interpreter and return its output."""
    command = [sys.executable, "-c", code, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libvmaf(distorted: Path, reference: Path) -> None:
    """Run libvmaf over every frame with two threads."""
    clock = "settb=AVTB,setpts=N/(30*TB)"
    graph = f"[0:v]{clock}[d];[1:v]{clock}[r];[d][r]libvmaf=n_threads=2"
    run_ffmpeg(["-i", str(distorted), "-i", str(reference), "-lavfi", graph, "-f", "null", "-"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reference, clip = Path(folder) / "reference.mp4", Path(folder) / "clip.mp4"
        for path, crf in ((reference, "12"), (clip, "26")):
            scene = moving_scene(asked.seconds, 30, (1920, 1080))
            write_clip(path, scene, 30, options={"crf": crf})
        rows = []
        for _ in range(asked.repeats):
            decode_s, _ = timed(lambda: python(DECODE, clip))
            vmaf_s, _ = timed(lambda: libvmaf(clip, reference))
            score_s, out = timed(lambda: python(SCORE, clip))
            rows.append({"decode": decode_s, "vmaf": vmaf_s, "process": score_s})
            rows[-1] |= json.loads(str(out))["timing"] | json.loads(str(out))
    report(rows, asked.seconds)


def report(rows: list[dict[str, float]], seconds: float) -> None:
    """Print the medians and the ratios."""

    def median(key: str) -> float:
        return statistics.median(row[key] for row in rows)

    vmaf, decode = median("vmaf"), median("decode")
    print(f"{seconds:g} s of 1080p30, median of {len(rows)}, seconds")
    for key in ("decode_s", "motion_s", "vision_s", "llm_s", "total_s"):
        print(f"  {key:10} {median(key):7.2f}")
    print(f"  bare PyAV decode, whole process {decode:7.2f}")
    print(f"  libvmaf, 2 threads, whole process {vmaf:7.2f}")
    print(f"  vqa2 score, whole process, imports included {median('process'):7.2f}")
    print(f"total / libvmaf {median('total_s') / vmaf:.2f}   total / decode "
          f"{median('total_s') / decode:.2f}")  # fmt: skip
    print(f"peak RSS {median('rss_mib'):.0f} MiB, decoding process {median('decoder_rss_mib'):.0f}")


if __name__ == "__main__":
    main()
