"""Plans what to make of each original, and makes it: every clip once, from its seed alone."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from train.degrade.clips import JOURNAL, DegradedClip, MadePiece, read_degraded
from train.degrade.engine import degrade, frame_span, made, severities_of
from train.degrade.material import Material, Original, originals, prepare
from train.degrade.playback import FINISHED_CRF, KEY_EVERY_S, write_session
from train.degrade.records import KADID_KINDS, SECONDS, TEMPORAL_KINDS
from train.degrade.session import degradations_of, draw_session, made_stalls
from train.journal import Line, make_missing
from train.sources import even
from vqa2cli.errors import UsageError
from vqa2cli.video.synthesis import Frame, write_clip

#: The kind whose clips are whole sessions.
SESSION = "session"

#: What can be asked for.
WANTED: tuple[str, ...] = (*KADID_KINDS, *TEMPORAL_KINDS, SESSION)

#: How often a degradation spans a part of the clip only, and the least part, of its length.
PART_SHARE = 0.5
LEAST_PART = 0.25


@dataclass(frozen=True)
class DegradePlan:
    """What to make of every clip below `clips`; the result is a function of this record.

    Each of `kinds` is made `versions` times of every clip, severities in turn.
    """

    clips: Path
    out: Path
    kinds: tuple[str, ...]
    versions: int = 1
    seconds: float = SECONDS
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the record once.

        Raises:
            UsageError: no kind, or one that cannot be made.
        """
        unknown = [kind for kind in self.kinds if kind not in WANTED]
        if unknown or not self.kinds:
            raise UsageError(
                f"no such kind: {', '.join(unknown) or 'none given'}; choose of {', '.join(WANTED)}"
            )


@dataclass(frozen=True)
class Result:
    """What a run left: all clips of the folder, and why an original has none or too few."""

    clips: list[DegradedClip]
    failed: dict[str, str]


def make_degraded(plan: DegradePlan, jobs: int = 1) -> Result:
    """Make every clip of `plan` that is not there yet.

    Raises:
        UsageError: the folder was made with another seed or length, or cannot be written.
        RuntimeError: a process died, or ffmpeg failed.
    """
    try:
        (plan.out / "clips").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {plan.out}: {error.strerror or error}") from error
    if (plan.out / JOURNAL).exists():
        _check_same(plan, read_degraded(plan.out))
    tasks = {task.name: task for task in plan_tasks(plan)}
    failed = make_missing(plan.out / JOURNAL, list(tasks.values()), jobs, label="degraded")
    by_original = {str(tasks[name].original.path): why for name, why in failed.items()}
    return Result(read_degraded(plan.out), by_original)


def _check_same(plan: DegradePlan, there: list[DegradedClip]) -> None:
    """Raise UsageError where a folder holds clips of another seed or length."""
    for clip in there:
        if (clip.seed, clip.seconds) != (plan.seed, plan.seconds):
            raise UsageError(
                f"{plan.out} was made with --seed {clip.seed} --seconds {clip.seconds:g}; "
                "give the same, or another --out"
            )


def plan_tasks(plan: DegradePlan) -> Iterator[DegradeTask]:
    """Yield every clip to make, one original after the other.

    Versions of a kind go through its severities in an order drawn for each original.

    Raises:
        UsageError: the folder of originals holds no clip.
    """
    for original in originals(plan.clips):
        for kind in plan.kinds:
            own = _seed(plan.seed, original.content, kind)
            severities = (0,) if kind == SESSION else severities_of(kind)
            order = np.random.default_rng(own).permutation(severities)
            for version in range(plan.versions):
                severity = int(order[version % len(order)])
                yield DegradeTask(original, kind, severity, version, plan)


def _seed(seed: int, *names: str) -> int:
    """Return a seed that depends on every part."""
    parts = [zlib.crc32(name.encode()) for name in names]
    return int(np.random.default_rng([seed, *parts]).integers(2**32))


@dataclass(frozen=True)
class DegradeTask:
    """One clip still to make; `severity` is 0 for a session, which has many."""

    original: Original
    kind: str
    severity: int
    version: int
    plan: DegradePlan

    @property
    def name(self) -> str:
        """Name of the clip, unique in its folder."""
        severity = f"_{self.severity}" if self.severity else ""
        return f"{self.original.content}+{self.kind}{severity}_v{self.version}"

    def make(self) -> Line:
        """Make the clip and return its line.

        Raises:
            VideoError: the original cannot be used.
            OSError: the clip cannot be written.
        """
        target = self.plan.out / "clips" / f"{self.name}.mp4"
        partial = target.with_suffix(f".{os.getpid()}.part.mp4")
        seed = _seed(self.plan.seed, self.name)
        try:
            with tempfile.TemporaryDirectory() as scratch:
                copy = Path(scratch) / "material.mkv"
                material = prepare(self.original.path, copy, self.plan.seconds)
                write = write_made_session if self.kind == SESSION else self._write_degraded
                clip = write(self._record(material, target), material, partial, seed)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return asdict(clip)

    def _record(self, material: Material, target: Path) -> DegradedClip:
        """Return the clip's record without its degradations."""
        return DegradedClip(
            name=self.name,
            path=target.relative_to(self.plan.out).as_posix(),
            original=self.original.path.relative_to(self.plan.clips).as_posix(),
            content=self.original.content,
            split=self.original.split,
            seed=self.plan.seed,
            seconds=self.plan.seconds,
            fps=float(material.fps),
            width=material.width,
            height=material.height,
            length_s=material.length_s,
            degradations=(),
        )

    def _write_degraded(
        self, record: DegradedClip, material: Material, path: Path, seed: int
    ) -> DegradedClip:
        start_s, end_s = draw_span(material.length_s, seed)
        one = made(self.kind, self.severity, start_s, end_s)
        fps = float(material.fps)
        frames = degrade(material.frames(), [one], fps=fps, count=material.count, seed=seed)
        squares: list[float] = []
        touched = frame_span(one, fps, material.count)
        seen = _compared(frames, material.frames(), touched, squares)
        options = {"crf": str(FINISHED_CRF)}
        write_clip(path, seen, material.fps, options=options, gop=round(KEY_EVERY_S * fps))
        changed = round(float(np.sqrt(np.mean(squares or [0.0]))), 3)
        return replace(record, degradations=(one,), changed=changed)


def _compared(
    degraded: Iterator[Frame], plain: Iterator[Frame], touched: range, squares: list[float]
) -> Iterator[Frame]:
    """Yield `degraded` frames; mean squares of what was done to those `touched` go to `squares`."""
    for index, (frame, before) in enumerate(zip(degraded, plain, strict=True)):
        if index in touched:
            squares.append(float(np.square(frame.astype(np.float32) - before).mean()))
        yield frame


def draw_span(length_s: float, seed: int) -> tuple[float, float | None]:
    """Return where a degradation acts: the whole clip, or a part of it, in whole 0.1 s."""
    rng = np.random.default_rng([seed, 1])
    if rng.random() >= PART_SHARE:
        return 0.0, None
    part = rng.uniform(LEAST_PART, 1 - LEAST_PART) * length_s
    start = rng.uniform(0, length_s - part)
    return round(start, 1), round(start + max(part, 0.2), 1)


def write_made_session(
    record: DegradedClip, material: Material, path: Path, seed: int
) -> DegradedClip:
    """Write a session drawn by `seed` over `material` to `path` and return its record."""
    fps = float(material.fps)
    session = draw_session(material.count, fps, seed)
    measured = write_session(material, session, path)
    pieces = tuple(
        MadePiece(
            start=session.shown_at(piece.first) / fps,
            end=(session.shown_at(piece.after - 1) + 1) / fps,
            width=even(material.width * piece.scale),
            height=even(material.height * piece.scale),
            crf=piece.crf,
            vmaf=None if known is None else round(known, 3),
        )
        for piece, known in zip(session.pieces, measured, strict=True)
    )
    waited = sum(stall.frames for stall in session.stalls)
    return replace(
        record,
        length_s=(material.count + waited) / fps,
        degradations=degradations_of(session, fps, measured),
        stalls=made_stalls(session, fps),
        pieces=pieces,
    )
