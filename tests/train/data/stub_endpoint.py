"""A chat completion endpoint on this machine that answers, fails and drops as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

#: What a failing reply says so that a client's retries do not slow the tests down.
QUICK = {"retry-after-ms": "5"}

#: A reply to one request: a status and a body, or None to break off in the middle of one.
Reply = tuple[int, str] | None

Behaviour = Callable[[dict[str, Any]], Reply]


def good(request: dict[str, Any]) -> Reply:
    """Write a valid pair for every task asked."""
    return 200, completion(json.dumps({"pairs": [PAIRS[task] for task in tasks_of(request)]}))


def saying(content: str | None, finish: str = "stop") -> Behaviour:
    """Answer with `content` as the model's words."""
    return lambda request: (200, completion(content, finish))


def failing(status: int) -> Behaviour:
    """Answer with an error."""
    return lambda request: (status, json.dumps({"error": {"message": f"stub says {status}"}}))


def dropping(request: dict[str, Any]) -> Reply:
    """Break the connection off in the middle of the body."""
    return None


def body(text: str) -> Behaviour:
    """Answer 200 with a body of any kind."""
    return lambda request: (200, text)


PAIRS: dict[str, dict[str, Any]] = {
    "binary": {"task": "binary", "question": "Is there noise in it?", "answer": "Yes, a lot."},
    "choice": {
        "task": "choice",
        "question": "Which distortion is it?",
        "answer": "noise",
        "options": ["blur", "noise", "stuttering"],
    },
    "open": {"task": "open", "question": "What is wrong here?", "answer": "It is noisy."},
    "temporal": {"task": "temporal", "question": "When is it noisy?", "answer": "Always."},
    "in-context": {"task": "in-context", "question": "How is the sky?", "answer": "It is noisy."},
    "extended": {"task": "extended", "question": "What would help?", "answer": "More light."},
}


def tasks_of(request: dict[str, Any]) -> list[str]:
    """Return the tasks a request asks for."""
    told = str(request["messages"][-1]["content"]).partition("Tasks:\n")[2]
    return [line.removeprefix("- ").partition(":")[0] for line in told.splitlines()]


def completion(content: str | None, finish: str = "stop") -> str:
    """Return a chat completion with `content`."""
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": content},
    }
    return json.dumps(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "stub",
            "choices": [choice],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
    )


@dataclass
class Stub:
    """A running endpoint: its address, what it was sent, and what it does next.

    `plan` is used up one behaviour a request; then it is `then`.
    """

    url: str
    plan: list[Behaviour] = field(default_factory=list)
    then: Behaviour = good
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@contextmanager
def only_endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """Run an endpoint until the block ends; a key is at hand, and no proxy in between."""
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with stub_endpoint() as running:
        yield running


@contextmanager
def stub_endpoint() -> Iterator[Stub]:
    """Run an endpoint until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                stub.requests.append(request)
                stub.keys.append(self.headers["Authorization"])
                behave = stub.plan.pop(0) if stub.plan else stub.then
            reply = behave(request)
            if reply is None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"id": "c", "choi')
                self.close_connection = True
                return
            status, text = reply
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            for name, value in QUICK.items() if status != 200 else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
