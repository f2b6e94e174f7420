"""Writers of `vqa2 stalls`: sentences, JSON, a table of events, or 0 and 1 per frame."""

from __future__ import annotations

import csv
from collections.abc import Sequence

from vqa2cli.assessment import Assessment
from vqa2cli.report.output import TextSink
from vqa2cli.report.plain_text import one_line, storable
from vqa2cli.report.rows import stall_record
from vqa2cli.report.writers import JsonWriter, write_cells
from vqa2cli.video.stalling import StallEvent

#: Columns of the CSV: a row per event; a file without any has one row, its event cells empty.
EVENT_COLUMNS = (
    "file", "status", "error_kind", "error_message",
    "start", "end", "duration", "media_start", "kind", "counted", "open_ended", "confidence",
    "evidence",
)  # fmt: skip


class StallSummaryWriter:
    """A line per file: its name and the five-fact summary."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream

    def write(self, row: Assessment) -> None:
        """Add one file; one that could not be read has no line here."""
        if row.stalling is not None:
            self._stream.write(one_line(f"{row.file}: {row.stalling.summary}") + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line stands for itself."""


class StallSequenceWriter:
    """A line per file: one 0 or 1 per frame, and the file's name after a tab."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream

    def write(self, row: Assessment) -> None:
        """Add one file; one that could not be read has no line here."""
        if row.frames is not None:
            flags = "".join(map(str, row.frames.stalled))
            self._stream.write(f"{flags}\t{one_line(row.file)}\n")
            self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line stands for itself."""


class StallJsonWriter:
    """One JSON object whose `results` hold file, status, error, warnings and stalling."""

    def __init__(self, stream: TextSink) -> None:
        self._json = JsonWriter(stream)

    def write(self, row: Assessment) -> None:
        """Add one file."""
        self._json.write(stall_record(row))

    def close(self) -> None:
        """Close the object."""
        self._json.close()


class StallCsvWriter:
    """A row per event, columns `EVENT_COLUMNS`."""

    def __init__(self, stream: TextSink) -> None:
        self._stream = stream
        self._rows = csv.writer(stream)
        self._rows.writerow(EVENT_COLUMNS)

    def write(self, row: Assessment) -> None:
        """Add one file's events."""
        error = row.error
        head = [
            storable(row.file),
            row.status,
            error.kind if error else None,
            storable(error.message) if error else None,
        ]
        events = row.stalling.events if row.stalling else ()
        for cells in [_event_cells(event) for event in events] or [[None] * 9]:
            write_cells(self._rows.writerow, [*head, *cells])
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: every row stands for itself."""


def _event_cells(event: StallEvent) -> Sequence[object]:
    return [
        event.start,
        event.end,
        event.duration,
        event.media_start,
        event.kind,
        int(event.counted),
        int(event.open_ended),
        event.confidence,
        " ".join(event.evidence),
    ]
