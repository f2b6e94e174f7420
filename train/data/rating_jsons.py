"""Rated videos in JSON lists: the authors' rating lists, and VideoFeedback."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from train.data.json_lists import json_records
from train.data.ratings import Row
from vqa2cli.errors import UsageError

_MEDIA: Final = ("img_path", "video_path", "image", "video", "video_name", "id")
_SCORES: Final = ("mos", "gt_score", "visual quality")


def json_rows(path: Path, name: str) -> list[Row]:
    """Return the rows of a JSON list, or of one object a line.

    VideoFeedback rates five things; the one read is `visual quality`. Its clips are
    `<id>.mp4`. Its ratings come from one to three people and are whole numbers from 1 to 4.

    Raises:
        UsageError: it is not a list of objects that name a video and a score.
    """
    return [_row(path, line, record, name) for line, record in json_records(path)]


def _row(path: Path, line: int, record: Any, name: str) -> Row:
    if not isinstance(record, dict):
        raise UsageError(f"{path}, line {line}: expected an object")
    media = next((record[key] for key in _MEDIA if isinstance(record.get(key), str)), None)
    score = next((record[key] for key in _SCORES if record.get(key) is not None), None)
    if media is None or score is None:
        wanted = _MEDIA if media is None else _SCORES
        raise UsageError(f"{path}, line {line}: none of the keys {', '.join(wanted)}")
    try:
        mos = float(score)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}, line {line}: score {score!r} is no number") from error
    if not math.isfinite(mos):
        raise UsageError(f"{path}, line {line}: score {score} is not finite")
    dataset = "VideoFeedback" if "visual quality" in record else name
    return Row(line, media.replace("\\", "/"), mos, dataset)
