"""What a batch costs per clip besides decoding and the model, and whether memory stays flat.

    python -m tests.bench.batch_overhead --clips 1000

Scores one-second clips with one decoder at a time, so that nothing overlaps but what a decoder
does ahead; the rest of the wall time is overhead. Memory is this process's, after a tenth of
the clips and at the end.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from time import perf_counter

import click
import psutil

from tests.clips import moving_clip
from vqa2cli import RunConfig, load_model, score_files
from vqa2cli.report.rows import record_of
from vqa2cli.report.writers import CsvWriter


@click.command()
@click.option("--clips", default=1000, help="Clips to score.")
def main(clips: int) -> None:
    """Measure a batch of one-second clips."""
    with tempfile.TemporaryDirectory() as folder:
        clip = moving_clip(Path(folder, "0.mp4"))
        files = [clip]
        for index in range(1, clips):
            files.append(Path(folder, f"{index}.mp4"))
            files[-1].hardlink_to(clip)
        _measure(files)


def _measure(files: list[Path]) -> None:
    model, writer, process = load_model(), CsvWriter(io.StringIO()), psutil.Process()
    early = inside = 0.0
    started = perf_counter()
    for index, row in enumerate(score_files(files, model, RunConfig(jobs=1)), 1):
        writer.write(record_of(row))
        assert row.timing is not None, row.error
        t = row.timing
        inside += t.decode_s + t.motion_s + t.vision_s + t.llm_s
        if index == max(len(files) // 10, 1):
            early = process.memory_info().rss / 2**20
    wall = perf_counter() - started
    late = process.memory_info().rss / 2**20
    print(f"{len(files)} clips in {wall:.1f} s; decoding and model {inside:.1f} s; "
          f"overhead {1000 * (wall - inside) / len(files):.1f} ms a clip; "
          f"memory {early:.0f} MB after a tenth, {late:.0f} MB at the end")  # fmt: skip


if __name__ == "__main__":
    main()
