"""Thresholds and actions that a policy sets for checks of a ladder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

from vqa2cli.errors import UsageError
from vqa2cli.gates.names import nearest
from vqa2cli.ladder.findings import Action

_KEYS: Final = ("threshold", "action")


@dataclass(frozen=True)
class Setting:
    """What a policy says of one check; None leaves the default."""

    threshold: float | None = None
    action: Action | None = None


def settings_of(table: Mapping[str, Any], known: Iterable[str]) -> dict[str, Setting]:
    """Return the settings that the `ladder` table of a policy makes, by id of the check.

    Raises:
        UsageError: it names no known check or key, or a value is of another kind.
    """
    ids = tuple(known)
    found = {}
    for check, told in table.items():
        if check not in ids:
            raise UsageError(f"policy: no check {check}{nearest(check, ids)}")
        if not isinstance(told, dict):
            raise UsageError(f"policy: ladder.{check} must be a table with threshold or action")
        found[check] = _setting(f"ladder.{check}", told)
    return found


def _setting(where: str, table: Mapping[str, Any]) -> Setting:
    for key in table:
        if key not in _KEYS:
            raise UsageError(f"policy: {where} has no key {key}{nearest(key, _KEYS)}")
    threshold, action = table.get("threshold"), table.get("action")
    if threshold is not None and not _is_number(threshold):
        raise UsageError(f"policy: {where}.threshold must be a number, found {threshold!r}")
    if action is not None and action not in get_args(Action):
        raise UsageError(
            f"policy: {where}.action must be one of {', '.join(get_args(Action))}, found {action!r}"
        )
    return Setting(None if threshold is None else float(threshold), cast("Action | None", action))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
