"""Stage 2: scores to levels to question and answer, for pictures alone and for streaming.

Scores are scaled to 0-100 by the lowest and the highest score of their own set, then fall into
five levels of 20 points (paper, §3). The authors' published streaming pairs agree: the session
of Waterloo SQoE-I rated 48.609, of a set from 16.609 to 92.826, has `gt_score` 41.985 and is
"fair". They come once with each format of stall information, hence twice as many as sessions.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from train.data.choice import chosen
from train.data.instructions import Instructions
from train.data.looks import Missing, is_picture, look_at
from train.data.media_folder import MediaFolder
from train.data.rated_sets import Task
from train.data.ratings import Rating
from train.data.records import Provenance, Sample, Split, Turn
from train.data.stage2_settings import Ends, Stage2Settings
from vqa2cli.config import MAX_MOTION_FRAMES
from vqa2cli.errors import UsageError, VideoError
from vqa2cli.levels import level_of
from vqa2cli.model.prompts import stall_text
from vqa2cli.model.protocols import ScoringProtocol, find_protocol
from vqa2cli.video.stall_text import sequence_sentence

#: The scorers' own protocols (REFERENCE.md §0).
PROTOCOLS: Final[dict[Task, str]] = {"ugc": "ugc-2024", "streaming": "streaming-2024"}


def build_stage2(
    ratings: Sequence[Rating], media: Path | None, settings: Stage2Settings
) -> Instructions:
    """Return the pairs of every rating to train on whose medium is there.

    Args:
        ratings: whole sets, since their extremes are the ends of 0-100.
        media: folder of the media; None only with `keep_missing`.
        settings: see there.

    Raises:
        UsageError: the protocol gives no score, a set's scores are all the same, or see
            `train.data.choice.chosen`.
    """
    protocol = _protocol(settings)
    taken = chosen(ratings, settings.choice)
    ends = ends_of(ratings, taken.ratings, settings.ends)
    found, missing = _present(taken.ratings, media, settings)
    left_out = Counter(taken.left_out)
    samples: list[Sample] = []
    for rating, path in found:
        points = to_points(rating.mos, ends[rating.dataset])
        split = split_of(rating, settings)
        for text, name in _stalls(rating, settings, left_out):
            samples.append(_pair(rating, path, points, split, protocol, text, name))
    return Instructions(tuple(samples), missing, left_out)


def ends_of(
    ratings: Sequence[Rating], taken: Sequence[Rating], ends: Ends
) -> dict[str, tuple[float, float]]:
    """Return the scores that become 0 and 100 for each set that is taken from.

    Raises:
        UsageError: all scores of a set are the same, so that nothing lies between.
    """
    found: dict[str, tuple[float, float]] = {}
    for name in sorted({rating.dataset for rating in taken}):
        own = [rating for rating in ratings if rating.dataset == name]
        low, high = min(r.mos for r in own), max(r.mos for r in own)
        if ends == "scale":
            low, high = own[0].scale.low, own[0].scale.high
        if low == high:
            raise UsageError(
                f"{name}: every score is {low:g}, so that 0-100 has no ends; scale by the scale "
                "instead (--ends scale)"
            )
        found[name] = (low, high)
    return found


def to_points(mos: float, ends: tuple[float, float]) -> float:
    """Return a score on 0-100, where `ends` are the scores that become 0 and 100."""
    low, high = ends
    return min(max(100.0 * (mos - low) / (high - low), 0.0), 100.0)


def split_of(rating: Rating, settings: Stage2Settings) -> Split:
    """Return the split of a rating: the file's own, or drawn by its content."""
    if rating.split is not None:
        return rating.split
    digest = hashlib.sha256(f"{settings.seed}:{rating.content}".encode()).digest()
    drawn = int.from_bytes(digest[:8], "big") / 2**64
    return "val" if drawn < settings.val_share else "train"


def _protocol(settings: Stage2Settings) -> ScoringProtocol:
    protocol = find_protocol(settings.protocol or PROTOCOLS[settings.choice.task])
    if protocol.prefix is None:
        raise UsageError(f"protocol {protocol.name} gives no score; choose one that does")
    if settings.choice.task == "streaming" and not protocol.accepts_stalls:
        raise UsageError(
            f"protocol {protocol.name} has no place for stalls; choose streaming-2024 or mini-1"
        )
    return protocol


def _present(
    ratings: Sequence[Rating], media: Path | None, settings: Stage2Settings
) -> tuple[list[tuple[Rating, str]], tuple[Missing, ...]]:
    """Return the ratings whose medium can be used, each with its path, and the others."""
    folder = None if media is None else MediaFolder(media)
    found, missing = [], []
    for rating in ratings:
        try:
            found.append(_looked_up(rating, folder, settings))
        except (LookupError, VideoError) as error:
            missing.append(Missing(rating.media, str(error)))
            if settings.keep_missing:
                found.append((rating, _below(rating.media)))
    return found, tuple(missing)


def _looked_up(
    rating: Rating, folder: MediaFolder | None, settings: Stage2Settings
) -> tuple[Rating, str]:
    """Return a rating, its frame rate filled in, and the path of its medium.

    Raises:
        LookupError: it is not there, or is a picture.
        VideoError: it is broken.
    """
    if folder is None:
        raise LookupError("no media folder given")
    path = folder.find(rating.media)
    if is_picture(path):
        raise LookupError("a picture, not a clip")
    if not settings.probe:
        return rating, path
    facts = look_at(folder.folder / path)
    return replace(rating, fps=facts.fps), path


def _below(media: str) -> str:
    """Return a label's name as a path below a media folder yet to come."""
    parts = [part for part in PurePosixPath(media).parts if part not in {"/", ".."}]
    return str(PurePosixPath(*parts))


def _stalls(
    rating: Rating, settings: Stage2Settings, left_out: Counter[str]
) -> Iterator[tuple[str, str]]:
    """Yield the stall texts of a rating and what each is called; one without for UGC."""
    if settings.choice.task == "ugc":
        yield "", ""
        return
    if rating.stalls is None:
        left_out[f"{rating.dataset}: no stall information"] += 1
        return
    for form in settings.formats:
        if form == "summary":
            yield rating.stalls.summary(), form
        elif rating.fps is None:
            left_out[f"{rating.dataset}: no frame rate for a per-frame sequence"] += 1
        elif rating.stalls.length_s * rating.fps > MAX_MOTION_FRAMES:
            left_out[f"{rating.dataset}: per-frame sequence over {MAX_MOTION_FRAMES} digits"] += 1
        else:
            yield sequence_sentence(rating.stalls.per_frame(rating.fps)), form


def _pair(
    rating: Rating,
    media: str,
    points: float,
    split: Split,
    protocol: ScoringProtocol,
    stalls: str,
    form: str,
) -> Sample:
    question = protocol.user.format_map(
        {"facts": "", "stalls": stall_text(protocol, stalls), "question": ""}
    )
    answer = f"{protocol.prefix} {level_of(points)}."
    return Sample(
        id=f"{rating.dataset}:{rating.media}{f'#{form}' if form else ''}",
        media=media,
        kind="video",
        turns=(Turn("human", question), Turn("gpt", answer)),
        fps=rating.fps,
        gt_score=round(points, 4),
        provenance=Provenance(
            stage=2,
            task="streaming" if form else "ugc",
            dataset=rating.dataset,
            content=rating.content,
            split=split,
            source="human",
        ),
    )
