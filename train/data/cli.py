"""`vqa2 data`: label files and media to instruction sets; parse, call one function, print."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from train.data.choice import SAMPLINGS, Choice, Sampling
from train.data.rated_sets import Task
from train.data.stage2_settings import ENDS, STALL_FORMATS, Ends, Stage2Settings, StallFormat
from train.data.teaching_cli import COMMANDS
from train.degrade.cli import COMMANDS as DEGRADING
from train.option_types import EITHER, FOLDER, NEW_FILE, SET
from vqa2cli.cli.exit_codes import OK, UNSCORED

if TYPE_CHECKING:
    from train.data.instructions import Instructions
    from train.data.looks import Missing
    from train.data.ratings import Rating
    from train.data.records import Sample


#: Missing media named one by one on stderr; the list beside the set names all.
_NAMED_MISSING = 5

#: Characters of a turn that `show` prints without --full.
_SHOWN = 160


@click.group()
def data() -> None:
    """Build instruction sets from label files and media, and look into them."""


for _command in [*COMMANDS, *DEGRADING]:
    data.add_command(_command)


@data.command()
@click.argument("files", nargs=-1, required=True, type=EITHER)
@click.option("--name", help="Name of the set, where the file does not tell.")
def labels(files: tuple[Path, ...], name: str | None) -> None:
    """Say what is in label FILES of rated videos: sets, scales, counts, ranges.

    A set's folder works too: of LIVE-NFLX-II's .mat files, or Waterloo's data.csv and
    streaming_logs. A file that mixes scales within a set is refused.
    """
    from rich import box
    from rich.table import Table

    from vqa2cli.report.console import show as draw

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("set", "scale", "videos", "contents", "from", "to", "stalls", "task", "paper"):
        numeric = column in {"videos", "contents", "from", "to", "stalls"}
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    ratings = _read(files, name)
    for row in _by_set(ratings):
        table.add_row(*row)
    draw(table, sys.stdout)
    click.echo(f"{len(ratings)} ratings in {len(_by_set(ratings))} sets", err=True)


@data.command()
@click.argument("files", metavar="EITHER...", nargs=-1, required=True, type=EITHER)
@click.option("--media", type=FOLDER, help="Folder of the videos.")
@click.option("--task", type=click.Choice(["ugc", "streaming"]), required=True, help="What for.")
@click.option("--out", type=NEW_FILE, required=True, help="JSON file to write.")
@click.option(
    "--sampling",
    type=click.Choice(SAMPLINGS),
    default=Choice.sampling,
    show_default=True,
    help="Of known sets: those of the paper's stage 2, or all it does not test on.",
)
@click.option("--set", "sets", multiple=True, help="Take this set instead; may be repeated.")
@click.option("--held-out", multiple=True, type=EITHER, help="Labels of what is tested on.")
@click.option("--name", help="Name of the set, where the labels do not tell.")
@click.option("--protocol", help="How to ask; the task's own of 2024 if not given.")
@click.option(
    "--stalls",
    type=click.Choice([*STALL_FORMATS, "both"]),
    default="both",
    show_default=True,
    help="Streaming: one digit a frame, the five facts, or a pair of each.",
)
@click.option(
    "--ends",
    type=click.Choice(ENDS),
    default=Stage2Settings.ends,
    show_default=True,
    help="What becomes 0 and 100: a set's own extremes, or its scale's.",
)
@click.option(
    "--val-share",
    type=click.FloatRange(0, 1),
    default=Stage2Settings.val_share,
    show_default=True,
    help="Share of contents marked for validation.",
)
@click.option("--seed", default=Stage2Settings.seed, show_default=True, help="Of that draw.")
@click.option("--keep-missing", is_flag=True, help="Make pairs of videos not there yet, too.")
@click.option(
    "--probe/--no-probe",
    default=Stage2Settings.probe,
    help="Open every video, to name broken ones and know its frame rate.",
)
def stage2(
    files: tuple[Path, ...],
    media: Path | None,
    task: Task,
    out: Path,
    sampling: Sampling,
    sets: tuple[str, ...],
    held_out: tuple[Path, ...],
    name: str | None,
    protocol: str | None,
    stalls: StallFormat | str,
    ends: Ends,
    val_share: float,
    seed: int,
    keep_missing: bool,
    probe: bool,
) -> int:
    """Make questions and answers of rated videos: score to 0-100 to one of five levels.

    Nothing that is tested on is trained on: no content of the paper's test sets, of a file's own
    test split, or of --held-out. What is left out is counted. Videos that are not there are named
    beside OUT in a .missing.txt, and the exit code is 3 (0 with --keep-missing).
    """
    from train.data.choice import contents_of
    from train.data.stage2 import build_stage2
    from vqa2cli.errors import UsageError

    if media is None and not keep_missing:
        raise UsageError("no folder of videos; name it with --media, or add --keep-missing")
    tested = contents_of(_read(held_out, name))
    choice = Choice(task, sampling, sets, tested)
    told: tuple[StallFormat, ...] = tuple(
        each for each in STALL_FORMATS if stalls in {each, "both"}
    )
    settings = Stage2Settings(
        choice=choice,
        protocol=protocol,
        formats=told,
        ends=ends,
        val_share=val_share,
        seed=seed,
        keep_missing=keep_missing,
        probe=probe,
    )
    built = build_stage2(_read(files, name), media, settings)
    return write_built(out, built, keep_missing=keep_missing)


@data.command()
@click.argument("file", type=SET)
@click.option("-n", "count", default=10, show_default=True, help="How many, spread evenly.")
@click.option("--full", is_flag=True, help="Print turns whole.")
def show(file: Path, count: int, full: bool) -> None:
    """Print samples of an instruction set; NEW_FILE may be a list, part{1,2}.json or a YAML."""
    from train.data.records import read_samples

    samples = read_samples(file)
    for number in _spread(len(samples), count):
        _print_sample(number, samples[number], full)
    click.echo(f"{len(samples)} samples", err=True)


@data.command()
@click.argument("files", nargs=-1, required=True, type=SET)
def table1(files: tuple[Path, ...]) -> None:
    """Count what FILES hold, stage by stage, beside the paper's Table 1 (Markdown)."""
    from train.data.records import read_samples
    from train.data.table1 import table1 as table

    click.echo(table([sample for file in files for sample in read_samples(file)]))


def write_built(out: Path, built: Instructions, *, keep_missing: bool = False) -> int:
    """Write a set, say on stderr what it holds and lacks, and return the exit code.

    Raises:
        UsageError: the set cannot be written.
    """
    from train.data.records import write_samples
    from vqa2cli.errors import UsageError

    for reason, count in sorted(built.left_out.items()):
        click.echo(f"left out {count:>6}  {reason}", err=True)
    if built.missing:
        _tell_missing(out, built.missing)
    if not built.samples:
        what = "every video is missing" if built.missing else "every video was left out"
        click.echo(f"{out} not written: {what}", err=True)
        return UNSCORED if built.missing else UsageError.exit_code
    written = write_samples(out, built.samples)
    click.echo(f"{written} samples in {out}: {_tally(built.samples)}", err=True)
    return UNSCORED if built.missing and not keep_missing else OK


def _tell_missing(out: Path, missing: Sequence[Missing]) -> None:
    from train.data.files import write_whole
    from vqa2cli.report.plain_text import one_line

    listed = out.with_name(f"{out.stem}.missing.txt")
    lines = [f"{one_line(each.media)}\t{one_line(each.reason)}" for each in missing]
    write_whole(listed, "".join(f"{line}\n" for line in lines))
    for each in missing[:_NAMED_MISSING]:
        click.echo(one_line(f"missing: {each.media} ({each.reason})"), err=True)
    click.echo(f"{len(missing)} videos are missing; {listed} names all", err=True)


def _read(files: Iterable[Path], name: str | None) -> list[Rating]:
    from train.data.rating_files import read_ratings

    return [rating for file in files for rating in read_ratings(file, name)]


def _by_set(ratings: Sequence[Rating]) -> list[tuple[str, ...]]:
    from train.data.rated_sets import RATED_SETS

    groups: dict[str, list[Rating]] = {}
    for rating in ratings:
        groups.setdefault(rating.dataset, []).append(rating)
    rows: list[tuple[str, ...]] = []
    for name, group in groups.items():
        known = RATED_SETS.get(name)
        scores = [rating.mos for rating in group]
        stalls = sum(rating.stalls is not None for rating in group)
        rows.append(
            (
                name,
                group[0].scale.name,
                f"{len(group):,}",
                f"{len({rating.content for rating in group}):,}",
                f"{min(scores):.4g}",
                f"{max(scores):.4g}",
                f"{stalls:,}" if stalls else "",
                known.task if known else "",
                known.role if known and known.role != "other" else "",
            )
        )
    return rows


def _tally(samples: Sequence[Sample]) -> str:
    """Return what the answers are, most frequent first, in one line."""
    answers = Counter(sample.turns[-1].text for sample in samples)
    shown = [f"{count} {answer!r}" for answer, count in answers.most_common(_NAMED_MISSING)]
    more = len(answers) - len(shown)
    return ", ".join(shown) + (f" and {more} other answers" if more > 0 else "")


def _spread(total: int, count: int) -> list[int]:
    """Return up to `count` places among `total`, evenly spread, the first among them."""
    count = min(max(count, 0), total)
    return [number * total // count for number in range(count)]


def _print_sample(number: int, sample: Sample, full: bool) -> None:
    from vqa2cli.report.plain_text import one_line, short_line

    where = sample.provenance
    known = (
        f"stage {where.stage} {where.task}" if where.stage else "",
        where.dataset or "",
        where.split or "",
        f"{sample.fps:g} fps" if sample.fps else "",
        f"score {sample.gt_score:g}" if sample.gt_score is not None else "",
    )
    click.echo(one_line(f"[{number}] {sample.media} ({', '.join(filter(None, known))})"))
    for turn in sample.turns:
        said = turn.text.replace("\n", "\\n")
        text = one_line(said) if full else short_line(said, _SHOWN)
        click.echo(f"  {turn.role}: {text}")
