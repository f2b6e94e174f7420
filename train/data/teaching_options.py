"""Options and lines that the commands of stages 1 and 3 share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from train.option_types import FOLDER, NEW_FOLDER
from vqa2cli.cli.exit_codes import OK, UNSCORED
from vqa2cli.cli.messages import Messenger
from vqa2cli.errors import UsageError
from vqa2cli.report.plain_text import one_line

if TYPE_CHECKING:
    from train.data.depictions import Depiction
    from train.data.instructions import Instructions
    from train.data.labels import Labels
    from train.data.records import Sample

F = TypeVar("F", bound=Callable[..., Any])


#: Names of the leads; `train.data.asking` holds the texts and loads too much for --help.
LEADS: Final = ("scorer", "figure-4", "assistant")
TASKS: Final = ("binary", "choice", "open", "temporal", "in-context", "extended", "causal")
SPLITS: Final = ("train", "val", "test")

#: Missing media named one by one on stderr; a list beside the set names all.
_NAMED: Final = 5


#: For the commands that read media or ask an endpoint many at a time.
jobs_option: Final = click.option(
    "--jobs", default=2, show_default=True, help="Files or requests at a time."
)


def shared_options(lead: str) -> Callable[[F], F]:
    """Return the options that the three commands share."""
    options = (
        click.option("--media", type=FOLDER, required=True, help="Folder all media lie below."),
        click.option("--split", type=click.Choice(SPLITS), help="Media of this split only."),
        click.option("--seed", default=0, show_default=True, help="Decides every draw."),
        click.option(
            "--lead",
            type=click.Choice(LEADS),
            default=lead,
            show_default=True,
            help="What is said of the media before a question.",
        ),
        click.option("-o", "--out", type=NEW_FOLDER, required=True, help="Where sets are written."),
    )

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def drawn(depictions: list[Depiction], split: str | None, limit: int, seed: int) -> list[Depiction]:
    """Return the depictions of a split, at most `limit` of them, in their order."""
    import numpy as np

    kept = [one for one in depictions if split in (None, one.split)]
    if not limit:
        return kept
    order = np.random.default_rng([seed, 5]).permutation(len(kept))[:limit]
    return [kept[index] for index in sorted(order)]


def check_any(chosen: Iterable[Any], labels: Labels | None = None) -> None:
    """Raise UsageError where there is nothing to make samples of, with the main reasons."""
    if any(True for _ in chosen):
        return
    reasons = [] if labels is None else labels.left_out.most_common(3)
    why = "".join(f"; {count} × {reason}" for reason, count in reasons)
    raise UsageError(f"nothing to make samples of: no label or depiction is left{why}")


def make_folder(folder: Path) -> None:
    """Make `folder` unless it is there.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror or error}") from error


def write_set(path: Path, samples: list[Sample]) -> None:
    """Write one set and tell how many samples it holds."""
    from train.data.records import write_samples

    make_folder(path.parent)
    count = write_samples(path, samples)
    click.echo(f"{count:7d} samples in {path}")


def report(made: Instructions, left_out: Counter[str], listed: Path) -> int:
    """Tell the counts and what is missing, name all of that in `listed`, return the exit code.

    Raises:
        UsageError: the list cannot be written.
    """
    from train.data.files import write_whole

    tasks = Counter(sample.provenance.task or "" for sample in made.samples)
    tell_counts(tasks, "samples of each task")
    tell_counts(left_out + made.left_out, "left out")
    if not made.missing:
        listed.unlink(missing_ok=True)  # of an earlier run
        return OK
    lines = [f"{one_line(gone.media)}\t{one_line(gone.reason)}\n" for gone in made.missing]
    write_whole(listed, "".join(lines))
    messages = Messenger(0, False)
    for gone in made.missing[:_NAMED]:
        messages.error(f"missing: {gone.media} ({gone.reason})")
    messages.error(f"{len(made.missing)} media are missing or broken; {listed} names all")
    return UNSCORED


def tell_counts(counts: Counter[str], what: str) -> None:
    """Tell each count on a line of its own, the largest first."""
    if counts:
        click.echo(f"{what}:")
    for name, count in counts.most_common():
        click.echo(f"{count:7d}  {name}")
