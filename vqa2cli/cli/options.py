"""Options that commands share; every default comes from `RunConfig`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from vqa2cli.config import ASSISTANT_MODEL, EngineName, Precision, RunConfig

F = TypeVar("F", bound=Callable[..., Any])

#: Longest side of a display we take, pixels: four times 8K.
_MAX_SIDE = 32_768


class DisplaySize(click.ParamType):  # type: ignore[type-arg]  # generic since Click 8.4 only
    """`WxH` in pixels, or `native`; gives (width, height) or None."""

    name = "WxH|native"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int] | None:
        """Return (width, height), None for `native`."""
        if value is None or isinstance(value, tuple) or value == "native":
            return None if value == "native" else value
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", value, re.ASCII)
        size = (int(match[1]), int(match[2])) if match else (0, 0)
        if not all(0 < side <= _MAX_SIDE for side in size):
            self.fail(f"{value!r} is no size; give WIDTHxHEIGHT such as 1920x1080, or native")
        return size


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic since Click 8.4 only
    """A finite number of seconds, at least `least`."""

    name = "seconds"

    def __init__(self, least: float) -> None:
        self.least = least

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"{value!r} is no number of seconds")
        if not math.isfinite(seconds) or seconds < self.least:
            self.fail(f"{value!r} is no number of seconds from {self.least:g} up")
        return seconds


def _together(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return one decorator for several, shown in the order given."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


inputs = click.argument("inputs", nargs=-1, required=True, metavar="INPUTS...")

output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report to FILE, whole or not at all, instead of stdout.",
)

frames = click.option(
    "--frames",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write whether each frame stands still, as CSV: file,frame,pts_time,stalled.",
)


def report_format(formats: Sequence[str]) -> Callable[[F], F]:
    """Return the option that chooses one of `formats` for the report."""
    return click.option(
        "--format",
        "chosen_format",
        type=click.Choice(formats),
        help="Format of the report [by -o's suffix, else table].",
    )


stream_facts = click.option(
    "--stream-facts/--no-stream-facts",
    default=RunConfig.stream_facts,
    help="Tell the model codec, bits per pixel, size and frame rate of the stream.",
)


def _running(model: str) -> Callable[[F], F]:
    """Return the options of which model runs how; without one named it is `model`."""
    return _together(
        click.option(
            "--model", default=model, metavar="NAME|DIR|HUB_ID",
            help="Model: a name of `vqa2 models list`, a directory, or a hub id.",
        ),
        click.option(
            "--protocol", metavar="NAME", help="Prompt and sampling preset [model's own]."
        ),
        click.option(
            "--precision", type=click.Choice(get_args(Precision)), default=RunConfig.precision,
            help="Arithmetic of the model.",
        ),
        click.option(
            "--device", default=RunConfig.device, metavar="auto|cpu|cuda[:N]",
            help="Where the model runs.",
        ),
        click.option(
            "--engine", type=click.Choice(get_args(EngineName)), default=RunConfig.engine,
            help="What runs the motion branch; a named one never falls back.",
        ),
    )  # fmt: skip


running = _running(RunConfig.model)
asking = _running(ASSISTANT_MODEL)

reading = _together(
    click.option(
        "--min-stall", "min_stall_s", type=Seconds(0.0), default=RunConfig.min_stall_s,
        help="Shortest stall reported, seconds.",
    ),
    click.option(
        "--jobs", type=click.IntRange(1, 256), default=RunConfig.jobs,
        help="Files decoded at a time, each in its own process.",
    ),
    click.option(
        "--max-seconds", type=Seconds(0.001), default=RunConfig.max_seconds,
        help="Give a file up after this many seconds.",
    ),
)  # fmt: skip

stalling = _together(
    click.option(
        "--stalls", type=click.Path(path_type=Path), metavar="FILE|DIR",
        help="Stalls as the player told them: P.1203 JSON, a log of hls.js or dash.js, or CSV of "
        "start and duration; a folder holds one for each input.",
    ),
    click.option(
        "--same-content", is_flag=True,
        help="All inputs show the same content: what stands still in every one is no stall.",
    ),
)  # fmt: skip

gating = _together(
    click.option(
        "--gate", "gates", multiple=True, metavar="RULE",
        help="What every file must meet, such as 'score.value >= 60'; may be given again.",
    ),
    click.option(
        "--policy", type=click.Path(path_type=Path), metavar="FILE",
        help="TOML file of gates, and of what the checks of a ladder allow.",
    ),
)  # fmt: skip

more_reports = click.option(
    "--report",
    "reports",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Also write a report to FILE in the format of its suffix (.json, .csv, .xml for JUnit, "
    ".prom for Prometheus, .html); may be given again.",
)

resume = click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep finished rows in FILE, and take those that an earlier run left there.",
)

keep_going = click.option(
    "--keep-going",
    is_flag=True,
    help="Let a failed gate decide the exit code even if some file could not be scored.",
)

loudness = _together(
    click.option("-v", "--verbose", count=True, help="Say more on stderr; -vv adds tracebacks."),
    click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr, no progress."),
)
