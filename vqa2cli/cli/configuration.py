"""`--config FILE`: defaults of options from a TOML file.

Click looks for a value on the command line, then in the environment, then here, then in the
option itself; this module only reads the file and checks its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from vqa2cli.errors import UsageError
from vqa2cli.gates.names import nearest
from vqa2cli.gates.toml_file import read_toml


def configure(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Make the tables of `path` the defaults of the commands they are named after.

    Raises:
        UsageError: the file cannot be read, is no TOML, or names an unknown command or option.
    """
    if path is None or ctx.resilient_parsing:
        return
    assert isinstance(ctx.command, click.Group)
    ctx.default_map = _defaults(f"{path}:", ctx, ctx.command, read_toml(path))


def _defaults(
    where: str, ctx: click.Context, group: click.Group, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the tables under the names of parameters, as Click wants them."""
    found = {}
    names = group.list_commands(ctx)
    for name, table in tables.items():
        if name not in names:
            raise UsageError(f"{where} no command {name}{nearest(name, names)}")
        if not isinstance(table, dict):
            raise UsageError(f"{where} {name} must be a table of options, as in [{name}]")
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            found[name] = _defaults(f"{where} {name}", ctx, command, table)
        elif command is not None:
            found[name] = _options(f"{where} {name}", command, table)
    return found


def _options(where: str, command: click.Command, table: Mapping[str, Any]) -> dict[str, Any]:
    known = {
        name.lstrip("-"): param.name
        for param in command.params
        if isinstance(param, click.Option)
        for name in param.opts
        if name.startswith("--")
    }
    found = {}
    for option, value in table.items():
        name = known.get(option.replace("_", "-"))
        if name is None:
            raise UsageError(f"{where} has no option {option}{nearest(option, known)}")
        found[name] = value
    return found
