"""Serves the page on 127.0.0.1 until it is interrupted."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from vqa2cli.errors import MissingError, UsageError

if TYPE_CHECKING:
    from vqa2cli.demo.desk import Desk

#: The one address the page is served at: nobody but this machine reaches it.
ADDRESS: Final = "127.0.0.1"
PORT: Final = 7860

#: Seconds a request may take to end once the page is to stop.
_GRACE_S: Final = 1

_NEEDED: Final = ("gradio", "matplotlib")


def check_extra() -> None:
    """Check that what the page is made with is installed.

    Raises:
        MissingError: it is not.
    """
    for package in _NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingError(f"vqa2 demo needs {package}: pip install 'vqa2[demo]'")


@contextmanager
def claimed(port: int) -> Iterator[socket.socket]:
    """Give a socket that listens on `port` of this machine; 0 takes a free one.

    Raises:
        UsageError: the port is taken or not ours to take.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((ADDRESS, port))
            listening.listen()
        except OSError as error:
            why = error.strerror or error
            raise UsageError(
                f"port {port} of {ADDRESS} cannot be used ({why}); name another with --port"
            ) from error
        yield listening


def serve(desk: Desk, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve the page of `desk` until a signal ends the process; `ready` gets its address.

    Clips that were dropped are removed at the end.
    """
    port = listening.getsockname()[1]
    with TemporaryDirectory(prefix="vqa2-demo-") as folder:
        # Gradio reads these when it is loaded.
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        import uvicorn
        from fastapi import FastAPI

        from vqa2cli.demo.guard import Guard
        from vqa2cli.demo.page import mounted

        app = mounted(desk, FastAPI(openapi_url=None))
        config = uvicorn.Config(
            Guard(app, port), log_level="warning", access_log=False, lifespan="on",
            timeout_graceful_shutdown=_GRACE_S,
        )  # fmt: skip
        ready(f"http://{ADDRESS}:{port}/")
        uvicorn.Server(config).run(sockets=[listening])
