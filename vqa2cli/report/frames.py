"""The per-frame 0/1 sequence as CSV: `file,frame,pts_time,stalled`."""

from __future__ import annotations

import csv

from vqa2cli.assessment import FrameStalls
from vqa2cli.report.output import TextSink
from vqa2cli.report.plain_text import storable
from vqa2cli.report.writers import write_cells

#: `file` always comes first, also for one input, so that a reader meets one shape only.
#: `frame` counts decoded frames from 0, `pts_time` is in seconds, `stalled` is 0 or 1.
FRAME_COLUMNS = ("file", "frame", "pts_time", "stalled")


class FramesWriter:
    """Writes one row per decoded frame of every file."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream
        self._rows = csv.writer(stream)
        self._rows.writerow(FRAME_COLUMNS)

    def write(self, file: str, frames: FrameStalls) -> None:
        """Add the frames of `file`."""
        name = storable(file)
        for index, (pts_s, stalled) in enumerate(zip(frames.pts_s, frames.stalled, strict=True)):
            write_cells(self._rows.writerow, (name, index, round(float(pts_s), 6), int(stalled)))
        self._stream.flush()
