"""From --policy and --gate to the rules of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vqa2cli.config import RunConfig

if TYPE_CHECKING:
    from vqa2cli.gates.rules import Rule


def rules_of(policy: Path | None, gates: Sequence[str], config: RunConfig) -> tuple[Rule, ...]:
    """Return the rules of a run, those of the policy first.

    Raises:
        UsageError: the policy or a rule cannot be used, or this run does not measure what a
            rule reads.
    """
    if policy is None and not gates:
        return ()
    from vqa2cli.gates.judging import check_answerable
    from vqa2cli.gates.policy import read_policy

    rules = read_policy(policy, gates).gates
    check_answerable(rules, config)
    return rules
