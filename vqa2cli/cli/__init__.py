"""The `vqa2` command: finds a command by name, runs it, and turns errors into exit codes.

Commands are imported when they are named, and themselves import torch and PyAV only when they
run, so `vqa2 --help` is fast. Other packages add commands through the entry point group
`vqa2.commands`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from vqa2cli.config import VERSION
from vqa2cli.errors import MissingError, UsageError, Vqa2Error
from vqa2cli.report.plain_text import short_line

logger = logging.getLogger(__name__)

#: Commands of this package, in the order help shows them.
COMMANDS: Final = {
    "score": "vqa2cli.cli.score:score",
    "ladder": "vqa2cli.cli.ladder:ladder",
    "explain": "vqa2cli.cli.explain:explain",
    "ask": "vqa2cli.cli.ask:ask",
    "stalls": "vqa2cli.cli.stalls:stalls",
    "demo": "vqa2cli.cli.demo:demo",
    "models": "vqa2cli.cli.models:models",
    "engines": "vqa2cli.cli.engines:engines",
    "doctor": "vqa2cli.cli.doctor:doctor",
    "sample": "vqa2cli.cli.sample:sample",
}

#: Entry point group through which other packages add commands.
COMMAND_GROUP: Final = "vqa2.commands"

#: What names of environment variables begin with.
ENVIRONMENT: Final = "VQA2"

INTERRUPTED: Final = 128 + signal.SIGINT
TERMINATED: Final = 128 + signal.SIGTERM
#: What a program ends with when the reader of its output has gone (128 + SIGPIPE).
OUTPUT_CLOSED: Final = 141


class _Stop(Exception):
    """Ends the process with `code`, saying `message` if there is one."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(message)
        self.code = code


class _Terminated(KeyboardInterrupt):
    """SIGTERM came: end as on Ctrl-C, keeping results so far."""


class LazyGroup(click.Group):
    """Imports a command when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return this package's commands, then those other packages add."""
        return [*COMMANDS, *sorted(_plugins().keys() - COMMANDS.keys())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, None if there is none."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return _with_variables(command)
        plugin = _plugins().get(cmd_name)
        return None if plugin is None else _load(plugin)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see to it that Click does not choose the exit code of these."""
        try:
            return super().invoke(ctx)
        except _Terminated:
            raise _Stop(TERMINATED, "terminated; results so far are kept") from None
        except KeyboardInterrupt:
            raise _Stop(INTERRUPTED, "interrupted; results so far are kept") from None
        except BrokenPipeError:
            raise _Stop(OUTPUT_CLOSED) from None


def _configured(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Read `--config`; what that takes is loaded only then."""
    if path is not None:
        from vqa2cli.cli.configuration import configure

        configure(ctx, param, path)


@click.group(
    cls=LazyGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": ENVIRONMENT,
        "show_default": True,
    },
)
@click.version_option(VERSION, prog_name="vqa2")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=_configured,
    help="TOML file with a table of options for each command; options and VQA2_* win over it.",
)
def vqa2() -> None:
    """Video quality without a reference: scores, stalls and diagnostics."""


def main(args: Sequence[str] | None = None) -> int:
    """Run `vqa2` with `args` (the process's own if None) and return its exit code."""
    logging.getLogger("vqa2cli").setLevel(logging.WARNING)  # until a command says otherwise
    _harden_streams()
    signal.signal(signal.SIGTERM, _on_terminate)
    try:
        result = vqa2.main(args=args, prog_name="vqa2", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        return _hush(OUTPUT_CLOSED)
    except _Stop as stop:
        return _hush(stop.code) if stop.code == OUTPUT_CLOSED else _fail(str(stop), stop.code)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _fail("interrupted", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        return _fail(_usage_line(error), UsageError.exit_code)
    except Vqa2Error as error:
        logger.debug("stopped", exc_info=True)
        return _fail(str(error), error.exit_code)
    except Exception as error:  # a bug of ours: one line for people, the traceback at -vv
        logger.debug("internal error", exc_info=True)
        told = f"internal error: {type(error).__name__}: {error} (-vv shows the traceback)"
        return _fail(told, Vqa2Error.exit_code)
    return result if isinstance(result, int) else 0


def _plugins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=COMMAND_GROUP)}


def _load(plugin: EntryPoint) -> click.Command:
    """Return the command of another package, or one that tells why it cannot run."""
    try:
        command: click.Command = plugin.load()
    except ImportError as error:
        reason = f"command {plugin.name} cannot run: {error}; install what it needs"

        def refuse() -> None:
            raise MissingError(reason)

        return click.Command(
            plugin.name,
            callback=refuse,
            help=f"Not available: {error}.",
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        )
    return command


def _with_variables(command: click.Command) -> click.Command:
    """Return `command`, its environment variables named after its options.

    Click names them after parameters, which differ where an option's name is taken in Python.
    """
    for param in command.params:
        flag = next((name for name in param.opts if name.startswith("--")), None)
        if flag is not None and param.envvar is None:
            words = f"{ENVIRONMENT}_{command.name}_{flag.removeprefix('--')}"
            param.envvar = words.replace("-", "_").upper()
    return command


def _usage_line(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    where = f" (see {context.command_path} --help)" if context else ""
    return f"{error.format_message().rstrip('.')}{where}"


def _fail(message: str, code: int) -> int:
    """Say `message` on one line of stderr and return `code`."""
    if message:
        click.echo(short_line(f"vqa2: {message}"), err=True)
    return code


def _hush(code: int) -> int:
    """Keep Python from complaining at exit that stdout has no reader; return `code`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _harden_streams() -> None:
    """Let no file name that the terminal's encoding lacks stop the program."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _on_terminate(signum: int, frame: FrameType | None) -> None:
    raise _Terminated
