"""`vqa2 ladder`: whether a bitrate ladder may ship, and what to change in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vqa2cli.cli import options
from vqa2cli.cli.exit_codes import exit_code
from vqa2cli.cli.inputs import find_files, refuse_overwriting
from vqa2cli.cli.ladder_reports import FORMATS, LadderReports
from vqa2cli.cli.messages import Messenger
from vqa2cli.cli.reports import Outputs, check_installed
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from vqa2cli.gates.policy import Policy
    from vqa2cli.ladder.grouping import Grouping
    from vqa2cli.ladder.measured import Ladder
    from vqa2cli.ladder.scoring import LadderScorer
    from vqa2cli.ladder.settings import Setting
    from vqa2cli.ladder.titles import Title

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("inputs", nargs=-1, metavar="INPUTS...")
@click.option(
    "--map",
    "map_file",
    type=FILE,
    metavar="FILE",
    help="CSV or JSON that says which file is which rung of which title, instead of INPUTS.",
)
@click.option(
    "--against",
    metavar="INPUT",
    help="Another ladder of the same titles, grouped as INPUTS are; its BD-rate is reported.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show which rungs were found and what their streams are, and score nothing; with "
    "--format csv, a map to correct.",
)
@options.output
@options.report_format(FORMATS)
@options.more_reports
@options.running
@click.option(
    "--display",
    type=options.DisplaySize(),
    default=None,
    metavar="WxH",
    help="Compare all rungs as shown at this size [that of the largest rung].",
)
@options.stream_facts
@options.gating
@options.reading
@options.resume
@options.keep_going
@options.loudness  # fmt: skip
def ladder(
    inputs: tuple[str, ...],
    map_file: Path | None,
    against: str | None,
    dry_run: bool,
    output: Path | None,
    chosen_format: str | None,
    reports: tuple[Path, ...],
    gates: tuple[str, ...],
    policy: Path | None,
    verbose: int,
    quiet: bool,
    **settings: Any,
) -> int:
    """Check bitrate ladders: quality, steps, streams, key frames and defects of their rungs.

    INPUTS are local HLS or DASH playlists, and folders, patterns or lists of files whose names
    tell their rung, such as title_720p_2500k.mp4.
    The exit code is 0 if no check and no gate failed, 1 if one did, 3 if some rung could not be
    scored.
    """
    from vqa2cli.gates.judging import check_answerable
    from vqa2cli.gates.policy import read_policy
    from vqa2cli.ladder.checks import CHECKS
    from vqa2cli.ladder.settings import settings_of

    config = RunConfig(**settings)
    messenger = Messenger(verbose, quiet)
    told = read_policy(policy, gates)
    check_answerable(told.gates, replace(config, streaming=True))
    checks = settings_of(told.ladder, [check.id for check in CHECKS])
    out = Outputs.of(chosen_format, output, reports, FORMATS)
    check_installed(out.formats, against=against is not None)
    titles = _titles(inputs, map_file, messenger)
    anchors = _titles((against,), None, messenger) if against else ()
    files = [Path(rung.file) for title in (*titles, *anchors) for rung in title.rungs]
    refuse_overwriting((output, *reports, config.resume), files)
    if dry_run:
        from vqa2cli.cli.ladder_plan import show_plan

        show_plan(titles, config, out.chosen, output)
        return exit_code(unscored=False, gate_failed=False)
    job = _Job(config, told, checks, messenger)
    return job.run(_paired(titles, anchors), out)


def _titles(
    inputs: Sequence[str], map_file: Path | None, messenger: Messenger
) -> tuple[Title, ...]:
    """Return the titles of the inputs or of the map, telling what was left out.

    Raises:
        UsageError: both or neither are given, or no ladder is found.
    """
    from vqa2cli.ladder.grouping import group
    from vqa2cli.ladder.map_file import read_map

    if bool(inputs) == (map_file is not None):
        raise UsageError("name the rungs either by INPUTS or by --map FILE")
    if map_file is not None:
        return tuple(read_map(map_file))
    found: Grouping = group(find_files(inputs, messenger))
    for path in found.left_out:
        messenger.note(f"left out {path}: its name tells neither size nor bit rate; see --map")
    for title in found.titles:
        messenger.detail(f"{title.name}: {', '.join(rung.name for rung in title.rungs)}")
        if len(title.rungs) == 1:
            messenger.note(f"{title.name} has one rung only; is it named as its others are?")
    return found.titles


def _paired(titles: Sequence[Title], anchors: Sequence[Title]) -> list[tuple[Title, Title | None]]:
    """Return each title with the one of the same name to compare it with.

    Raises:
        UsageError: a title has no partner.
    """
    if not anchors:
        return [(title, None) for title in titles]
    if len(titles) == len(anchors) == 1:
        return [(titles[0], anchors[0])]
    named = {anchor.name: anchor for anchor in anchors}
    for title in titles:
        if title.name not in named:
            raise UsageError(
                f"--against has no title {title.name}; it has {', '.join(sorted(named))}"
            )
    return [(title, named[title.name]) for title in titles]


@dataclass(frozen=True)
class _Job:
    """One run over titles."""

    config: RunConfig
    policy: Policy
    checks: dict[str, Setting]
    messenger: Messenger

    def run(self, pairs: Sequence[tuple[Title, Title | None]], out: Outputs) -> int:
        """Score and judge every title into the reports; return the exit code."""
        from vqa2cli.ladder.judge import verdict_on
        from vqa2cli.ladder.scoring import LadderScorer
        from vqa2cli.pipeline import configured_model

        with out.open() as streams:
            scorer = LadderScorer(configured_model(self.config), self.config)
            with closing(LadderReports(streams)) as reports:
                for title, anchor in pairs:
                    reports.frames_of.know(rung.clip for rung in title.rungs)
                    judged = self._ladder(scorer, title)
                    against = self._ladder(scorer, anchor) if anchor else None
                    reports.verdicts.append(verdict_on(judged, self.checks, against))
        verdicts = reports.verdicts
        return exit_code(
            unscored=any(verdict.unscored for verdict in verdicts),
            gate_failed=any(verdict.failed for verdict in verdicts),
            keep_going=self.config.keep_going,
        )

    def _ladder(self, scorer: LadderScorer, title: Title) -> Ladder:
        from vqa2cli.gates.judging import judged_all
        from vqa2cli.ladder.measured import measured

        display = scorer.display(title)
        rungs = list(title.rungs)
        rows = judged_all(scorer.rows(title, display), self.policy.gates)
        told = list(self.messenger.following(rows, len(rungs), on_terminal=False))
        return measured(title.name, title.grouped_by, display, list(zip(rungs, told, strict=True)))
