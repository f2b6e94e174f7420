"""Fit the session model, or compare it with others on datasets left out.

python -m train.sessions fit SESSIONS.csv --chunks CHUNKS.json -o vqa2cli/session.json
python -m train.sessions compare SESSIONS.csv --chunks CHUNKS.json [--ksqi DIR]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from train.data.files import write_whole
from train.option_types import FILE, FOLDER, NEW_FILE
from train.session_fit import (
    START,
    LeftOutResult,
    as_they_come,
    by_dataset,
    fit,
    leave_one_out,
    mean_over,
    rounded,
)
from train.session_peers import Ksqi, linear, sqi
from train.session_tables import RatedSession, read_sessions

with_table = click.argument("table", metavar="SESSIONS.csv", type=FILE)
with_chunks = click.option("--chunks", type=FILE, help="Chunks of the sessions, JSON.")


@click.group()
def sessions() -> None:
    """Fit and compare models of a streaming session's quality."""


@sessions.command("fit")
@with_table
@with_chunks
@click.option("-o", "--output", type=NEW_FILE, required=True)
def fit_command(table: Path, chunks: Path | None, output: Path) -> None:
    """Fit the coefficients on every dataset of SESSIONS.csv and write them."""
    rated = _read(table, chunks)
    model = rounded(fit(rated))
    told = {
        "coefficients": asdict(model),
        "fitted_on": {name: len(members) for name, members in by_dataset(rated).items()},
        "command": f"python -m train.sessions fit {table.name}"
        + (f" --chunks {chunks.name}" if chunks else "")
        + " -o vqa2cli/session.json",
    }
    write_whole(output, json.dumps(told, indent=1) + "\n")
    click.echo(json.dumps(told["coefficients"]))


@sessions.command()
@with_table
@with_chunks
@click.option("--ksqi", type=FOLDER, help="Folder of KSQI's s_model.txt and a_model.txt.")
def compare(table: Path, chunks: Path | None, ksqi: Path | None) -> None:
    """Print how predictors rank each dataset, ours fitted on the other datasets only."""
    rated = _read(table, chunks)
    rows = {
        "session model": leave_one_out(rated),
        "VMAF alone": as_they_come(rated, lambda session: session.mean_quality),
        "VMAF - 3 stall - init": as_they_come(rated, linear),
        "SQI": as_they_come(rated, sqi),
    }
    if ksqi is not None:
        rows["KSQI"] = as_they_come(rated, Ksqi.read(ksqi).score)
    click.echo(_table(rows) + "\n")
    click.echo(_table(_variants(rated)))


def _variants(rated: Sequence[RatedSession]) -> dict[str, list[LeftOutResult]]:
    """Return the model with a term left out, and with other times."""
    rows = {
        f"without {name}": leave_one_out(rated, without=(name,))
        for name in ("end_weight", "late", "initial", "together")
    }
    for name, values in (("end_s", (2, 8, 20)), ("late_s", (10, 40)), ("short_s", (1, 4))):
        for value in values:
            start = replace(START, **{name: float(value)})
            rows[f"{name} = {value}"] = leave_one_out(rated, start)
    return rows


def _table(rows: dict[str, list[LeftOutResult]]) -> str:
    """Return a Markdown table, SRCC / PLCC, a dataset a column."""
    heads = [f"{result.dataset} ({result.n})" for result in next(iter(rows.values()))]
    lines = [["left out", *heads, "mean"], ["---"] * (len(heads) + 2)]
    for name, results in rows.items():
        pairs = [(result.srcc, result.plcc) for result in results]
        lines.append([name, *(_pair(*pair) for pair in [*pairs, mean_over(results)])])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _pair(first: float, second: float) -> str:
    return "–" if first != first else f"{first:.3f} / {second:.3f}"


def _read(table: Path, chunks: Path | None) -> list[RatedSession]:
    rated, left_out = read_sessions(table, chunks)
    if left_out:
        first = left_out[0]
        click.echo(
            f"left out: {len(left_out)} sessions; first line {first.line}: {first.reason}", err=True
        )
    return rated


if __name__ == "__main__":
    sessions()
