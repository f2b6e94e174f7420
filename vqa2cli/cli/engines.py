"""`vqa2 engines`: what can run the motion branch here, build it, check it, time it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import click

from vqa2cli.config import EMBEDDED_MODEL, EngineName, Precision
from vqa2cli.errors import EngineError

device = click.option("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="Where to run.")
cache_dir = click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where built engines are kept [the user's cache folder].",
)
model = click.option("--model", default=EMBEDDED_MODEL, help="Model whose motion branch it is.")
size = click.option(
    "--size", type=click.IntRange(32, 1024), help="Side of the frames, pixels [model's own]."
)


@click.group()
def engines() -> None:
    """List the engines, build one ahead of time, check or time them."""


@engines.command("list")
@device
def list_engines(device: str) -> None:
    """List what can run the motion branch on this machine, and what the others lack."""
    from vqa2cli.model.motion_engine import availability

    rows = [
        (row.engine, row.device, row.precision, "yes" if row.reason is None else "no",
         _fix(row.engine, row.reason))
        for row in availability(device)
    ]  # fmt: skip
    _table(("engine", "device", "precision", "runs", "why not, and what to do"), rows)


@engines.command("build")
@click.option(
    "--engine", type=click.Choice(get_args(EngineName)), default="auto", help="Engine to build."
)
@click.option(
    "--precision", type=click.Choice(get_args(Precision)), default="auto", help="Its arithmetic."
)
@device
@model
@size
@cache_dir
def build(
    engine: EngineName,
    precision: Precision,
    device: str,
    model: str,
    size: int | None,
    cache_dir: Path | None,
) -> int:
    """Build an engine ahead of time, keep it, and check it.

    Run it once where clips will be scored: the first score then starts at once. The exit code
    is 4 if the engine cannot run, or computes something else than torch.
    """
    from engines.contract import EngineOptions
    from vqa2cli.model.motion_engine import build_engine, load_motion_graph

    options = EngineOptions(cache_dir=cache_dir)
    found = build_engine(load_motion_graph(model, size), engine, device, precision, options)
    _table(_PARITY, [_parity(found)])
    return 0 if found.passed else EngineError.exit_code


@engines.command("check")
@device
@model
@size
@cache_dir
def check(device: str, model: str, size: int | None, cache_dir: Path | None) -> int:
    """Hold every engine that runs here to float32 torch; exit code 4 if one differs."""
    from engines.contract import EngineOptions
    from engines.parity import Parity
    from vqa2cli.model.motion_engine import availability, check_engines, load_motion_graph

    options = EngineOptions(cache_dir=cache_dir)
    graph = load_motion_graph(model, size)
    found = list(check_engines(graph, availability(device, options), options))
    _table(_PARITY, [_parity(row) for row in found])
    passed = all(isinstance(row, Parity) and row.passed for row in found)
    return 0 if passed else EngineError.exit_code


@engines.command("bench")
@click.option(
    "--engine",
    type=click.Choice([name for name in get_args(EngineName) if name != "auto"]),
    help="Time this engine alone, beside the baseline [all that run].",
)
@click.option("--frames", type=click.IntRange(1, 100_000), default=300, help="Frames of the clip.")
@click.option(
    "--baseline",
    default="pytorch:fp32",
    metavar="ENGINE:PRECISION",
    help="What the last column is relative to.",
)
@device
@model
@size
@cache_dir
def bench(
    engine: str | None,
    frames: int,
    baseline: str,
    device: str,
    model: str,
    size: int | None,
    cache_dir: Path | None,
) -> None:
    """Time the engines that run here on a made clip, in pieces as scoring does.

    The exit code is 4 if the engine named by --engine cannot run.
    """
    from engines.contract import EngineOptions
    from engines.parity import Speed
    from vqa2cli.model.motion_engine import availability, load_motion_graph, measure_engine

    options = EngineOptions(cache_dir=cache_dir)
    graph = load_motion_graph(model, size)
    runs = _to_time(availability(device, options), engine, baseline)
    names = [f"{row.engine}:{row.precision}" for row in runs]
    if baseline not in names:
        raise click.BadParameter(f"{baseline} does not run here; choose of {', '.join(names)}")
    found = [measure_engine(graph, row, frames, options) for row in runs]
    base = found[names.index(baseline)]
    rows = [_speed(row, base) if isinstance(row, Speed) else _broken(row) for row in found]
    columns = ("engine", "device", "precision", "open s", "frames/s", "ms/frame", "ratio")
    _table(columns, rows)


def _to_time(rows: Sequence[Any], engine: str | None, baseline: str) -> list[Any]:
    """Return the rows that run, or of those the named engine's and the baseline."""
    runs = [row for row in rows if row.reason is None]
    if engine is None:
        return runs
    if all(row.engine != engine for row in runs):
        raise EngineError(next(row.reason for row in rows if row.engine == engine))
    return [
        row for row in runs if engine == row.engine or f"{row.engine}:{row.precision}" == baseline
    ]


_PARITY = ("engine", "device", "precision", "difference", "limit", "passed")


def _parity(row: Any) -> tuple[str, ...]:
    from engines.parity import Parity

    if not isinstance(row, Parity):
        return (*_broken(row)[:5], "no")
    limits = (f"{row.worst:.1e}", f"{row.limit:.0e}", "yes" if row.passed else "no")
    return (row.engine, row.device, row.precision, *limits)


def _speed(row: Any, base: Any) -> tuple[str, ...]:
    """Return a line of the table; the ratio is missing where the baseline failed."""
    from engines.parity import Speed

    ratio = f"{row.frames_per_s / base.frames_per_s:.2f}" if isinstance(base, Speed) else ""
    figures = (f"{row.open_s:.2f}", f"{row.frames_per_s:.1f}", f"{row.frame_ms:.2f}", ratio)
    return (row.engine, row.device, row.precision, *figures)


def _broken(row: Any) -> tuple[str, ...]:
    reason = _fix(row.engine, row.reason)
    return (row.engine, row.device, row.precision, reason, "", "", "")


def _fix(engine: str, reason: str | None) -> str:
    return (reason or "").removeprefix(f"engine {engine}: ")


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich import box
    from rich.table import Table

    from vqa2cli.report.console import show

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    show(table, sys.stdout)
