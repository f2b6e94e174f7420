"""What a run tells while it trains: a bar on the terminal, a JSON line a step, TensorBoard."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from vqa2cli.errors import MissingError, UsageError

#: Where the lines go, in the folder of the run.
LOG_FILE = "log.jsonl"

#: Fields of transformers' records that are no measurement of a step.
_TOTALS = ("train_runtime", "total_flos")


class Watch(TrainerCallback):
    """One record a step in `log.jsonl`: step, epoch, loss, learning_rate, grad_norm, seconds.

    A resumed run cuts the records of steps it will do again, so that none is told twice.
    """

    def __init__(self, folder: Path, tensorboard: bool) -> None:
        """Prepare the writers of the main process.

        Raises:
            MissingError: TensorBoard records are asked for and their writer is not installed.
        """
        self._file = folder / LOG_FILE
        self._folder = folder
        self._board: Any = _board() if tensorboard else None
        self._bar: tqdm | None = None
        self._started = time.monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Cut old records and open the writers."""
        if not state.is_world_process_zero:
            self._board = None
            return
        self._keep_until(state.global_step)
        if self._board is not None:
            step = state.global_step or None  # hides what an interrupted run wrote beyond it
            self._board = self._board(str(self._folder / "tensorboard"), purge_step=step)
        self._bar = tqdm(
            total=state.max_steps,
            initial=state.global_step,
            desc="train",
            unit="step",
            disable=None,
            dynamic_ncols=True,
        )
        self._started = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write one record; the summary transformers gives at the end is left out."""
        if self._bar is None or logs is None or any(key in logs for key in _TOTALS):
            return
        seconds, self._started = time.monotonic() - self._started, time.monotonic()
        record = {"step": state.global_step, **logs, "seconds": round(seconds, 4)}
        try:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(record) + "\n")
        except OSError as error:
            raise UsageError(f"cannot write {self._file}: {error.strerror or error}") from error
        for key, value in logs.items() if self._board is not None else ():
            self._board.add_scalar(f"train/{key}", value, state.global_step)
        self._bar.update(state.global_step - self._bar.n)
        self._bar.set_postfix(loss=f"{logs['loss']:.4f}")

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Close the bar and the writers."""
        self.close()

    def close(self) -> None:
        """Close what is open, also where training ended early. Safe to call twice."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            if self._board is not None:
                self._board.close()

    def _keep_until(self, step: int) -> None:
        if self._file.is_file():
            lines = self._file.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if line.endswith("\n") and _step(line) <= step]
            self._file.write_text("".join(kept) if step else "", encoding="utf-8")


def read_log(folder: Path) -> list[dict[str, float]]:
    """Return the records of a run, one a step."""
    text = (folder / LOG_FILE).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _step(line: str) -> int:
    return int(json.loads(line)["step"])


def _board() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise MissingError(
            "TensorBoard records need tensorboardX; pip install 'vqa2[train]', or set "
            "tensorboard = false in the recipe's [fit]"
        ) from error
    return SummaryWriter
