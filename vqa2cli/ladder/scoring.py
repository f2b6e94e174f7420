"""From titles to ladders: sizes first, then every rung scored at one display size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vqa2cli.assessment import Assessment
from vqa2cli.batch import Clip
from vqa2cli.config import RunConfig
from vqa2cli.errors import VideoError
from vqa2cli.ladder.titles import Title
from vqa2cli.pipeline import score_files
from vqa2cli.video.media import NO_PICTURES, ClipEvent, MediaInfo, Opened
from vqa2cli.video.playlists.expand import Refused
from vqa2cli.video.pool import DecodePool

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel

Size = tuple[int, int]


def probe(clips: Sequence[Clip], config: RunConfig) -> list[MediaInfo | VideoError]:
    """Return the facts of each clip's stream, or why there are none.

    They are read in other processes, and one picture of each clip is decoded.
    """
    sampling = replace(NO_PICTURES, facts_only=True)
    with DecodePool(config.jobs, config.max_seconds) as pool:
        jobs = [clip if isinstance(clip, Refused) else pool.submit(clip, sampling)
                for clip in clips]  # fmt: skip
        return [job.error if isinstance(job, Refused) else _facts(job) for job in jobs]


def _facts(events: Iterable[ClipEvent]) -> MediaInfo | VideoError:
    try:
        found = [event.media for event in events if isinstance(event, Opened)]
    except VideoError as error:
        return error
    return found[0]


def display_of(facts: Sequence[MediaInfo | VideoError]) -> Size | None:
    """Return the size of the largest rung, at which all are compared; None if none opens."""
    sizes = [media.shown_size for media in facts if isinstance(media, MediaInfo)]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


class LadderScorer:
    """Scores titles one after the other, each as renditions of the same content.

    The score is that of the pictures alone: stalls are looked for and reported, and do not
    lower it, because the rate-quality curve is about the encodes.
    """

    def __init__(self, model: QualityModel, config: RunConfig) -> None:
        self._model = model
        self._config = replace(
            config, streaming=True, tell_stalls=False, same_content=True, marks=True
        )

    def display(self, title: Title) -> Size | None:
        """Return the size at which a title's rungs are compared: as configured, else the largest.

        None means that no rung opens.
        """
        clips = [rung.clip for rung in title.rungs]
        return self._config.display or display_of(probe(clips, self._config))

    def rows(self, title: Title, display: Size | None) -> Iterator[Assessment]:
        """Yield the row of each rung of a title, all shown at `display`.

        Raises:
            MissingError: the model, the engine or the device fails altogether.
        """
        clips = [rung.clip for rung in title.rungs]
        rows = score_files(clips, self._model, replace(self._config, display=display))
        for rung, row in zip(title.rungs, rows, strict=True):
            yield replace(row, declared=rung.declared)
