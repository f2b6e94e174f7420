"""Rated videos in MATLAB files: LIVE-VQC, LIVE-Qualcomm, and LIVE-NFLX-II with its stalls.

LIVE-VQC: `video_list` (names) and `mos`. LIVE-Qualcomm: `qualcommSubjectiveData.unBiasedMOS`
and `qualcommVideoData.vidNames`, with `distortionType` (from 1) into `distortionNames`, which
are the folders the videos lie in. LIVE-NFLX-II: a file a session with `distorted_mp4_video`,
`content_name`, `retrospective_zscored_mos`, `frame_rate` and `is_rebuffered_bool` (its README).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from train.data.ratings import Row, StallTrace
from vqa2cli.errors import UsageError

_SESSION_KEYS: Final = ("retrospective_zscored_mos", "is_rebuffered_bool", "frame_rate")


def mat_rows(path: Path, name: str) -> list[Row]:
    """Return the rows of one MATLAB file.

    Raises:
        UsageError: it cannot be read, or holds none of the structures of this module.
    """
    found = _load(path)
    if "qualcommSubjectiveData" in found:
        return _qualcomm(path, found)
    if "video_list" in found and "mos" in found:
        names = [str(item) for item in np.ravel(found["video_list"])]
        return _paired(path, names, np.ravel(found["mos"]), "LIVE-VQC")
    if _SESSION_KEYS[0] in found:
        return [_session(path, found, name)]
    raise UsageError(
        f"{path}: none of the structures we know (found: {', '.join(sorted(found)) or 'nothing'})"
    )


def session_rows(folder: Path, name: str) -> list[Row]:
    """Return one row for each session of LIVE-NFLX-II, by file name.

    Raises:
        UsageError: the folder holds no .mat file, or one of them is no session.
    """
    files = sorted(folder.glob("*.mat"))
    if not files:
        raise UsageError(f"{folder}: neither .mat files nor streaming_logs in it")
    return [_session(file, _load(file), name) for file in files]


def _load(path: Path) -> dict[str, Any]:
    from scipy.io import loadmat

    try:
        found = loadmat(path, squeeze_me=True, struct_as_record=False)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except NotImplementedError as error:
        raise UsageError(f"{path}: MATLAB 7.3; save it again with -v7") from error
    except (ValueError, TypeError, KeyError, IndexError, EOFError) as error:
        raise UsageError(f"{path}: not a MATLAB file ({error})") from error
    return {key: value for key, value in found.items() if not key.startswith("__")}


def _qualcomm(path: Path, found: dict[str, Any]) -> list[Row]:
    try:
        scores = np.ravel(found["qualcommSubjectiveData"].unBiasedMOS)
        videos = found["qualcommVideoData"]
        folders = [str(item) for item in np.ravel(videos.distortionNames)]
        kinds = np.ravel(videos.distortionType).astype(int)
        names = [
            f"{folders[kind - 1]}/{name}"
            for kind, name in zip(kinds, np.ravel(videos.vidNames), strict=True)
        ]
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise UsageError(f"{path}: not LIVE-Qualcomm's structures ({error})") from error
    return _paired(path, names, scores, "LIVE-Qualcomm")


def _paired(path: Path, names: list[str], scores: NDArray[Any], dataset: str) -> list[Row]:
    if len(names) != len(scores):
        raise UsageError(f"{path}: {len(names)} names but {len(scores)} scores")
    return [
        Row(number, name, _finite(path, name, mos), dataset)
        for number, (name, mos) in enumerate(zip(names, scores, strict=True), 1)
    ]


def _session(path: Path, found: dict[str, Any], name: str) -> Row:
    lacking = [key for key in _SESSION_KEYS if key not in found]
    if lacking:
        raise UsageError(f"{path}: no session of LIVE-NFLX-II (without {', '.join(lacking)})")
    media = str(found.get("distorted_mp4_video", f"{path.stem}.mp4"))
    fps = _finite(path, media, found["frame_rate"])
    flags = np.ravel(found["is_rebuffered_bool"]).astype(bool)
    try:
        stalls = trace_of(flags, fps)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"{path}: no stall trace ({error})") from error
    return Row(
        line=1,
        media=media,
        mos=_finite(path, media, found["retrospective_zscored_mos"]),
        dataset=name if name.startswith("LIVE-NFLX") else "LIVE-NFLX-II",
        content=str(found.get("content_name", "")),
        fps=fps,
        stalls=stalls,
    )


def trace_of(stalled: NDArray[np.bool_], fps: float) -> StallTrace:
    """Return the trace of a per-frame sequence, true where the picture stood.

    Raises:
        ValueError: no frame of it moved.
    """
    events = tuple(_runs(stalled, fps))
    return StallTrace(float(np.count_nonzero(~stalled)) / fps, events)


def _runs(stalled: NDArray[np.bool_], fps: float) -> Iterator[tuple[float, float]]:
    """Yield (position on the media clock, length) of each run of true, seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], stalled.astype(np.int8), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield float(np.count_nonzero(~stalled[:start])) / fps, float(end - start) / fps


def _finite(path: Path, name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {name} has no number for a score or rate") from error
    if not np.isfinite(number):
        raise UsageError(f"{path}: {name} has a score or rate that is not finite")
    return number
