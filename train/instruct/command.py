"""`vqa2 train STAGE`: the command of every instruction recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from train.option_types import FOLDER, NEW_FOLDER, SET
from vqa2cli.config import EMBEDDED_MODEL
from vqa2cli.errors import UsageError

#: Stands for the published sizes in a dry run: no weights are needed for one.
SHAPE_7B = "7b"

#: Options that go over the recipe's `[fit]` where they are given.
_OVER_FIT = (
    *("steps", "epochs", "batch", "accumulation", "precision", "norms", "loss_mask"),
    *("seed", "save_every", "workers"),
)


@click.command()
@click.argument("recipe")
@click.option("--data", type=SET, multiple=True, help="Instruction set; may be given again.")
@click.option("--media", type=FOLDER, help="Folder the sets' media paths start from.")
@click.option("--model", default=EMBEDDED_MODEL, show_default=True, help="Model to start from.")
@click.option("--out", type=NEW_FOLDER, help="Folder of the run; the model goes to OUT/model.")
@click.option(
    "--size",
    type=click.Choice(["auto", "mini", "7b"]),
    default="auto",
    show_default=True,
    help="Whose hyper-parameters; auto goes by the model's width.",
)
@click.option("--steps", type=click.IntRange(1), help="Optimizer steps, instead of whole epochs.")
@click.option("--epochs", type=click.FloatRange(0, min_open=True), help="Times over the data.")
@click.option("--batch", type=click.IntRange(1), help="Conversations a device sees at once.")
@click.option("--accumulation", type=click.IntRange(1), help="Batches to an optimizer step.")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), help="Arithmetic.")
@click.option("--norms", type=click.Choice(["frozen", "batch"]), help="Batch norms of motion.")
@click.option("--loss-mask", type=click.Choice(["answer", "authors"]), help="What is learned.")
@click.option("--seed", type=int, help="Decides the order of the data.")
@click.option("--save-every", type=click.IntRange(1), help="Steps from checkpoint to checkpoint.")
@click.option("--workers", type=click.IntRange(0), help="Processes that read pictures ahead.")
@click.option(
    "--lora", type=click.IntRange(1), help="Train adapters of this rank instead of the LLM."
)
@click.option("--without-motion", is_flag=True, help="Ablation: no motion tokens.")
@click.option("--without-stage1", is_flag=True, help="Ablation: stage 1 is left out on purpose.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in OUT.")
@click.option("--skip-missing", is_flag=True, help="Leave out samples with lost or broken media.")
@click.option("--cache", type=NEW_FOLDER, help="Decoded pictures.  [default: OUT/looks]")
@click.option("--cache-gb", default=20.0, show_default=True, help="Most disk the cache may take.")
@click.option("--jobs", default=1, show_default=True, help="Processes that decode beforehand.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda.")
@click.option(
    "--sharding",
    type=click.Choice(["none", "fsdp", "zero2", "zero3"]),
    default="none",
    show_default=True,
    help="How weights are spread over the processes torchrun starts.",
)
@click.option("--dry-run", is_flag=True, help="Print parameters and memory, and stop.")
@click.option("--gpus", default=8, show_default=True, help="Devices a dry run counts for.")
def stage(recipe: str, **options: Any) -> None:
    """Train the stage RECIPE, a name or a .toml file, on instruction sets.

    Checkpoints and the log go to OUT, the finished model to OUT/model: score with it by
    `--model OUT/model`, or start the next stage from it.
    """
    from train.instruct.memory import config_of, plan_run, plan_text
    from vqa2cli.model.catalogue import find_model
    from vqa2cli.model.dimensions import NetworkConfig

    plain = options["model"] == SHAPE_7B
    if plain and not options["dry_run"]:
        raise UsageError("7b is a shape for --dry-run; name a model directory or a hub id")
    config = NetworkConfig() if plain else config_of(find_model(options["model"]).path)
    settings = settled(recipe, config, options)
    if options["dry_run"]:
        click.echo(plan_text(plan_run(settings, config, options["gpus"])))
        return
    _train(settings, options)


def settled(recipe: str, config: Any, options: Mapping[str, Any]) -> Any:
    """Return the recipe for a network's size, with what the options change.

    Raises:
        UsageError: there is no such recipe, or it is wrong.
    """
    from train.instruct.recipe import read_instruct, size_of

    size = size_of(config) if options["size"] == "auto" else options["size"]
    found = read_instruct(recipe, size)
    given = {name: options[name] for name in _OVER_FIT if options[name] is not None}
    found = replace(found, fit=replace(found.fit, **given))
    if options["lora"] is not None:
        found = replace(found, lora=replace(found.lora, rank=options["lora"]))
    return found.without_motion() if options["without_motion"] else found


def _train(settings: Any, options: Mapping[str, Any]) -> None:
    from train.instruct.run import Job, missing_stages, train_stage
    from vqa2cli.model.catalogue import find_model

    lacking = [name for name in ("data", "media", "out") if not options[name]]
    if lacking:
        raise UsageError(f"train {settings.name} needs --{', --'.join(lacking)}")
    stages = missing_stages(settings, find_model(options["model"]).path)
    if options["without_stage1"]:
        stages = [each for each in stages if not each.startswith("stage1")]
    if stages:
        click.echo(
            f"{settings.name} usually follows {', '.join(stages)}, of which {options['model']} "
            "has no record",
            err=True,
        )
    names = Job.__dataclass_fields__
    model = train_stage(settings, Job(**{name: options[name] for name in names}))
    click.echo(str(model))
