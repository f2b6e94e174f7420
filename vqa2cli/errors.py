"""Every error vqa2 raises on purpose, and the exit code of each.

Vqa2Error
├── UsageError (2)         an option, a configuration value or an output path we cannot use
├── VideoError (3)         a file that cannot be scored; `kind` names the reason
└── MissingError (4)       something this machine lacks
    ├── ModelError         weights missing, damaged or of another layout
    ├── EngineError        a named engine that cannot run
    └── DeviceError        a named device that is not there

Messages say what failed, what was found and what to do, in one line.
"""

from __future__ import annotations

from typing import Literal

#: Why a file could not be scored; the `error.kind` column of the report.
VideoErrorKind = Literal[
    "not_found",  # no such path
    "unreadable",  # permission, or the read itself failed
    "not_regular",  # a FIFO, a device, a socket, a directory
    "playlist",  # a playlist that is broken, or names what we do not open
    "not_video",  # no known container: text, a playlist, a format outside the allow-list
    "no_video",  # a container without a video stream (audio, subtitles, cover art only)
    "encrypted",  # DRM or clear-key protected samples
    "too_large",  # more pixels a frame than the limit
    "corrupt",  # a container that opens and yields no frame
    "timeout",  # took longer than the limit
    "crashed",  # the decoding process died
    "internal",  # a bug of ours, kept to its row
]


class Vqa2Error(Exception):
    """Base of every error vqa2 raises on purpose; `exit_code` is the process's."""

    exit_code = 3


class UsageError(Vqa2Error):
    """An option, a configuration value or an output path that cannot be used."""

    exit_code = 2


class VideoError(Vqa2Error):
    """A file that cannot be scored. It becomes a row with `status: error`."""

    exit_code = 3

    def __init__(self, kind: VideoErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: VideoErrorKind = kind


class MissingError(Vqa2Error):
    """Something the run needs and this machine lacks."""

    exit_code = 4


class ModelError(MissingError):
    """Weights that are missing, damaged or of a layout we do not know."""


class EngineError(MissingError):
    """A named engine that cannot run here."""


class DeviceError(MissingError):
    """A named device that is not there."""
