"""Pictures of the worst windows for a page, out of the clips that were scored."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vqa2cli.errors import UsageError, VideoError

if TYPE_CHECKING:
    from markupsafe import Markup

    from vqa2cli.batch import Clip
    from vqa2cli.report.page.pictures import Moment
    from vqa2cli.report.rows import Record
    from vqa2cli.video.sources import Source

#: Longer side of a picture, pixels.
SIDE: Final = 480

#: A clip is decoded from its start up to a picture, so later ones are left out, seconds.
WITHIN_S: Final = 600.0

#: Longest that a clip is decoded for its pictures, seconds.
PATIENCE_S: Final = 60.0


class WorstFrames:
    """Finds pictures of moments in the clips it was told of; see `vqa2cli.report.page.pictures`.

    A page does without what cannot be had: a report is not lost for a picture.
    """

    def __init__(self) -> None:
        self._clips: dict[str, Source] = {}

    def know(self, clips: Iterable[Clip]) -> None:
        """Take pictures of these, too."""
        from vqa2cli.video.playlists.expand import Refused

        self._clips |= {str(clip): clip for clip in clips if not isinstance(clip, Refused)}

    def formats(self) -> dict[str, Callable[[Record], str]]:
        """Return what makes each format that needs the whole report, pages with the pictures."""
        from vqa2cli.report.whole import WHOLE

        return {**WHOLE, "html": self._page}

    def _page(self, report: Record) -> str:
        from vqa2cli.report.page import page

        return page(report, self)

    def __call__(self, moments: Sequence[Moment]) -> Mapping[Moment, Markup]:
        """Return the pictures that can be had."""
        found: dict[Moment, Markup] = {}
        wanted: dict[str, list[Moment]] = {}
        for moment in moments:
            if moment.file in self._clips and moment.time_s <= WITHIN_S:
                wanted.setdefault(moment.file, []).append(moment)
        try:
            for file, of_clip in wanted.items():
                found |= _pictures(self._clips[file], of_clip)
        except KeyboardInterrupt:
            pass  # the page is written without the rest
        return found


def _pictures(clip: Source, moments: Sequence[Moment]) -> dict[Moment, Markup]:
    from vqa2cli.report.page.pictures import data_uri
    from vqa2cli.video.stills import save_stills

    with tempfile.TemporaryDirectory(prefix="vqa2-") as folder:
        targets = [Path(folder) / f"{index}.png" for index in range(len(moments))]
        # What was saved before a failure is taken.
        with suppress(VideoError, UsageError, OSError):
            save_stills(clip, [moment.time_s for moment in moments], targets, PATIENCE_S)
        return {
            moment: data_uri(target, SIDE)
            for moment, target in zip(moments, targets, strict=True)
            if target.exists()
        }
