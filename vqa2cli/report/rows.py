"""The record of one file (schema version 1), and its flat form for CSV.

docs/report.md explains every key; a test holds the two together.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from vqa2cli.assessment import Assessment, SessionVerdict, Timing
from vqa2cli.config import SCHEMA_VERSION
from vqa2cli.levels import LEVELS
from vqa2cli.report.plain_text import storable
from vqa2cli.video.stalling import Stalling

#: A JSON object: only str, int, finite float, bool, None, lists and objects.
Record = dict[str, Any]

_POOLED = ("mean", "min", "max", "harmonic_mean", "median", "stddev", "perc1", "perc5", "perc10")
_MEDIA = (
    "width",
    "height",
    "avg_frame_rate",
    "duration",
    "bit_rate",
    "codec_name",
    "pix_fmt",
    "color_transfer",
    "rotation",
    "nb_frames_decoded",
    "mean_quantizer",
)
_STALLING = (
    "rebuffer_number",
    "rebuffer_duration_sec",
    "stall_ratio",
    "initial_buffering_sec",
    "time_since_last_stall_sec",
    "summary",
    "source",
)
_SESSION = ("with_stalls", "without_stalls", "stall_cost", "weighed_by")
_DECLARED = ("bandwidth", "average_bandwidth", "width", "height", "frame_rate", "codecs")
_STALL_LOG = ("file", "format", "recorded", "matched", "differences", "notes")
_MODEL = ("name", "revision", "sha256", "protocol", "device", "engine", "precision")
_TIMING = ("decode_s", "motion_s", "vision_s", "llm_s", "total_s")

#: CSV columns in order, and where each stands in the record. Lists are cells of JSON text.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "schema_version": ("schema_version",),
    "file": ("file",),
    "status": ("status",),
    "error_kind": ("error", "kind"),
    "error_message": ("error", "message"),
    "warnings": ("warnings",),
    "score": ("score", "value"),
    "level": ("score", "level"),
    **{f"prob_{word}": ("score", "probs", word) for word in LEVELS},
    "level_mass": ("score", "level_mass"),
    "reference_score": ("score", "reference_score"),
    **{f"vqa2_{name}": ("pooled_metrics", "vqa2", name) for name in _POOLED},
    "segments": ("segments",),
    **{f"stalling_{name}": ("stalling", name) for name in _STALLING},
    "stalling_events": ("stalling", "events"),
    **{f"stalling_log_{name}": ("stalling", "log", name) for name in _STALL_LOG},
    **{f"session_{name}": ("session", name) for name in _SESSION},
    "diagnostics_text": ("diagnostics", "text"),
    "diagnostics_findings": ("diagnostics", "findings"),
    "gates": ("gates",),
    **{f"media_{name}": ("media", name) for name in _MEDIA},
    **{f"declared_{name}": ("declared", name) for name in _DECLARED},
    **{f"model_{name}": ("model", name) for name in _MODEL},
    **{f"timing_{name}": ("timing", name) for name in _TIMING},
}


def record_of(row: Assessment) -> Record:
    """Return the report record of `row`.

    Every number is finite; one that was not is None and named in `warnings`. No string holds
    a lone surrogate.
    """
    record: Record = {
        "schema_version": SCHEMA_VERSION,
        "file": row.file,
        "status": row.status,
        "error": asdict(row.error) if row.error else None,
        "warnings": [],
        "media": asdict(row.media) if row.media else None,
        "declared": asdict(row.declared) if row.declared else None,
        "model": asdict(row.model) if row.model else None,
        "score": asdict(row.score) if row.score else None,
        "segments": [asdict(segment) for segment in row.segments],
        "pooled_metrics": {"vqa2": asdict(row.pooled)} if row.pooled else None,
        "stalling": _stalling(row.stalling, row.session) if row.stalling else None,
        "session": _session(row.session) if row.session else None,
        "diagnostics": asdict(row.diagnostics) if row.diagnostics else None,
        "gates": [asdict(gate) for gate in row.gates],
        "timing": _timing(row.timing) if row.timing else None,
    }
    return _strict(record, row.warnings)


def stall_record(row: Assessment) -> Record:
    """Return the short record of `vqa2 stalls`: the file, whether it was read, its stalls."""
    record: Record = {
        "file": row.file,
        "status": row.status,
        "error": asdict(row.error) if row.error else None,
        "warnings": [],
        "stalling": _stalling(row.stalling, None) if row.stalling else None,
    }
    return _strict(record, row.warnings)


def strict_record(record: Record) -> Record:
    """Return `record` as strict JSON values; a number that is not finite becomes None."""
    return {key: _value(value, key, []) for key, value in record.items()}


def flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return one CSV row, column to cell; what the record holds as null is None.

    `warnings` are joined by `; `; other lists are compact JSON.
    """
    row = {column: _at(record, path) for column, path in COLUMNS.items()}
    row["warnings"] = "; ".join(record["warnings"])
    return {
        column: compact_json(cell) if isinstance(cell, list) else cell
        for column, cell in row.items()
    }


def compact_json(value: Any) -> str:
    """Return strict JSON on one line, ASCII only.

    Raises:
        ValueError: a number in `value` is not finite.
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _at(record: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        if record is None:
            return None
        record = record[key]
    return record


def _stalling(stalling: Stalling, session: SessionVerdict | None) -> Record:
    """Return `stalling` with the derived length of every event, and its cost where weighed."""
    costs = session.costs if session else (None,) * len(stalling.events)
    events = [
        {"start": event.start, "end": event.end, "duration": event.duration}
        | asdict(event)
        | {"cost": cost}
        for event, cost in zip(stalling.events, costs, strict=True)
    ]
    return {**asdict(stalling), "events": events}


def _session(session: SessionVerdict) -> Record:
    return {
        "with_stalls": session.with_stalls,
        "without_stalls": session.without_stalls,
        "stall_cost": session.without_stalls - session.with_stalls,
        "weighed_by": session.weighed_by,
    }


def _timing(timing: Timing) -> Record:
    return {name: round(seconds, 4) for name, seconds in asdict(timing).items()}


def _strict(record: Record, warnings: tuple[str, ...]) -> Record:
    """Return `record` as strict JSON values, its `warnings` naming each number lost."""
    lost: list[str] = []
    clean: Record = {key: _value(value, key, lost) for key, value in record.items()}
    told = [*warnings, *(f"{where} was not a finite number and is null" for where in lost)]
    clean["warnings"] = [storable(warning) for warning in told]
    return clean


def _value(value: Any, where: str, lost: list[str]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return {str(key): _value(item, f"{where}.{key}", lost) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_value(item, f"{where}[{index}]", lost) for index, item in enumerate(value)]
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and not math.isfinite(value):
        lost.append(where)
        return None
    return value
