"""Who may ask the page: nobody that comes from another site or under another name."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from vqa2cli.demo.guard import POLICY, Guard


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Answer any request, with a policy of its own."""
    headers = [(b"Content-Security-Policy", b"default-src *"), (b"x-own", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"told"})


def asked(kind: str = "http", **headers: str) -> list[dict[str, Any]]:
    """Return what a guarded page on port 7860 sends to a request with these headers."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    guard: Any = Guard(page, 7860)
    asyncio.run(guard({"type": kind, "headers": pairs}, receive, send))
    return sent


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:7860"},
        {"host": "localhost:7860"},
        {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"},
    ],
)
def test_the_page_itself_is_answered_under_our_policy(headers: dict[str, str]) -> None:
    start, body = asked(**headers)
    assert (start["status"], body["body"]) == (200, b"told")
    sent = [value for name, value in start["headers"] if name.lower() == b"content-security-policy"]
    assert sent == [POLICY.encode()]
    assert (b"x-own", b"1") in start["headers"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"host": "evil.example:7860"},
        {"host": "127.0.0.1:80"},
        {"host": "127.0.0.1:7860", "origin": "https://evil.example"},
        {"host": "127.0.0.1:7860", "origin": "http://localhost:7861"},
        {"host": "127.0.0.1:7860", "origin": "null"},
    ],
)
def test_other_sites_and_names_are_refused(headers: dict[str, str]) -> None:
    start, body = asked(**headers)
    assert (start["status"], body["body"]) == (403, b"refused\n")
    assert asked("websocket", **headers)[0]["type"] == "websocket.close"


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert "http" not in POLICY
    assert "*" not in POLICY
