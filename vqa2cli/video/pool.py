"""Decode in child processes: a file that crashes or hangs its decoder costs one row.

A child is a fresh interpreter (no fork beside a GPU library; `worker`) and serves many files one
after the other. What it decodes runs ahead of the consumer until `QUEUE_BYTES` wait.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from vqa2cli.config import MAX_SECONDS
from vqa2cli.errors import VideoError
from vqa2cli.video.media import ClipEvent, Closed, Sampling
from vqa2cli.video.sources import Source, source_fields
from vqa2cli.video.wire import (
    Message,
    event_of,
    read_message,
    sampling_fields,
    write_message,
)

#: Decoded pictures of one file that may wait for the consumer, bytes.
QUEUE_BYTES = 16 * 2**20

#: Seconds a child may outlive its file's limit: it notices by itself unless it hangs.
GRACE_S = 2.0

#: Starts a child without putting the current folder on its path, as `-m` would: a stray
#: `json.py` beside the clips must not run.
_CHILD = (
    sys.executable,
    "-P",
    "-c",
    "import sys; sys.path.append(sys.argv[1]); from vqa2cli.video.worker import serve; serve()",
    str(Path(__file__).resolve().parents[2]),
)


class DecodeJob:
    """One file being decoded. Iterate over it once for its events."""

    def __init__(self, source: Source, sampling: Sampling, pool: DecodePool) -> None:
        self.source, self.sampling, self._pool = source, sampling, pool
        self._changed = threading.Condition()
        self._waiting: deque[tuple[ClipEvent | VideoError, int]] = deque()
        self._bytes = 0
        self._dropped = self._taken = False

    def __iter__(self) -> Iterator[ClipEvent]:
        """Yield the events of the file, as `decode_clip` would.

        Raises:
            VideoError: the file cannot be scored, its decoder crashed or took too long.
            ValueError: the events were taken before; they are not kept.
        """
        if self._taken:
            raise ValueError(f"{self.source}: its events can be iterated over once")
        self._taken = True
        self._pool.hurry(self)
        ended = False
        try:
            while not ended:
                event = self._next()
                ended = isinstance(event, Closed | VideoError)
                if isinstance(event, VideoError):
                    raise event
                yield event
        finally:
            if not ended:
                self.drop()

    def _next(self) -> ClipEvent | VideoError:
        with self._changed:
            while not self._waiting:
                self._changed.wait(0.2)
                if not self._waiting:
                    self._pool.check_time(self)
            event, size = self._waiting.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return event

    def put(self, event: ClipEvent | VideoError, size: int) -> None:
        """Queue an event of `size` bytes, waiting for room; one that nobody wants is dropped."""
        with self._changed:
            while self._bytes and self._bytes + size > QUEUE_BYTES and not self._dropped:
                self._changed.wait()
            if not self._dropped:
                self._waiting.append((event, size))
                self._bytes += size
                self._changed.notify_all()

    def drop(self) -> None:
        """Give the file up: stop its decoder and forget what waits."""
        with self._changed:
            self._dropped = True
            self._waiting.clear()
            self._bytes = 0
            self._changed.notify_all()
        self._pool.abandon(self)


class _Child:
    """A decoding process, and the thread that drains what it writes."""

    def __init__(self, pool: DecodePool, command: Sequence[str]) -> None:
        self._pool = pool
        self.job: DecodeJob | None = None
        self.timed_out = False
        self.doomed = False
        self._waited_s = 0.0
        self._reading_since: float | None = None
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self._thread = threading.Thread(target=self._drain, daemon=True)

    def start(self, job: DecodeJob, max_seconds: float) -> bool:
        """Send the child a file; the thread starts with the first.

        False where the child had died idle, so that the file is another's; its thread, which may
        not have seen it yet, then reports nothing.
        """
        self.job, self._waited_s = job, 0.0
        self._reading_since = time.monotonic()
        request = {
            "source": source_fields(job.source),
            "sampling": sampling_fields(job.sampling),
            "max_seconds": max_seconds,
        }
        try:
            write_message(cast(BinaryIO, self._process.stdin), request)
        except (BrokenPipeError, ConnectionResetError):
            self._process.kill()
            if self._thread.ident is not None:
                self.job = None
                return False
        if self._thread.ident is None:
            self._thread.start()
        return True

    @property
    def waited_s(self) -> float:
        """Seconds we have waited for this file's decoder, not those it waited for us."""
        since = self._reading_since
        return self._waited_s + (time.monotonic() - since if since is not None else 0.0)

    def kill(self) -> None:
        """End the process; the thread sees its pipe close and reports."""
        self.doomed = True
        self._process.kill()

    def join(self) -> None:
        """Wait until the process and its thread are gone."""
        self._thread.join()

    def _drain(self) -> None:
        source = cast(BinaryIO, self._process.stdout)
        try:
            while (message := read_message(source)) is not None:
                self._waited_s, self._reading_since = self.waited_s, None
                self._deliver(message)
                self._reading_since = time.monotonic()
        except (ValueError, TypeError, LookupError, MemoryError):
            self.kill()  # a decoder that went mad before it died
        self._process.wait()
        job = self._pool.lost(self)
        if job is not None:
            job.put(self._death(job), 0)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # what was still to be sent has no reader
                cast(BinaryIO, pipe).close()

    def _deliver(self, message: Message) -> None:
        job = self.job
        if job is None:
            raise ValueError("a child spoke of no file")
        size = sum(array.nbytes for array in message[1])
        event = _error_of(message) or event_of(message)
        last = isinstance(event, Closed | VideoError)
        if last:
            self.job = None
        job.put(event, 0 if last else size)  # the last one never waits for room
        if last:
            self._pool.idle(self)

    def _death(self, job: DecodeJob) -> VideoError:
        name = job.source.name
        if self.timed_out:
            return VideoError("timeout", f"{name}: took too long to decode and was stopped")
        code = self._process.returncode
        cause = f"signal {-code}" if code < 0 else f"exit code {code}"
        return VideoError("crashed", f"{name}: the decoder crashed on it ({cause})")


def _error_of(message: Message) -> VideoError | None:
    fields, _ = message
    return VideoError(fields["kind"], fields["error"]) if "error" in fields else None


class DecodePool:
    """Decodes up to `jobs` files at once, each in its own process. Use as a context manager.

    Args:
        jobs: processes, hence files decoded at the same time.
        max_seconds: wall-clock limit for one file, not counting the time its consumer takes.
        command: what to start as a child instead of our own.
    """

    def __init__(
        self, jobs: int, max_seconds: float = MAX_SECONDS, *, command: Sequence[str] = _CHILD
    ) -> None:
        self._jobs, self._max_seconds, self._command = max(1, jobs), max_seconds, command
        self._lock = threading.RLock()
        self._idle: list[_Child] = []
        self._children: list[_Child] = []
        self._queued: deque[DecodeJob] = deque()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every child and wait for it. Safe to call twice."""
        with self._lock:
            self._closed = True
            self._queued.clear()
            children = list(self._children)
            jobs = [child.job for child in children if child.job is not None]
            for child in children:
                child.kill()
        for job in jobs:
            job.drop()
        for child in children:
            child.join()

    def submit(self, source: Source, sampling: Sampling) -> DecodeJob:
        """Start decoding a file as soon as a process is free, and return its events to be.

        Raises:
            ValueError: the pool is closed.
        """
        job = DecodeJob(source, sampling, self)
        with self._lock:
            if self._closed:
                raise ValueError("the pool is closed")
            self._queued.append(job)
            self._feed(self._jobs)
        return job

    def stream(self, source: Source, sampling: Sampling) -> Iterator[ClipEvent]:
        """Decode a file now and yield its events.

        Raises:
            VideoError: the file cannot be scored, its decoder crashed or took too long.
        """
        yield from self.submit(source, sampling)

    def hurry(self, job: DecodeJob) -> None:
        """Start a file that is being waited for, even where all processes are taken.

        Files submitted before it may be left unread for ever, and theirs would never end.
        """
        with self._lock:
            if job in self._queued:
                self._queued.remove(job)
                self._queued.appendleft(job)
                self._feed(len(self._children) + 1)

    def check_time(self, job: DecodeJob) -> None:
        """Kill the child of `job` when it is over the limit; its thread then reports.

        Raises:
            ValueError: the pool was closed under its reader.
        """
        with self._lock:
            if self._closed:
                raise ValueError("the pool is closed")
            child = self._child_of(job)
            if child is not None and child.waited_s > self._max_seconds + GRACE_S:
                child.timed_out = True
                child.kill()

    def abandon(self, job: DecodeJob) -> None:
        """Stop work on a file that nobody reads any more."""
        with self._lock:
            if job in self._queued:
                self._queued.remove(job)
            child = self._child_of(job)
            if child is not None:
                child.kill()

    def idle(self, child: _Child) -> None:
        """Take back a child that finished its file."""
        with self._lock:
            if not child.doomed:
                self._idle.append(child)
                self._feed(self._jobs)

    def lost(self, child: _Child) -> DecodeJob | None:
        """Forget a child that died and return the file it was at; the next gets a fresh one."""
        with self._lock:
            self._children.remove(child)
            if child in self._idle:
                self._idle.remove(child)
            self._feed(self._jobs)
            return child.job

    def _child_of(self, job: DecodeJob) -> _Child | None:
        return next((child for child in self._children if child.job is job), None)

    def _feed(self, most: int) -> None:
        """Give queued files to free children, starting new ones up to `most`."""
        while self._queued and not self._closed and (self._idle or len(self._children) < most):
            if self._idle:
                child = self._idle.pop()
            else:
                child = _Child(self, self._command)
                self._children.append(child)
            job = self._queued.popleft()
            if not child.start(job, self._max_seconds):
                self._queued.appendleft(job)
