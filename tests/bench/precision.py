"""How far bfloat16 moves final scores, and what it saves.

    python -m tests.bench.precision CLIPS... [--model mini] [--threads N]

Each clip is decoded once and scored in every way. The first way is the reference: a precision
below float32 may be a default only where no score moves by 0.2 or more.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import torch

from engines.errors import EngineUnavailable
from engines.registry import create_engine
from vqa2cli.clip_scorer import ClipScorer
from vqa2cli.config import EMBEDDED_MODEL, RunConfig
from vqa2cli.model.quality_model import QualityModel, load_model
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import ClipEvent

#: Largest move of a final score that a default precision may make, points of 100.
LIMIT = 0.2

#: Engine and precision of the motion branch, and precision of the rest. The first is the reference.
WAYS = (
    ("pytorch", "fp32", "fp32"),
    ("pytorch", "bf16", "fp32"),
    ("openvino", "fp32", "fp32"),
    ("openvino", "bf16", "fp32"),
    ("pytorch", "bf16", "bf16"),
    ("openvino", "bf16", "bf16"),
)


@dataclass
class Found:
    """Scores and seconds of one way, a value a clip."""

    scores: list[float] = field(default_factory=list)
    motion_s: list[float] = field(default_factory=list)
    model_s: list[float] = field(default_factory=list)


def models(name: str) -> Iterator[tuple[str, QualityModel]]:
    """Yield each way that runs here, with its model."""
    loaded = {
        rest: load_model(name, device="cpu", precision=rest, engine="pytorch")
        for rest in ("fp32", "bf16")
    }
    for engine, motion, rest in WAYS:
        whole = loaded[rest]
        try:
            runner = create_engine(engine, whole.engine.graph, device="cpu", precision=motion)
        except EngineUnavailable as error:
            print(f"left out: {error}")
            continue
        info = replace(whole.info, engine=engine, precision=motion)
        label = f"motion {engine} {motion}, rest {rest}"
        yield label, QualityModel(whole.network, whole.prompter, runner, info)


def measure(model: QualityModel, events: list[ClipEvent], found: Found) -> None:
    """Score a decoded clip."""
    started = perf_counter()
    scorer = ClipScorer(model, RunConfig())
    for event in events:
        scorer.take(event)
    row = scorer.finish("clip", perf_counter() - started)
    assert row.score is not None
    assert row.timing is not None
    found.scores.append(row.score.value)
    found.motion_s.append(row.timing.motion_s)
    found.model_s.append(row.timing.motion_s + row.timing.vision_s + row.timing.llm_s)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--model", default=EMBEDDED_MODEL)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    ways = dict(models(asked.model))
    found = {label: Found() for label in ways}
    for clip in asked.clips:
        events = list(decode_clip(clip, next(iter(ways.values())).sampling()))
        for label, model in ways.items():
            measure(model, events, found[label])
    print(f"{len(asked.clips)} clips, {asked.threads} threads, torch {torch.__version__}")
    reference = next(iter(found.values()))
    print(f"{'way':38} max |move| mean |move|  within {LIMIT}   motion x   model x")
    for label, one in found.items():
        moves = [abs(a - b) for a, b in zip(one.scores, reference.scores, strict=True)]
        motion = sum(reference.motion_s) / sum(one.motion_s)
        whole = sum(reference.model_s) / sum(one.model_s)
        within = "yes" if max(moves) < LIMIT else "no"
        print(f"{label:38} {max(moves):10.3f} {statistics.mean(moves):10.3f} {within:>11}"
              f" {motion:10.2f} {whole:9.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
