"""What nine questions on one clip cost beside one, start of the command included.

    python tests/bench/ask.py [CLIP...] [--model NAME] [--repeats 3]

Without clips it makes 4 s of a moving scene at 1920x1080 and 640x360. Each line gives the seconds
that `vqa2 ask` takes with one question and with nine, least of the repeats, and their ratio.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measures import made

QUESTIONS = (
    "What is wrong with this video?",
    "Is it sharp?",
    "Is there any noise in this video?",
    "Are there compression artifacts?",
    "How good is it?",
    "How strong is the blur?",
    "When is noise seen?",
    "Is it overexposed?",
    "What is the dog doing?",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--model", default="mini-assistant")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for clip in args.clips or made(Path(scratch)):
            one, nine = (
                min(seconds(clip, QUESTIONS[:count], args.model) for _ in range(args.repeats))
                for count in (1, len(QUESTIONS))
            )
            print(f"{clip.name}: one {one:.2f} s, nine {nine:.2f} s, {nine / one:.2f} times")


def seconds(clip: Path, questions: tuple[str, ...], model: str) -> float:
    """Return the wall time of one run of the command."""
    command = [
        str(Path(sys.executable).with_name("vqa2")),
        "ask",
        str(clip),
        *questions,
        "--model",
        model,
    ]
    start = time.perf_counter()
    subprocess.run([*command, "--format", "json"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
