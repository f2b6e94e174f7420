"""`vqa2 demo`: a page on this machine, for one clip at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from vqa2cli.cli import options
from vqa2cli.cli.messages import Messenger
from vqa2cli.config import ASSISTANT_MODEL, RunConfig
from vqa2cli.demo.serve import PORT, check_extra, claimed, serve
from vqa2cli.errors import UsageError


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=PORT,
    help="Port of 127.0.0.1; 0 takes a free one.",
)  # fmt: skip
@click.option(
    "--ask-model", metavar="NAME|DIR|HUB_ID", default=ASSISTANT_MODEL,
    help="Model that answers questions about the clip.",
)  # fmt: skip
@options.running
@options.reading
@options.loudness
def demo(port: int, ask_model: str, verbose: int, quiet: bool, **settings: Any) -> None:
    """Serve a page that tells of a clip what `vqa2 score` and `vqa2 explain` tell.

    Drop a clip on it for score, timeline, findings and worst frames. The page is served to this
    machine alone and sends nothing elsewhere; Ctrl-C stops it. Needs pip install 'vqa2[demo]'.
    """
    check_extra()
    messenger = Messenger(verbose, quiet)
    config = RunConfig(streaming=True, **settings)
    with claimed(port) as listening:
        from vqa2cli.asking import answering_model
        from vqa2cli.demo.desk import Desk
        from vqa2cli.pipeline import configured_model

        scorer = configured_model(config)
        if scorer.protocol.answers:
            raise UsageError(f"model {config.model} gives no score; name it with --ask-model")
        answerer = answering_model(replace(config, model=ask_model, protocol=None))
        desk = Desk(scorer, config, answerer)
        serve(desk, listening, lambda address: messenger.note(f"{address} (Ctrl-C stops it)"))
