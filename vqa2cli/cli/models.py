"""`vqa2 models`: which models there are, and what one of them is."""

from __future__ import annotations

import sys
from math import prod
from pathlib import Path

import click


@click.group()
def models() -> None:
    """List the models, or show one."""


@models.command("list")
def list_models() -> None:
    """List the models known by name: protocol, licence, summary."""
    from rich import box
    from rich.table import Table

    from vqa2cli.model.catalogue import CATALOGUE
    from vqa2cli.report.console import show

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("name", "ships with vqa2", "protocol", "licence", "summary"):
        table.add_column(column, overflow="fold")
    for entry in CATALOGUE.values():
        ships = "yes" if entry.embedded else ""
        table.add_row(entry.name, ships, entry.protocol, entry.licence, entry.summary)
    show(table, sys.stdout)


@models.command("show")
@click.argument("name")
def show_model(name: str) -> None:
    """Show what the model NAME is: a name of the list, or a directory.

    Nothing is downloaded: of a model on the hub, only what the catalogue says is shown.
    """
    from vqa2cli.model.catalogue import CATALOGUE

    entry = CATALOGUE.get(name)
    facts = {} if entry is None else {"protocol": entry.protocol, "licence": entry.licence}
    if entry is None or entry.embedded:
        facts |= _on_disk(name)
    else:
        facts["weights"] = f"fetched from the hub when first used: --model {name}"
    width = max(map(len, facts))
    for key, value in {"name": name, **facts}.items():
        click.echo(f"{key:<{width}}  {value}")


def _on_disk(name: str) -> dict[str, str]:
    """Return facts of a model that lies on this machine.

    Raises:
        ModelError: it does not, or its weights are damaged.
    """
    from vqa2cli.errors import ModelError
    from vqa2cli.model.catalogue import CATALOGUE, default_protocol, find_model
    from vqa2cli.model.checkpoint import open_checkpoint, read_json
    from vqa2cli.report.plain_text import one_line

    if name not in CATALOGUE and not Path(name).expanduser().is_dir():
        raise ModelError(f"no model {name}: no such directory; see `vqa2 models list`")
    source = find_model(name)
    checkpoint = open_checkpoint(source.path)
    ours = read_json(source.path / "config.json").get("vqa2")
    stated = str(ours.get("protocol", "")) if isinstance(ours, dict) else ""
    values = sum(prod(shape) for shape in checkpoint.shapes.values())
    size = sum(file.stat().st_size for file in checkpoint.files)
    return {
        "protocol": default_protocol(source, stated),
        "directory": one_line(str(source.path)),
        "tensors": f"{len(checkpoint.shapes)}, {values / 1e6:.2f} million values",
        "weights": f"{size / 1e6:.1f} MB in {len(checkpoint.files)} file(s)",
        "sha256": checkpoint.sha256(),
    }
