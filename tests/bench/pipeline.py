"""Every recipe and ablation on real media, stage after stage, each evaluated on held-out clips.

    python -m tests.bench.pipeline MEDIA OUT [--steps 16] [--batch 2] [--clips 16]

MEDIA holds what three commands made of a folder of clips with a manifest:

    vqa2 train small.toml --clips CLIPS --out MEDIA --data-only
    vqa2 data degrade --clips CLIPS --out MEDIA/made --kinds spatial,temporal --seconds 2
    vqa2 data degrade --clips CLIPS --out MEDIA/sessions --kinds session --versions 3 --seconds 4

Prints the commands it runs, in the order a user would, and at last one row a run. What people
would have said is not known of these clips, so labels are made: VMAF of a rendition, and of a
session what the session model makes of VMAF and stalls. It shows that the pipeline runs and
learns, not what the paper's data would teach.
"""

from __future__ import annotations

import argparse
import csv
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.degrade.clips import DegradedClip, read_degraded
from train.instruct.watch import read_log
from train.items import Item, read_items
from vqa2cli.cli import main as vqa2
from vqa2cli.session import clip_session
from vqa2cli.video.stall_totals import stalling_of
from vqa2cli.video.stalling import StallEvent

#: How the embedded model is asked, with places for stalls and for facts.
PROTOCOL = "mini-1"

#: A protocol that shows key frames alone, for a model without motion.
KEYFRAMES_ALONE = "streaming-2024"

#: Steps at either end of a run whose losses are averaged.
ENDS = 4

COLUMNS = (
    "video",
    "mos",
    "lo",
    "hi",
    "dataset",
    "content",
    "split",
    "fps",
    "media_dur_s",
    "stall_events",
)


@dataclass(frozen=True)
class Run:
    """One run: its name, recipe, sets, the run it starts from (None: the embedded model)."""

    name: str
    recipe: str
    sets: tuple[str, ...]
    after: str | None = None
    flags: tuple[str, ...] = ()
    protocol: str = PROTOCOL


SETS = ("stage1-image", "stage1-video", "stage2-ugc", "stage2-streaming", "stage3")

RUNS = (
    Run("stage1-image", "stage1-image", ("stage1-image",)),
    Run("stage1-video", "stage1-video", ("stage1-video",), "stage1-image"),
    Run("stage2-ugc", "stage2-ugc", ("stage2-ugc",), "stage1-video"),
    Run("stage2-streaming", "stage2-streaming", ("stage2-streaming",), "stage2-ugc"),
    Run("stage3", "stage3", ("stage3",), "stage2-ugc"),
    Run("mix", "mix", SETS),
    Run("without-stage1", "stage2-ugc", ("stage2-ugc",), None, ("--without-stage1",)),
    Run(
        *("without-motion", "stage2-ugc", ("stage2-keyframes",), "stage1-video"),
        flags=("--without-motion",),
        protocol=KEYFRAMES_ALONE,
    ),
)


def tell(*args: object, codes: Sequence[int] = (0,)) -> None:
    """Run one command of vqa2 as a user would, and say which."""
    print(f"\n$ vqa2 {shlex.join(map(str, args))}", flush=True)
    code = vqa2([str(arg) for arg in args])
    if code not in codes:
        raise SystemExit(f"vqa2 ended in {code}")


def rendition_rows(items: Sequence[Item]) -> Iterator[dict[str, object]]:
    """Yield a label of every rendition at full size: its VMAF."""
    for item in items:
        if item.kind == "rendition" and item.scale == 1.0:
            yield {
                "video": f"corpus/{item.path}", "mos": item.label, "lo": 0, "hi": 100,
                "dataset": "renditions", "content": item.content, "split": item.split,
            }  # fmt: skip


def session_rows(clips: Sequence[DegradedClip]) -> Iterator[dict[str, object]]:
    """Yield a label of every session: what the session model makes of its VMAF and its stalls."""
    for clip in clips:
        rated = [(one, one.vmaf) for one in clip.pieces if one.vmaf is not None]
        events = tuple(
            StallEvent(one.start, one.end, one.kind, one.media_start, False, ("made",), 1.0)
            for one in clip.stalls
        )
        session = clip_session(
            [(piece.start, piece.end) for piece, _ in rated],
            [vmaf for _, vmaf in rated],
            stalling_of(events, clip.length_s),
        )
        waits = [(stall.media_start, stall.duration) for stall in clip.stalls]
        yield {
            "video": f"sessions/{clip.path}", "mos": round(session.score, 3), "lo": 0, "hi": 100,
            "dataset": "sessions", "content": clip.content, "split": clip.split,
            "fps": clip.fps,
            "media_dur_s": round(clip.length_s - sum(length for _, length in waits), 3),
            "stall_events": json.dumps(waits),
        }  # fmt: skip


def write_table(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write a label table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, [name for name in COLUMNS if name in rows[0]])
        table.writeheader()
        table.writerows(rows)
    return path


def held_out(rows: Sequence[dict[str, object]], count: int) -> list[dict[str, object]]:
    """Return labels to evaluate on, evenly of all that are held out, as a file of their own."""
    kept = [row for row in rows if row["split"] == "val"]
    places = np.linspace(0, len(kept) - 1, min(count, len(kept))).round().astype(int)
    return [{**kept[place], "dataset": "held out"} for place in places]


def build(media: Path, out: Path, count: int) -> Path:
    """Build the five sets, unless they are there, and return the table to evaluate by."""
    renditions = list(rendition_rows(read_items(media / "corpus")))
    ugc = write_table(out / "renditions.csv", renditions)
    streaming = write_table(
        out / "sessions.csv", list(session_rows(read_degraded(media / "sessions")))
    )
    labels, sets = write_table(out / "held-out.csv", held_out(renditions, count)), out / "sets"
    if (sets / f"{SETS[-1]}.json").is_file():
        return labels
    train = ("--media", media, "--split", "train", "--jobs", 1)
    asked = ("--media", media, "--protocol", PROTOCOL)
    made = ("--degraded", media / "made", "--corpus", media / "corpus")
    tell("data", "stage1", *made, *train, "-o", sets)
    tell("data", "stage2", ugc, "--task", "ugc", *asked, "--out", sets / "stage2-ugc.json")
    alone = ("--media", media, "--protocol", KEYFRAMES_ALONE)
    tell("data", "stage2", ugc, "--task", "ugc", *alone, "--out", sets / "stage2-keyframes.json")
    tell(
        *("data", "stage2", streaming, "--task", "streaming", *asked),
        *("--out", sets / "stage2-streaming.json"),
    )
    tell("data", "stage3", *made, *train, "-o", sets)
    tell("data", "table1", *(sets / f"{name}.json" for name in SETS))
    return labels


def evaluate(
    model: str | Path, name: str, protocol: str, media: Path, labels: Path, out: Path
) -> None:
    """Score the held-out clips with a model and measure it, unless that was done."""
    report, found = out / f"{name}.json", out / f"{name}-agreement.json"
    if found.is_file():
        return
    with labels.open(newline="", encoding="utf-8") as stream:
        files = [media / row["video"] for row in csv.DictReader(stream)]
    how = ("--protocol", protocol, "--no-stream-facts", "--engine", "pytorch")
    quiet = ("--device", "cpu", "--jobs", 1, "-q")
    tell("score", *files, "--model", model, *how, *quiet, "-o", report)
    few = ("--resamples", 100)  # the table has no intervals
    tell("evaluate", "--scores", report, "--labels", labels, *few, "-o", found)


def agreed(name: str, out: Path) -> str:
    """Return the last two cells of a run: SRCC on the held-out clips, mass on the level words."""
    srcc = json.loads((out / f"{name}-agreement.json").read_text())["overall"]["srcc"]["value"]
    rows = json.loads((out / f"{name}.json").read_text())["results"]
    mass = float(np.mean([row["score"]["level_mass"] for row in rows]))
    return f"{'null' if srcc is None else format(srcc, '.3f')} | {mass:.2f}"


def train(run: Run, media: Path, out: Path, asked: argparse.Namespace) -> None:
    """Train one run, unless its model is there."""
    place = out / run.name
    if (place / "model" / "training.json").is_file():
        return
    sets = [each for name in run.sets for each in ("--data", out / "sets" / f"{name}.json")]
    start = "mini" if run.after is None else out / run.after / "model"
    tell(
        *("train", run.recipe, *sets, "--media", media, "--model", start, "--out", place),
        *("--cache", out / "looks", "--steps", asked.steps, "--batch", asked.batch),
        *("--device", "cpu", *run.flags),
    )


def learned(run: Run, out: Path) -> str:
    """Return the first cells of a run: samples, and losses at both ends."""
    losses = [record["loss"] for record in read_log(out / run.name)]
    record = json.loads((out / run.name / "model" / "training.json").read_text())
    samples = record["lineage"][-1]["samples"]
    return f"{samples} | {np.mean(losses[:ENDS]):.2f} | {np.mean(losses[-ENDS:]):.2f}"


def main() -> None:
    """Build, train, evaluate, and print the table; what is there is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("media", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--clips", type=int, default=12, help="held-out clips to evaluate on")
    parser.add_argument("--runs", nargs="+", default=[run.name for run in RUNS])
    asked = parser.parse_args()
    media, out = asked.media, asked.out
    labels = build(media, out, asked.clips)
    evaluate("mini", "before", PROTOCOL, media, labels, out)
    wanted = [run for run in RUNS if run.name in asked.runs]
    for run in wanted:
        train(run, media, out, asked)
        evaluate(out / run.name / "model", run.name, run.protocol, media, labels, out)
    print(f"\n| run | samples | loss, first {ENDS} steps | last {ENDS} | SRCC | level mass |")
    print("|---|---:|---:|---:|---:|---:|")
    print(f"| before | | | | {agreed('before', out)} |")
    for run in wanted:
        print(f"| `{run.name}` | {learned(run, out)} | {agreed(run.name, out)} |")


if __name__ == "__main__":
    main()
