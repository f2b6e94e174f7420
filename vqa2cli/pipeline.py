"""Files in, assessments out: decode, see, score, pool, describe, in that order."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from vqa2cli.assessment import Assessment
from vqa2cli.batch import Clip, assess_all
from vqa2cli.clip_scorer import ClipScorer, frame_stalls
from vqa2cli.config import MAX_SECONDS, MIN_STALL_S, RunConfig
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.journal import open_journal
from vqa2cli.video.media import NO_PICTURES, ClipEvent, Closed, Sampling
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.stalling import Stalling
from vqa2cli.window_maker import sampling_of

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel


def score_files(
    files: Iterable[Clip], model: QualityModel, config: RunConfig | None = None
) -> Generator[Assessment, None, None]:
    """Yield the assessment of each file and of each rung of a playlist, in the order given.

    Up to `config.jobs` files are decoded ahead, each in its own process. A file that cannot be
    scored becomes a row with `error`; the others go on. Memory does not grow with a clip's
    length, except under `config.streaming` with a protocol that judges stalls, where a clip's
    windows wait as tokens until its stalls are known.

    Raises:
        UsageError: the model's protocol answers questions and gives no score, or the log of
            stalls cannot be used.
        MissingError: the model, the engine or the device fails altogether.
    """
    if model.protocol.answers:
        raise UsageError(
            f"protocol {model.protocol.name} answers questions and gives no score; "
            "choose another with --protocol"
        )
    settings = config or RunConfig()
    sampling = sampling_of(model, settings)

    def assess(file: str, events: Iterable[ClipEvent]) -> Assessment:
        started = perf_counter()
        scorer = ClipScorer(model, settings)
        for event in events:
            scorer.take(event)
        return scorer.finish(file, perf_counter() - started)

    with open_journal(settings, sampling, model.info) as journal:
        for row in assess_all(files, sampling, settings, assess, journal):
            yield replace(row, model=model.info)


def stall_files(
    files: Iterable[Clip], config: RunConfig | None = None
) -> Generator[Assessment, None, None]:
    """Yield stalls, facts and warnings of each file, in the order given; no model is loaded.

    Raises:
        UsageError: the log of stalls cannot be used.
    """
    settings = config or RunConfig()
    yield from assess_all(files, _stalls_only(settings.min_stall_s), settings, _stalls_of)


def find_stalls(
    path: str | Path, *, min_stall_s: float = MIN_STALL_S, max_seconds: float = MAX_SECONDS
) -> Stalling:
    """Return the stalls of one clip, found in its pixels and timestamps.

    Args:
        path: a video file.
        min_stall_s: shortest stall reported, seconds.
        max_seconds: wall-clock limit, seconds.

    Raises:
        VideoError: the file cannot be decoded.
    """
    with DecodePool(1, max_seconds) as pool:
        row = _stalls_of(str(path), pool.submit(Path(path), _stalls_only(min_stall_s)))
    assert row.stalling is not None  # the sampling asks for it
    return row.stalling


def score(
    path: str | Path, model: QualityModel | None = None, config: RunConfig | None = None
) -> Assessment:
    """Return the assessment of one clip.

    Args:
        path: a video file.
        model: what scores; None loads the one `config` names, so load it once for many clips.
        config: how; its defaults are those of the command line.

    Raises:
        VideoError: the file cannot be scored.
        UsageError: the model's protocol answers questions and gives no score.
        MissingError: the model, the engine or the device is missing or fails.
    """
    settings = config or RunConfig()
    (row,) = score_files([Path(path)], model or configured_model(settings), settings)
    if row.error is not None:
        raise VideoError(row.error.kind, f"{path}: {row.error.message}")
    return row


def configured_model(config: RunConfig) -> QualityModel:
    """Return the model `config` names, as it asks for it.

    Raises:
        UsageError: there is no such protocol.
        MissingError: the model, the engine or the device is missing.
    """
    from vqa2cli.model import load_model

    return load_model(
        config.model,
        device=config.device,
        precision=config.precision,
        engine=config.engine,
        protocol=config.protocol,
    )


def _stalls_only(min_stall_s: float) -> Sampling:
    """Return the sampling that looks for stalls and keeps one tiny picture of the clip."""
    return replace(NO_PICTURES, find_stalls=True, min_stall_s=min_stall_s)


def _stalls_of(file: str, events: Iterable[ClipEvent]) -> Assessment:
    """Return the assessment of a clip's stalls alone."""
    closed: Closed | None = None
    for event in events:
        if isinstance(event, Closed):
            closed = event
    if closed is None:
        raise VideoError("crashed", "decoding ended before the clip did")
    return Assessment(
        file=file,
        warnings=closed.warnings,
        media=closed.media,
        stalling=closed.stalling,
        frames=frame_stalls(closed),
    )
