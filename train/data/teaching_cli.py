"""`vqa2 data stage1` and `stage3`: parse, call one function, tell the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from train.data.extend_cli import extend
from train.data.teaching_options import (
    TASKS,
    check_any,
    drawn,
    jobs_option,
    make_folder,
    report,
    shared_options,
    tell_counts,
    write_set,
)
from train.option_types import FILE, FOLDER, NEW_FOLDER
from vqa2cli.errors import UsageError


@click.command()
@click.option("--labels", type=FILE, multiple=True, help="CSV: media,label[,severity,start_s,…].")
@click.option("--column", multiple=True, help="NAME=OWN: what a label table calls a column.")
@click.option("--kadid", type=FILE, help="KADID-10k's dmos.csv; its pictures in images/ beside it.")
@click.option("--corpus", type=FOLDER, multiple=True, help="A corpus made by vqa2 train.")
@click.option("--degraded", type=FOLDER, multiple=True, help="Clips made by vqa2 data degrade.")
@click.option("--classes", type=FILE, help="TOML laid over the mapping of labels to classes.")
@click.option("--cuts", type=NEW_FOLDER, help="Where cut pieces go.  [default: MEDIA/stage1-cuts]")
@click.option("--windows", default=2, show_default=True, help="Windows of a motion distortion.")
@click.option("--crops", default=1, show_default=True, help="Crops of a motion distortion.")
@click.option("--frames/--no-frames", default=True, help="Clips of spatial ones as pictures.")
@click.option("--per-class", default=0, show_default=True, help="Most media a class; 0 is all.")
@jobs_option
@shared_options("scorer")
def stage1(
    labels: tuple[Path, ...],
    column: tuple[str, ...],
    kadid: Path | None,
    corpus: tuple[Path, ...],
    degraded: tuple[Path, ...],
    classes: Path | None,
    media: Path,
    out: Path,
    split: str | None,
    cuts: Path | None,
    **draw: Any,
) -> int:
    """Make distortion recognition sets: which of the 13 classes, how strong, when.

    Writes OUT/stage1-image.json and OUT/stage1-video.json. Labels that belong to no class and
    media that are missing are named and counted; the exit code is 3 if media were missing.
    """
    from train.data.classes import read_classes
    from train.data.labels import Labels, read_kadid_table, read_label_table
    from train.data.looks import below
    from train.data.made_labels import corpus_labels, degraded_labels
    from train.data.stage1 import Stage1Settings, build_stage1

    mapping, found = read_classes(classes), Labels()
    for table in labels:
        found.add(read_label_table(table, mapping, _columns(column)))
    if kadid is not None:
        images = Path(below(media, kadid.parent / "images"))
        found.add(read_kadid_table(kadid, images, mapping))
    for folder in corpus:
        found.add(corpus_labels(folder, media, mapping))
    for folder in degraded:
        found.add(degraded_labels(folder, media, mapping))
    chosen = [label for label in found.labels if split in (None, label.split)]
    check_any(chosen, found)
    made = build_stage1(
        chosen, Stage1Settings(media=media, cuts=cuts or media / "stage1-cuts", **draw)
    )
    write_set(out / "stage1-image.json", made.of_kind("image"))
    write_set(out / "stage1-video.json", made.of_kind("video"))
    tell_counts(Counter(label.distortion for label in chosen), "labelled media of each class")
    return report(made, found.left_out, out / "stage1.missing.txt")


@click.command()
@click.option("--depictions", type=FILE, multiple=True, help="JSON lines of annotated depictions.")
@click.option("--corpus", type=FOLDER, multiple=True, help="A corpus made by vqa2 train.")
@click.option("--degraded", type=FOLDER, multiple=True, help="Clips made by vqa2 data degrade.")
@click.option("--classes", type=FILE, help="TOML laid over the mapping of labels to classes.")
@click.option("--task", type=click.Choice(TASKS), multiple=True, help="Only these.  [default: all]")
@click.option("--limit", default=0, show_default=True, help="Most depictions, drawn; 0 is all.")
@shared_options("assistant")
def stage3(
    depictions: tuple[Path, ...],
    corpus: tuple[Path, ...],
    degraded: tuple[Path, ...],
    classes: Path | None,
    task: tuple[str, ...],
    limit: int,
    media: Path,
    out: Path,
    split: str | None,
    seed: int,
    lead: str,
) -> int:
    """Write question and answer pairs from depictions, by templates.

    Depictions are read, or made from what is known of degraded clips. Writes OUT/stage3.json, and
    OUT/depictions.jsonl, which `vqa2 data extend` takes.
    """
    from train.data.classes import read_classes
    from train.data.depictions import read_depictions, unique_media, write_depictions
    from train.data.made_depictions import corpus_depictions, degraded_depictions
    from train.data.stage3 import Stage3Settings, build_stage3

    mapping, left_out = read_classes(classes), Counter[str]()
    found = [one for path in depictions for one in read_depictions(path)]
    for folder in corpus:
        made_here, without = corpus_depictions(folder, media, mapping)
        found += made_here
        left_out += without
    for folder in degraded:
        found += degraded_depictions(folder, media, mapping)
    chosen = drawn(unique_media(found), split, limit, seed)
    check_any(chosen)
    made = build_stage3(chosen, Stage3Settings(media, seed, task or TASKS, lead))
    make_folder(out)
    write_depictions(out / "depictions.jsonl", chosen)
    write_set(out / "stage3.json", list(made.samples))
    return report(made, left_out, out / "stage3.missing.txt")


def _columns(pairs: Iterable[str]) -> dict[str, str]:
    from train.data.labels import COLUMNS

    named = {}
    for pair in pairs:
        name, equals, own = pair.partition("=")
        if name not in COLUMNS or not equals or not own:
            raise UsageError(f"--column {pair}: give NAME=OWN with NAME of {', '.join(COLUMNS)}")
        named[name] = own
    return named


#: Commands of `vqa2 data`.
COMMANDS: Final = [stage1, stage3, extend]
