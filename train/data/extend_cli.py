"""`vqa2 data extend`: parse, tell what it would cost, ask, write."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from train.data.teaching_options import (
    TASKS,
    check_any,
    drawn,
    jobs_option,
    make_folder,
    report,
    shared_options,
    write_set,
)
from train.option_types import FILE, NEW_FOLDER
from vqa2cli.cli.exit_codes import OK

if TYPE_CHECKING:
    from train.data.depictions import Depiction
    from train.data.endpoint import EndpointSettings
    from train.data.extension import Estimate, Extended, ExtensionSettings


@click.command()
@click.option("--depictions", type=FILE, multiple=True, required=True, help="JSON lines.")
@click.option("--base-url", required=True, help="Endpoint, such as https://api.openai.com/v1.")
@click.option("--model", required=True, help="Model, as the endpoint calls it.")
@click.option(
    "--key-variable", default="OPENAI_API_KEY", show_default=True,
    help="Environment variable that holds the key.",
)  # fmt: skip
@click.option("--task", type=click.Choice(TASKS[:-1]), multiple=True, help="[default: all]")
@click.option("--cache", type=NEW_FOLDER, help="Where replies are kept.  [default: OUT/replies]")
@click.option("--per-minute", default=60.0, show_default=True, help="Most requests a minute.")
@click.option("--retries", default=5, show_default=True, help="Further tries after a failure.")
@click.option("--attempts", default=2, show_default=True, help="Questions until a good reply.")
@click.option("--timeout", "timeout_s", default=120.0, show_default=True, help="Seconds.")
@click.option("--max-tokens", default=1200, show_default=True, help="Longest reply.")
@click.option("--temperature", default=0.7, show_default=True, help="Of sampling; 0 is greedy.")
@click.option(
    "--form", type=click.Choice(("schema", "json", "text")), default="schema", show_default=True,
    help="How the endpoint is held to JSON: by a schema, by its JSON mode, or by words alone.",
)  # fmt: skip
@click.option("--price-in", type=float, help="Price of a million tokens sent.")
@click.option("--price-out", type=float, help="Price of a million tokens written.")
@click.option("--limit", default=0, show_default=True, help="Most depictions, drawn; 0 is all.")
@click.option("--dry-run", is_flag=True, help="Tell requests, tokens and cost; send nothing.")
@jobs_option
@shared_options("assistant")
def extend(
    depictions: tuple[Path, ...],
    media: Path,
    out: Path,
    cache: Path | None,
    task: tuple[str, ...],
    split: str | None,
    limit: int,
    seed: int,
    price_in: float | None,
    price_out: float | None,
    dry_run: bool,
    **options: Any,
) -> int:
    """Have a language model write pairs from depictions, through an OpenAI-compatible endpoint.

    Writes OUT/stage3-extended.json, and OUT/rejected.jsonl with every reply that was no good and
    why. Replies are kept, so a run that failed or was stopped goes on where it was. Only findings,
    scene, length and level are sent: no media, no names.
    """
    from train.data.depictions import read_depictions, unique_media
    from train.data.extension import ExtensionSettings, estimate

    found = [one for path in depictions for one in read_depictions(path)]
    chosen = drawn(unique_media(found), split, limit, seed)
    check_any(chosen)
    own = {name: options.pop(name) for name in ("attempts", "lead", "jobs")}
    settings = ExtensionSettings(
        media=media,
        cache=cache or out / "replies",
        endpoint=_endpoint_settings(options),
        tasks=task or TASKS[:-1],
        seed=seed,
        **own,
    )
    _tell_estimate(estimate(chosen, settings), price_in, price_out)
    return OK if dry_run else _extend(chosen, settings, out)


def _extend(chosen: list[Depiction], settings: ExtensionSettings, out: Path) -> int:
    """Ask, write, and tell."""
    from train.data.endpoint import Endpoint
    from train.data.extension import extend as run
    from train.data.extension import rejected_lines
    from train.data.files import write_whole
    from train.data.replies import reply_schema

    endpoint = Endpoint(settings.endpoint, reply_schema())
    try:
        result: Extended = run(chosen, settings, endpoint)
    finally:
        endpoint.close()
    make_folder(out)
    write_set(out / "stage3-extended.json", list(result.made.samples))
    write_whole(out / "rejected.jsonl", rejected_lines(result.rejected))
    click.echo(
        f"{result.asked} requests sent; the replies in use cost {result.tokens_in} tokens in and "
        f"{result.tokens_out} out; {len(result.rejected)} rejected",
        err=True,
    )
    return report(result.made, Counter(), out / "stage3-extended.missing.txt")


def _endpoint_settings(options: dict[str, Any]) -> EndpointSettings:
    from train.data.endpoint import EndpointSettings

    return EndpointSettings(**options)


def _tell_estimate(planned: Estimate, price_in: float | None, price_out: float | None) -> None:
    """Say what a run would send, before it sends anything."""
    click.echo(
        f"{planned.requests} depictions, {planned.kept} with a reply at hand, "
        f"{planned.requests - planned.kept} to ask: about {planned.tokens_in} tokens in, "
        f"{planned.tokens_out} out; {planned.cost_told(price_in, price_out)}"
    )
