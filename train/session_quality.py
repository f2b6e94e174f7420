"""Quality of a session's spans over time, from whatever a table of rated sessions tells of it.

VMAF is taken as it is. Where a table has none, quality is estimated, and the session says so:
from P.1203's video quality, from the encode of each rung, or from PSNR. A table that tells
nothing of quality gives one constant, so that only its stalls count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from vqa2cli.session import Window

#: What the quality of a session rests on.
Source = Literal["vmaf", "p1203", "encode", "psnr", "none"]

#: A part of a table of chunks: column names and rows.
Chunks = Mapping[str, Any]

#: VMAF = 2.275 PSNR - 23.74: least squares over the 880 sessions of Waterloo SQoE-I, -II and
#: LIVE-NFLX-I that tell both (correlation 0.65).
_VMAF_PER_DB, _VMAF_AT_0_DB = 2.275, -23.74

#: Quality where a table tells nothing of it: that of a good stream.
_UNKNOWN: Final = 80.0

#: P.1203's video quality (1-5) by bitrate and height: 1 + 4 / (1 + exp(-x)), with x these times
#: 1, ln(Mbit/s), ln(height / 720), their product, and both squares. Fitted by least squares on
#: the seconds of the open P.1203 sets that tell all three (correlation 0.999).
_ENCODE = (0.716, 0.271, 1.833, -0.111, 0.032, -1.132)

#: H.265 and VP9 need that much less than H.264 for the same quality, about.
_NEWER_CODEC = 1.7

#: Bits a pixel taken for a rung that was coded at constant quality and tells no bitrate.
_BITS_PER_PIXEL = 0.08

_FPS = 25.0
_WIDTH_BY_HEIGHT = 16 / 9

#: Display height, lines: what a rung has beyond it is not seen.
_DISPLAY_HEIGHT = 1080.0


def windows_of(
    chunks: Chunks | None, session: Mapping[str, str], duration_s: float
) -> tuple[list[Window], Source]:
    """Return the windows of a session and what their quality rests on.

    Args:
        chunks: its part of the chunk table, None where there is none.
        session: its row of the session table.
        duration_s: length of the media, seconds.

    Raises:
        ValueError: a number is malformed or out of its range; the message says which.
    """
    whole = [Window(0.0, duration_s, _UNKNOWN)]
    if vmaf := _column(chunks, "vmaf", duration_s, _vmaf):
        return vmaf, "vmaf"
    if (told := _number(session.get("vmaf"))) is not None:
        return [replace(whole[0], score=_vmaf(told))], "vmaf"
    if p1203 := _column(chunks, "O22", duration_s, lambda mos: 25.0 * (mos - 1.0)):
        return p1203, "p1203"
    if chunks and {"bitrate_or_crf", "height", "dur_s"} <= set(chunks["columns"]):
        return _rungs(chunks), "encode"
    if (told := _number(session.get("psnr"))) is not None:
        return [replace(whole[0], score=_clipped(_VMAF_PER_DB * told + _VMAF_AT_0_DB))], "psnr"
    return whole, "none"


def _number(told: Any) -> float | None:
    """Return a number, None where the cell is empty or says that there is none.

    Raises:
        ValueError: it is something else.
    """
    if told is None or str(told).strip().lower() in {"", "nan", "none", "null", "na"}:
        return None
    return float(told)


def _vmaf(value: float) -> float:
    """Return a VMAF within its scale; models that do not clip reach a little beyond it.

    Raises:
        ValueError: it is far off the scale.
    """
    if not -10 <= value <= 110:
        raise ValueError(f"VMAF {value:g}; it must be from 0 to 100")
    return _clipped(value)


def _column(
    chunks: Chunks | None, start: str, duration_s: float, quality: Callable[[float], float]
) -> list[Window]:
    """Return a window a row that tells the first column beginning with `start`, or none."""
    names = list(chunks["columns"]) if chunks else []
    column = next((name for name in names if name.startswith(start)), None)
    if chunks is None or column is None:
        return []
    values = [_number(row[names.index(column)]) for row in chunks["rows"]]
    told = [None if value is None else quality(value) for value in values]
    return _in_turn(_lengths(chunks, column, duration_s), told)


def _lengths(chunks: Chunks, column: str, duration_s: float) -> list[float]:
    """Return the seconds of each row: told, one where the column says so, or an equal part."""
    names, count = list(chunks["columns"]), len(chunks["rows"])
    if "chunk_duration" in names:
        at = names.index("chunk_duration")
        return [float(row[at]) for row in chunks["rows"]]
    return [1.0 if column.endswith("_1s") else duration_s / count] * count


def _in_turn(lengths_s: Sequence[float], scores: Sequence[float | None]) -> list[Window]:
    """Return the windows one after another; one without a score leaves a hole."""
    windows, start = [], 0.0
    for length_s, score in zip(lengths_s, scores, strict=True):
        if score is not None:
            windows.append(Window(start, start + length_s, score))
        start += length_s
    return windows


def _rungs(chunks: Chunks) -> list[Window]:
    """Return a window a rung, its quality estimated from height, bitrate and codec."""
    names = list(chunks["columns"])
    rows = [dict(zip(names, row, strict=True)) for row in chunks["rows"]]
    qualities = [_encode_quality(row) for row in rows]
    return _in_turn([float(row["dur_s"]) for row in rows], qualities)


def _encode_quality(rung: Mapping[str, Any]) -> float:
    height = float(rung["height"])
    newer = 1.0 if rung["codec"] == "h264" else _NEWER_CODEC
    told = str(rung["bitrate_or_crf"])
    if told in {"None", ""}:
        pixels = height * height * _WIDTH_BY_HEIGHT
        kbps = _BITS_PER_PIXEL * pixels * _FPS / 1000
    else:
        kbps = float(told)
    seen = min(height, _DISPLAY_HEIGHT)
    rate = math.log(newer * kbps * (seen / height) ** 1.5 / 1000)
    size = math.log(seen / 720)
    terms = (1.0, rate, size, rate * size, rate**2, size**2)
    x = sum(factor * term for factor, term in zip(_ENCODE, terms, strict=True))
    return 100 / (1 + math.exp(-x))


def _clipped(score: float) -> float:
    return min(max(score, 0.0), 100.0)
