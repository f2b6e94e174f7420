"""Work that is done once: named tasks, spread over processes, journalled as JSON lines.

A killed run goes on where it stopped. The finished journal is sorted by name, so that the same
tasks leave the same bytes however many processes there were and however often they were killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from train.processes import processes
from vqa2cli.errors import UsageError, VideoError

#: A line of a journal: a JSON object whose "name" no other line has.
Line = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """Why the media of a task cannot be used."""

    reason: str


class Task(Protocol):
    """Something to make once; it crosses to another process."""

    @property
    def name(self) -> str:
        """Name, unique among the tasks of a journal."""
        ...

    def make(self) -> Line:
        """Make it and return its line, which holds its name.

        Raises:
            VideoError: its media cannot be used; other tasks go on.
        """
        ...


def read_journal(path: Path) -> list[Line]:
    """Return the lines of a journal, sorted by name; a last line cut off by a kill is left out.

    Raises:
        UsageError: it cannot be read, or a line is not one of a journal.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    whole, _, _cut_off = text.rpartition("\n")
    lines = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            record = json.loads(line)
            record["name"]
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{path}:{number}: not a line of a journal ({error})") from error
        lines.append(record)
    return sorted(lines, key=lambda record: str(record["name"]))


def make_missing(
    path: Path, tasks: Sequence[Task], jobs: int, *, label: str = "tasks"
) -> dict[str, str]:
    """Make every task that `path` has no line of yet, and append theirs.

    Returns:
        Why, for each task whose media cannot be used; it is tried again in the next run.

    Raises:
        UsageError: the journal cannot be read or written, or a task met a full disk.
        RuntimeError: a process died.
    """
    done = {str(line["name"]) for line in read_journal(path)} if path.exists() else set()
    missing = [task for task in tasks if task.name not in done]
    if path.exists():
        _write_sorted(path)  # also drops a line cut off by a kill
    failed: dict[str, str] = {}
    try:
        with path.open("a", encoding="utf-8") as journal, _bar(len(missing), label) as bar:
            for task, made in _made(missing, jobs):
                if isinstance(made, Refusal):
                    failed[task.name] = made.reason
                else:
                    journal.write(json.dumps(made, allow_nan=False) + "\n")
                    journal.flush()
                bar.update()
        _write_sorted(path)
    except OSError as error:
        raise UsageError(f"cannot write below {path.parent}: {error.strerror or error}") from error
    return dict(sorted(failed.items()))


def _bar(total: int, label: str) -> tqdm:
    return tqdm(total=total, desc=label, unit="clip", disable=None)


def _made(tasks: Sequence[Task], jobs: int) -> Iterator[tuple[Task, Line | Refusal]]:
    """Yield each task as it is done; one process is this one."""
    if jobs == 1 or len(tasks) < 2:
        yield from ((task, _outcome(task)) for task in tasks)
        return
    with processes(min(jobs, len(tasks))) as pool:
        running = {pool.submit(_outcome, task): task for task in tasks}
        try:
            for future in as_completed(running):
                yield running[future], future.result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "a process died while making clips (out of memory?); run again to go on, "
                "with fewer --jobs"
            ) from error


def _outcome(task: Task) -> Line | Refusal:
    try:
        return task.make()
    except VideoError as error:
        return Refusal(str(error))


def _write_sorted(path: Path) -> None:
    """Put the lines of a journal in order, whole or not at all."""
    text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in read_journal(path))
    partial = path.with_name(path.name + ".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
