"""`vqa2 train base`: parse, call one function, print."""

from __future__ import annotations

from pathlib import Path

import click

from train.option_types import FILE, NEW_FOLDER

#: What stage 1 of the paper starts from.
LLAVA = "lmms-lab/llava-onevision-qwen2-7b-ov-chat"


@click.command("base", short_help="Put together the model that stage 1 starts from")
@click.option("--llava", default=LLAVA, show_default=True, help="Directory or hub id.")
@click.option("--slowfast", type=FILE, required=True, help="Weights: SLOWFAST_8x8_R50.pyth.")
@click.option("--out", type=NEW_FOLDER, required=True, help="Where the model directory goes.")
@click.option("--seed", default=0, show_default=True, help="Of the parts that begin anew.")
def base(llava: str, slowfast: Path, out: Path, seed: int) -> None:
    """Put together the model that stage 1 starts from: LLaVA, SlowFast-R50 and fresh motion parts.

    The position table and the motion projector begin anew. Use it by `--model OUT`.
    """
    from train.instruct.base import make_base
    from vqa2cli.model.catalogue import find_model

    click.echo(str(make_base(find_model(llava).path, slowfast, out, seed)))
