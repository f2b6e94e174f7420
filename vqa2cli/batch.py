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
from vqa2cli.video.logs.read import stall_logs
from vqa2cli.video.logs.records import StallLog
from vqa2cli.video.media import ClipEvent, Sampling
from vqa2cli.video.playlists.expand import Refused, clips_of
from vqa2cli.video.sources import Rendition, Source
from vqa2cli.video.worker import DecodePool

logger = logging.getLogger(__name__)

#: What makes an assessment of a clip's name and its events.
Assess = Callable[[str, Iterable[ClipEvent]], Assessment]

#: A clip, or the reason a playlist gives none.
Clip = Source | Refused


def assess_all(
    files: Iterable[Clip], sampling: Sampling, config: RunConfig, assess: Assess
) -> Generator[Assessment, None, None]:
    """Yield a row for each file and for each rung of a playlist, in order.

    Rungs of one playlist, and all clips under `config.same_content`, are checked against
    each other, so their rows come together.

    Raises:
        UsageError: the log of stalls cannot be used.
    """
    clips = list(clips_of(files))
    logs: dict[str, StallLog] = {}
    if config.stalls is not None:
        logs = stall_logs(config.stalls, [clip for clip in clips if not isinstance(clip, Refused)])
    with DecodePool(config.jobs, config.max_seconds) as pool:
        batch = _Batch(pool, sampling, assess, logs)
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


class _Batch:
    """Assesses clips through a pool of decoders."""

    def __init__(
        self, pool: DecodePool, sampling: Sampling, assess: Assess, logs: dict[str, StallLog]
    ) -> None:
        self._pool, self._sampling, self._assess, self._logs = pool, sampling, assess, logs

    def rows(self, clips: Iterable[Clip], ahead: int) -> Iterator[_Done]:
        """Yield the row of each clip, up to `ahead` being decoded at a time."""
        waiting: deque[tuple[Clip, Iterable[ClipEvent]]] = deque()
        for clip in clips:
            waiting.append((clip, self._decoded(clip)))
            if len(waiting) >= ahead:
                yield self._done(*waiting.popleft())
        while waiting:
            yield self._done(*waiting.popleft())

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
        return self._row(done.clip, facts, self._decoded(done.clip))

    def _decoded(self, clip: Clip) -> Iterable[ClipEvent]:
        if isinstance(clip, Refused):
            return _Refusal(clip)
        return self._pool.submit(clip, self._sampling)

    def _done(self, clip: Clip, events: Iterable[ClipEvent]) -> _Done:
        facts = ClipFacts.of(clip, self._logs.get(str(clip)))
        return _Done(clip, facts, self._row(clip, facts, events))

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
