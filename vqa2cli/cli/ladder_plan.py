"""`vqa2 ladder --dry-run`: which rungs were found and what their streams are."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vqa2cli.cli.reports import open_output
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from vqa2cli.errors import VideoError
    from vqa2cli.ladder.titles import Rung, Title
    from vqa2cli.report.output import TextSink
    from vqa2cli.video.media import MediaInfo


def show_plan(titles: Sequence[Title], config: RunConfig, chosen: str, output: Path | None) -> None:
    """Write the grouping with each stream's facts, as a table or as the CSV of a map.

    Raises:
        UsageError: another format is asked for.
    """
    if chosen not in ("table", "csv"):
        raise UsageError(f"--dry-run writes a table or csv, not {chosen}")
    from vqa2cli.ladder.scoring import probe

    with open_output(output) as stream:
        if chosen == "csv":
            _write_map(titles, stream)
            return
        for title in titles:
            facts = probe([rung.clip for rung in title.rungs], config)
            _show_title(title, facts, stream)


def _write_map(titles: Sequence[Title], stream: TextSink) -> None:
    from vqa2cli.ladder.map_file import COLUMNS
    from vqa2cli.report.plain_text import storable

    rows = csv.writer(stream)
    rows.writerow(COLUMNS)
    for title in titles:
        for rung in title.rungs:
            told = rung.declared
            file = str(Path(rung.file).absolute())
            # Not made harmless for spreadsheets, because --map must read the very names back.
            rows.writerow([
                storable(title.name), storable(file), storable(rung.name),
                told.bit_rate, told.width, told.height,
                told.frame_rate, told.codecs,
            ])  # fmt: skip


def _show_title(title: Title, facts: Sequence[MediaInfo | VideoError], stream: TextSink) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from vqa2cli.report.console import show
    from vqa2cli.report.plain_text import one_line

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in (f"{one_line(title.name)} (by {title.grouped_by})", "declared", "found", "file"):
        table.add_column(column, overflow="fold")
    for rung, found in zip(title.rungs, facts, strict=True):
        cells = (rung.name, _declared(rung), _found(found), rung.file)
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    show(table, stream)


def _declared(rung: Rung) -> str:
    told = rung.declared
    rate = told.bit_rate
    parts = [
        f"{told.width or '?'}x{told.height}" if told.height else "",
        f"{rate / 1000:.0f} kb/s" if rate else "",
        f"{told.frame_rate:g} fps" if told.frame_rate else "",
        told.codecs or "",
    ]
    return " ".join(part for part in parts if part) or "nothing"


def _found(facts: MediaInfo | VideoError) -> str:
    if isinstance(facts, Exception):
        return str(facts)
    rate = f"{facts.bit_rate / 1000:.0f} kb/s" if facts.bit_rate else "? kb/s"
    length = f"{facts.duration:.2f} s" if facts.duration else "? s"
    size = f"{facts.width}x{facts.height}"
    return f"{size} {rate} {facts.avg_frame_rate} fps {facts.codec_name} {length}"
