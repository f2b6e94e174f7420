"""One instruction stage from files to a model directory: check, decode, train, write."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from train.checkpoints import has_ended, last_checkpoint
from train.data.files import write_whole
from train.data.records import Sample, read_samples
from train.instruct.dataset import Conversations, check_media, named
from train.instruct.looks import LookStore, Refused
from train.instruct.lora import add_adapters
from train.instruct.parts import drop_head, set_trainable
from train.instruct.publish import Publisher
from train.instruct.recipe import InstructRecipe, sampling_of
from train.instruct.task import InstructTask, recompute_layers
from train.instruct.trainer import (
    InstructTrainer,
    Sharding,
    training_arguments,
)
from train.instruct.watch import Watch
from vqa2cli.errors import UsageError
from vqa2cli.model.catalogue import ModelSource, default_protocol, find_model
from vqa2cli.model.checkpoint import read_json
from vqa2cli.model.devices import multiplies_bfloat16
from vqa2cli.model.network import Vqa2Network
from vqa2cli.model.prompts import Prompter
from vqa2cli.model.protocols import find_protocol
from vqa2cli.model.weights import load_network

logger = logging.getLogger(__name__)

#: The finished model, in the folder of a run, and the record of how it came about within it.
MODEL_FOLDER, RECORD_FILE = "model", "training.json"

#: What a run was started with; one that is resumed must be the same.
RUN_FILE = "run.json"

#: Settings that may change when a run is resumed: they do not reach the weights.
_FREE = ("workers", "save_every", "keep", "tensorboard", "save_dtype")

#: Gigabytes of pictures kept on disk unless told otherwise.
CACHE_GB = 20.0


@dataclass(frozen=True)
class Job:
    """Where a stage reads and writes, and what it is forgiven.

    Attributes:
        data: instruction sets, taken together.
        model: name, directory or hub id of the model to start from.
        cache: folder of decoded pictures; None is one inside `out`.
        skip_missing: leave out samples whose media are missing or broken, and say how many.
    """

    data: tuple[Path, ...]
    media: Path
    model: str
    out: Path
    cache: Path | None = None
    cache_gb: float = CACHE_GB
    jobs: int = 1
    device: str = "auto"
    sharding: Sharding = "none"
    resume: bool = False
    skip_missing: bool = False


def train_stage(recipe: InstructRecipe, job: Job) -> Path:
    """Train one stage and return the finished model directory.

    Killed at any point, it goes on with `resume` from the last whole checkpoint, and ends with
    the same weights, to the last bit on a CPU, as if it had not been. A run that had ended is not
    trained on; sharded and killed between its last step and its model, it takes a step more.

    Raises:
        UsageError: media are missing or broken, samples do not fit, the folder holds another
            run, or the disk is full.
        ModelError: the model to start from cannot be loaded.
    """
    samples = gather(recipe, job)
    source = find_model(job.model)
    checkpoint = _claim(recipe, job, source, samples)
    model = job.out / MODEL_FOLDER
    ended = checkpoint is not None and has_ended(checkpoint)
    if ended and (model / RECORD_FILE).is_file():
        return model
    arguments = training_arguments(recipe.fit, job.out, device=job.device, sharding=job.sharding)
    if recipe.fit.precision == "bf16" and not multiplies_bfloat16(arguments.device.type):
        logger.warning(
            "this processor does not multiply bfloat16: --precision fp32 is many times as fast"
        )
    loaded = load_network(source.path)
    network = renamed(drop_head(loaded.network), source, recipe)
    recipe = _within(recipe, network.config.language.max_position_embeddings)
    publisher = Publisher.of(network, loaded.checkpoint)
    prompter = Prompter.from_directory(source.path, find_protocol(network.config.protocol))
    looks = LookStore(
        job.cache or job.out / "looks",
        job.media,
        sampling_of(recipe.look, network.config),
        int(job.cache_gb * 1e9),
    )
    with arguments.main_process_first(local=True, desc="decode"):
        samples = _decodable(samples, looks.fill((each.media for each in samples), job.jobs), job)
    looks = replace_index(looks)
    dataset = Conversations(samples, looks, prompter, recipe, network.config.tokens_per_keyframe)
    dataset.check()
    task = prepare_task(network, recipe, touch_all=arguments.world_size > 1)
    watch = Watch(job.out, recipe.fit.tensorboard)
    trainer = InstructTrainer(task, dataset, arguments, publisher, watch)
    try:
        if checkpoint is not None and ended and job.sharding == "none":
            trainer.take_up(checkpoint)
        else:
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    finally:
        watch.close()
    if trainer.finish(model) is not None:
        record = _record(recipe, job, source, len(samples), trainer.state.global_step)
        write_whole(model / RECORD_FILE, json.dumps(record, indent=1) + "\n")
    return model


def prepare_task(
    network: Vqa2Network, recipe: InstructRecipe, *, touch_all: bool = False
) -> InstructTask:
    """Return a network as a recipe trains it: parts, adapters, batch norms, recomputation."""
    set_trainable(network, recipe.parts)
    if recipe.lora.rank and "language" in recipe.parts:
        add_adapters(network, recipe.lora, recipe.fit.seed)
    frozen = recipe.fit.norms == "frozen" or "slowfast" not in recipe.parts
    network.slowfast.freeze_norms(frozen)
    if recipe.fit.checkpointing:
        recompute_layers(network)
    return InstructTask(network, touch_all=touch_all and recipe.motion)


def gather(recipe: InstructRecipe, job: Job) -> list[Sample]:
    """Return the samples of all sets, their media seen to be there.

    Raises:
        UsageError: there are none, some are of a kind the recipe does not train on, or media
            are missing.
    """
    every = [each for path in job.data for each in read_samples(path, seed=recipe.fit.seed)]
    samples = [each for each in every if each.provenance.split in (None, "train")]
    _left_out(len(every) - len(samples), "they are of a split to evaluate on")
    if not samples:
        raise UsageError(f"no samples to train on in {', '.join(str(each) for each in job.data)}")
    foreign = [sample.id for sample in samples if sample.kind not in recipe.media]
    if foreign:
        raise UsageError(
            f"{len(foreign)} of {len(samples)} samples are no {' or '.join(recipe.media)}, which "
            f"is what {recipe.name} trains on: {named(foreign)}"
        )
    if job.skip_missing:
        kept = [sample for sample in samples if (job.media / sample.media).is_file()]
        _left_out(len(samples) - len(kept), "their media are missing")
        samples = kept
    check_media(samples, job.media)
    return samples


def lineage(model: Path) -> list[dict[str, Any]]:
    """Return the stages a model came through, oldest first; none where nothing tells."""
    path = model / RECORD_FILE
    return list(read_json(path).get("lineage", [])) if path.is_file() else []


def renamed(network: Vqa2Network, source: ModelSource, recipe: InstructRecipe) -> Vqa2Network:
    """Return the network under a name of its own, asked as the model it comes from is."""
    config = network.config
    base = config.name or source.name
    protocol = default_protocol(source, config.protocol)
    network.config = replace(config, name=f"{base}+{recipe.name}", revision="", protocol=protocol)
    return network


def replace_index(looks: LookStore) -> LookStore:
    """Return the store with the index as it lies on disk now, written by another process."""
    return LookStore(looks.folder, looks.media, looks.sampling, looks.limit)


def _within(recipe: InstructRecipe, positions: int) -> InstructRecipe:
    """Return the recipe with no conversation longer than the language model's positions."""
    look = recipe.look
    return replace(recipe, look=replace(look, max_tokens=min(look.max_tokens, positions)))


def _decodable(samples: list[Sample], refused: Sequence[Refused], job: Job) -> list[Sample]:
    if not refused:
        return samples
    reasons = [f"{each.media} ({each.reason})" for each in refused]
    if not job.skip_missing:
        raise UsageError(
            f"{len(refused)} media files cannot be decoded: {named(reasons)}; replace them, or "
            "leave them out with --skip-missing"
        )
    broken = {each.media for each in refused}
    kept = [sample for sample in samples if sample.media not in broken]
    _left_out(len(samples) - len(kept), f"their media cannot be decoded: {named(reasons)}")
    if not kept:
        raise UsageError("no sample is left: none of the media can be decoded")
    return kept


def _left_out(count: int, why: str) -> None:
    if count:
        logger.warning("%d samples are left out: %s", count, why)


def _claim(
    recipe: InstructRecipe, job: Job, source: ModelSource, samples: Sequence[Sample]
) -> Path | None:
    """Return the checkpoint to go on from, and write down what this run is.

    Raises:
        UsageError: the folder holds a run and this is no resumption of it, or of another run.
    """
    how = json.loads(json.dumps(asdict(recipe)))
    how["fit"] = {key: value for key, value in how["fit"].items() if key not in _FREE}
    told = {
        "recipe": how,
        "data": hashlib.sha256("\n".join(map(repr, samples)).encode()).hexdigest(),
        "model": source.name,
    }
    path = job.out / RUN_FILE
    checkpoint = last_checkpoint(job.out)
    if path.is_file() and job.resume:
        before = read_json(path)
        changed = [key for key in told if before.get(key) != told[key]]
        if changed:
            raise UsageError(
                f"{job.out} holds a run with another {' and '.join(changed)}; give the same, or "
                "choose another --out"
            )
        return checkpoint
    if checkpoint is not None:
        raise UsageError(
            f"{job.out} holds a run already ({checkpoint.name}); go on with --resume, or choose "
            "another --out"
        )
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {job.out}: {error.strerror or error}") from error
    write_whole(path, json.dumps(told, indent=1) + "\n")
    return None


def _record(
    recipe: InstructRecipe, job: Job, source: ModelSource, samples: int, steps: int
) -> dict[str, Any]:
    stage = {
        "recipe": recipe.name,
        "samples": samples,
        "steps": steps,
        "motion": recipe.motion,
        "settings": asdict(recipe.fit),
        "look": asdict(recipe.look),
        "lora": asdict(recipe.lora),
        "data": [path.name for path in job.data],
        "torch": str(torch.__version__),
    }
    return {"from": source.name, "lineage": [*lineage(source.path), stage]}


def missing_stages(recipe: InstructRecipe, model: Path) -> list[str]:
    """Return the stages a recipe follows that a model's record does not tell of."""
    done = {str(stage["recipe"]) for stage in lineage(model)}
    return [stage for stage in recipe.after if stage not in done]
