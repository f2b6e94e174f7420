"""Types of the options that name files and folders; a new one need not be there yet."""

from __future__ import annotations

from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
NEW_FOLDER = click.Path(file_okay=False, path_type=Path)
EITHER = click.Path(exists=True, path_type=Path)
#: An instruction set: a list, part1.json and part2.json, or a YAML.
SET = click.Path(path_type=Path)
