"""The child's side of the pool: decodes the files named on stdin, and ends when its parent does."""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from typing import BinaryIO

from vqa2cli.errors import VideoError
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.sources import source_of
from vqa2cli.video.wire import Message, event_message, read_message, sampling_of, write_message


def serve() -> None:
    """Be a child: decode the files named on stdin, write their events to stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    requests = os.fdopen(os.dup(0), "rb")
    out = os.fdopen(os.dup(1), "wb", buffering=2**16)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # whatever a library prints must not mix with the events
        os.dup2(nowhere, stream)
    arrived = threading.Condition()
    waiting: deque[Message] = deque()
    threading.Thread(target=_listen, args=(requests, waiting, arrived), daemon=True).start()
    while True:
        with arrived:
            while not waiting:
                arrived.wait()
            request = waiting.popleft()
        _answer(request, out)


def _listen(requests: BinaryIO, waiting: deque[Message], arrived: threading.Condition) -> None:
    """Queue requests, and end the process at once when the parent is gone."""
    while (message := read_message(requests)) is not None:
        with arrived:
            waiting.append(message)
            arrived.notify()
    os._exit(0)


def _answer(request: Message, out: BinaryIO) -> None:
    fields, _ = request
    source = source_of(fields["source"])
    try:
        for event in decode_clip(source, sampling_of(fields["sampling"]), fields["max_seconds"]):
            write_message(out, *event_message(event))
    except VideoError as error:
        write_message(out, {"kind": error.kind, "error": str(error)})
    except BrokenPipeError:
        os._exit(0)
    except Exception as error:  # a bug of ours costs this file's row, with its name
        write_message(out, {"kind": "internal", "error": f"{source.name}: {error!r}"})
