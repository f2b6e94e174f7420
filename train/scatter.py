"""Scores against labels as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from train.correlation import logistic_fit
from vqa2cli.errors import MissingError, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: File formats, by suffix.
FORMATS = (".png", ".svg", ".pdf")

#: Contents up to this many get a colour and a line in the legend.
MAX_COLOURS = 10

_SIZE_IN, _DPI = (6.0, 6.0), 150


@dataclass(frozen=True)
class Point:
    """One clip: its score, and its label."""

    file: str
    content: str
    score: float
    label: float


def check_format(path: Path) -> None:
    """Check, before any work is done, that a plot can be drawn into `path`.

    Raises:
        UsageError: no format we draw.
        MissingError: matplotlib is not installed.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: plots are drawn as {', '.join(FORMATS)}; name such a file")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "matplotlib is not installed; plots need it: pip install 'vqa2[plot]'"
        ) from error


def draw_scatter(path: Path, points: Sequence[Point], *, title: str, label_name: str) -> None:
    """Draw one dot a clip, and the logistic that was fitted, into `path`; the suffix decides.

    The same numbers give the same bytes.

    Raises:
        UsageError: no format we draw, or the file cannot be written.
        MissingError: matplotlib is not installed.
    """
    check_format(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "vqa2"}):
        figure = Figure(figsize=_SIZE_IN, dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        _dots(axes, points)
        _curve(axes, points)
        axes.set(xlabel="score", ylabel=label_name, title=title)
        axes.grid(alpha=0.3)
        undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
        try:
            figure.savefig(path, metadata=undated.get(path.suffix.lower()))
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _dots(axes: Axes, points: Sequence[Point]) -> None:
    contents = list(dict.fromkeys(point.content for point in points))
    named = 1 < len(contents) <= MAX_COLOURS
    for content in contents if named else [None]:
        chosen = [point for point in points if content in {None, point.content}]
        # A dollar sign would begin a formula, a leading underscore hides a name from the legend.
        shown = (content or "").replace("$", r"\$").lstrip("_") or None
        x, y = [point.score for point in chosen], [point.label for point in chosen]
        axes.scatter(x, y, s=14, alpha=0.7, label=shown)
    if named:
        axes.legend(fontsize="x-small")


def _curve(axes: Axes, points: Sequence[Point]) -> None:
    scores = [point.score for point in points]
    fit = logistic_fit(scores, [point.label for point in points])
    if fit is not None:
        line = np.linspace(min(scores), max(scores), 200)
        axes.plot(line, fit(line), color="black", linewidth=1)
