"""Which code a run ends with."""

from __future__ import annotations

from typing import Final

OK: Final = 0
GATE_FAILED: Final = 1
UNSCORED: Final = 3


def exit_code(*, unscored: bool, gate_failed: bool, keep_going: bool = False) -> int:
    """Return the exit code of a run over files.

    A file that could not be read outweighs a failed gate, because a gate on incomplete data
    decides nothing; `keep_going` turns that round.
    """
    if unscored and not (gate_failed and keep_going):
        return UNSCORED
    return GATE_FAILED if gate_failed else OK
