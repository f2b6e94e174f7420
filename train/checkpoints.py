"""Where a run that is resumed goes on.

The trainer's state is written last of a checkpoint, so one that has it is whole.
"""

from __future__ import annotations

import json
from pathlib import Path

from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR


def last_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that was written to its end, None if there is none."""
    whole = []
    for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
        try:
            state = json.loads((path / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
            whole.append((int(state["global_step"]), path))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(whole)[1] if whole else None


def has_ended(checkpoint: Path) -> bool:
    """Return whether the run behind a whole checkpoint had taken all of its steps."""
    state = json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    return int(state["global_step"]) >= int(state["max_steps"])
