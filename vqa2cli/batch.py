"""Clips in, a row for each out: decoded ahead, completed with what is known of them, in order."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace

from vqa2cli.assessment import Assessment, Failure
from vqa2cli.clip_facts import ClipFacts, same_content
from vqa2cli.config import RunConfig
from vqa2cli.errors import VideoError, Vqa2Error
from vqa2cli.journal import Journal
from vqa2cli.video.logs.read import stall_logs
from vqa2cli.video.logs.records import StallLog
from vqa2cli.video.media import ClipEvent, Sampling
from vqa2cli.video.playlists.expand import Refused, clips_of
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.sources import Rendition, Source

logger = logging.getLogger(__name__)

#: What makes an assessment of a clip's name and its events.
Assess = Callable[[str, Iterable[ClipEvent]], Assessment]

#: A clip, or the reason a playlist gives none.
Clip = Source | Refused


def assess_all(
    files: Iterable[Clip],
    sampling: Sampling,
    config: RunConfig,
    assess: Assess,
    journal: Journal | None = None,
) -> Generator[Assessment, None, None]:
    """Yield a row for each file and for each rung of a playlist, in order.

    Rungs of one playlist, and all clips under `config.same_content`, are checked against
    each other, so their rows come together. Rows that `journal` has are not made again.

    Raises:
        UsageError: the log of stalls cannot be used.
    """
    clips = list(clips_of(files))
    logs: dict[str, StallLog] = {}
    if config.stalls is not None:
        logs = stall_logs(config.stalls, [clip for clip in clips if not isinstance(clip, Refused)])
    with DecodePool(config.jobs, config.max_seconds) as pool:
        batch = _Batch(pool, sampling, assess, logs, journal)
        group: list[_Done] = []
        for index, done in enumerate(batch.rows(clips, config.jobs)):
            group.append(done)
            following = clips[index + 1] if index + 1 < len(clips) else None
            if not _together(done.clip, following, config):
                yield from batch.settled(group)
                group = []


def _together(clip: Clip, following: Clip | None, config: RunConfig) -> bool:
    """Whether two clips in a row show the same content."""
    if following is None or config.same_content:
        return following is not None
    rungs = isinstance(clip, Rendition) and isinstance(following, Rendition)
    return rungs and clip.playlist == following.playlist  # type: ignore[union-attr]


@dataclass(frozen=True)
class _Done:
    clip: Clip
    facts: ClipFacts
    row: Assessment


@dataclass(frozen=True)
class _Begun:
    """A clip that is being decoded, or whose row is known."""

    clip: Clip
    facts: ClipFacts
    events: Iterable[ClipEvent] | None
    key: str | None = None
    known: Assessment | None = None


class _Batch:
    """Assesses clips through a pool of decoders."""

    def __init__(
        self,
        pool: DecodePool,
        sampling: Sampling,
        assess: Assess,
        logs: dict[str, StallLog],
        journal: Journal | None,
    ) -> None:
        self._pool, self._sampling, self._assess, self._logs = pool, sampling, assess, logs
        self._journal = journal

    def rows(self, clips: Iterable[Clip], ahead: int) -> Iterator[_Done]:
        """Yield the row of each clip, up to `ahead` being decoded at a time."""
        waiting: deque[_Begun] = deque()
        for clip in clips:
            waiting.append(self._begin(clip, ClipFacts.of(clip, self._logs.get(str(clip)))))
            if len(waiting) >= ahead:
                yield self._done(waiting.popleft())
        while waiting:
            yield self._done(waiting.popleft())

    def settled(self, group: list[_Done]) -> list[Assessment]:
        """Return the rows of clips that show the same, their stalls checked against each other.

        A score that was made with stalls which turned out otherwise is made again.
        """
        rows = same_content([done.row for done in group])
        return [
            self._again(done, row) if row is not done.row and row.score is not None else row
            for done, row in zip(group, rows, strict=True)
        ]

    def _again(self, done: _Done, row: Assessment) -> Assessment:
        facts = replace(done.facts, settled=row.stalling)
        return self._done(self._begin(done.clip, facts)).row

    def _begin(self, clip: Clip, facts: ClipFacts) -> _Begun:
        """Find the row of a clip in the journal, or have the clip decoded."""
        if isinstance(clip, Refused):
            return _Begun(clip, facts, _Refusal(clip))
        key = self._key(clip, facts)
        known = self._journal.row(key, str(clip)) if self._journal and key else None
        events = None if known else self._pool.submit(clip, self._sampling)
        return _Begun(clip, facts, events, key, known)

    def _key(self, clip: Source, facts: ClipFacts) -> str | None:
        """Return the clip's key, None without a journal or where the clip cannot be read."""
        try:
            return self._journal.key(clip, facts) if self._journal else None
        except OSError:
            return None

    def _done(self, begun: _Begun) -> _Done:
        clip, facts = begun.clip, begun.facts
        if begun.known is not None:
            return _Done(clip, facts, begun.known)
        row = self._row(clip, facts, begun.events or ())
        if self._journal is not None and begun.key and row.error is None:
            self._journal.keep(begun.key, row)
        return _Done(clip, facts, row)

    def _row(self, clip: Clip, facts: ClipFacts, events: Iterable[ClipEvent]) -> Assessment:
        """Return the row of one clip; whatever goes wrong in it alone stays in its row."""
        name = str(clip)
        try:
            row = self._assess(name, facts.events(events))
        except VideoError as error:
            failure = Failure(error.kind, _without_name(str(error), clip))
            row = Assessment(file=name, error=failure)
        except Vqa2Error:
            raise  # the model, the engine or the device: no other file would fare better
        except Exception as error:  # a bug of ours costs one row, not the batch
            logger.debug("%s failed", name, exc_info=True)
            told = f"{type(error).__name__}: {error}"
            row = Assessment(file=name, error=Failure("internal", told))
        return replace(row, declared=facts.declared)


class _Refusal:
    """The events of a playlist that gives no clip: iterating raises why."""

    def __init__(self, refused: Refused) -> None:
        self._error = refused.error

    def __iter__(self) -> Iterator[ClipEvent]:
        raise self._error


def _without_name(message: str, clip: Clip) -> str:
    """Return `message` without the file's own name before it: the row has it already."""
    for name in (f"{clip}: ", f"{clip.name}: "):
        if message.startswith(name):
            return message.removeprefix(name)
    return message
