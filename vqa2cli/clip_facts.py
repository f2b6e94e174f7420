"""What is known of a clip beside its pixels: its playlist, a player's log, the other rungs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vqa2cli.assessment import Assessment, FrameStalls
from vqa2cli.video.cross_check import cross_check
from vqa2cli.video.logs.reconcile import difference_warnings, reconcile, stalled_frames
from vqa2cli.video.logs.records import StallLog
from vqa2cli.video.media import ClipEvent, Closed, DeclaredFacts, MediaInfo
from vqa2cli.video.playlists.expand import Refused
from vqa2cli.video.sources import Rendition, Source
from vqa2cli.video.stalling import Stalling


@dataclass(frozen=True)
class ClipFacts:
    """What one clip's decoded events are completed with.

    `log` replaces the stalls of the pixels, `settled` both.
    """

    remarks: tuple[str, ...] = ()
    declared: DeclaredFacts | None = None
    log: StallLog | None = None
    settled: Stalling | None = None

    @classmethod
    def of(cls, clip: Source | Refused, log: StallLog | None) -> ClipFacts:
        """Return what is known of `clip`."""
        if isinstance(clip, Rendition):
            return cls(clip.remarks, clip.declared, log)
        return cls(log=log)

    def events(self, events: Iterable[ClipEvent]) -> Iterator[ClipEvent]:
        """Yield `events`, the last one completed.

        Raises:
            UsageError: the log does not fit the clip.
        """
        for event in events:
            yield self._closed(event) if isinstance(event, Closed) else event

    def _closed(self, closed: Closed) -> Closed:
        warnings = [*self.remarks, *closed.warnings, *_undeclared(self.declared, closed.media)]
        stalling, stalled = closed.stalling, closed.stalled
        if stalling is not None and self.log is not None:
            stalling = reconcile(stalling, closed.media.duration or 0.0, self.log)
            warnings += difference_warnings(stalling)
            stalled = stalled_frames(closed.pts_s, stalling)
        if self.settled is not None:
            stalling = self.settled
            stalled = stalled_frames(closed.pts_s, stalling)
        return replace(closed, warnings=tuple(warnings), stalling=stalling, stalled=stalled)


def _undeclared(declared: DeclaredFacts | None, media: MediaInfo) -> list[str]:
    """Return a warning where the pictures are not of the size that the playlist declares."""
    if declared is None or not declared.width or not declared.height:
        return []
    told, shown = (declared.width, declared.height), (media.width, media.height)
    if shown in (told, told[::-1]):
        return []
    return [f"the playlist declares {told[0]}x{told[1]}, its pictures are {shown[0]}x{shown[1]}"]


def same_content(rows: Sequence[Assessment]) -> list[Assessment]:
    """Return `rows`, renditions of one content, with their stalls checked against each other.

    Rows that failed or have no stalls looked for take no part. Scores are as they were.
    """
    found = [
        (index, row.stalling, row.media)
        for index, row in enumerate(rows)
        if row.stalling is not None and row.media is not None
    ]
    checked = cross_check(
        [stalling for _, stalling, _ in found], [media.duration or 0.0 for _, _, media in found]
    )
    settled = list(rows)
    for (index, before, _), after in zip(found, checked, strict=True):
        if after != before:
            settled[index] = replace(
                rows[index], stalling=after, frames=_frames(rows[index].frames, after)
            )
    return settled


def _frames(frames: FrameStalls | None, stalling: Stalling) -> FrameStalls | None:
    if frames is None:
        return None
    flags = stalled_frames(np.array(frames.pts_s), stalling)
    return FrameStalls(frames.pts_s, tuple(flags.tolist()))
