"""An OpenAI-compatible endpoint: one question in, one reply out, at a limited rate.

The client is OpenAI's own, which retries dropped connections, timeouts, 408, 409, 429 and 5xx
with growing pauses, and waits as long as the endpoint's Retry-After says.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from vqa2cli.errors import MissingError, UsageError, Vqa2Error

if TYPE_CHECKING:
    from openai import OpenAI

#: Statuses that say something of one request: bad, too large, not to be processed.
_REFUSALS: Final = frozenset({400, 413, 422})

#: Refusals, before any answer, from which on everything would be refused.
_ALL_REFUSED: Final = 5

#: How an endpoint is told to reply in JSON; not every one knows a schema, or anything of it.
ReplyForm = Literal["schema", "json", "text"]


@dataclass(frozen=True)
class EndpointSettings:
    """Which endpoint and model, and how patiently.

    Attributes:
        base_url: with the version, such as `https://api.openai.com/v1`.
        key_variable: environment variable that holds the key.
        per_minute: most requests a minute, retries not counted; 0 is no limit.
        retries: further tries of one request after a failure that may pass.
    """

    base_url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    per_minute: float = 60.0
    retries: int = 5
    timeout_s: float = 120.0
    max_tokens: int = 1200
    temperature: float = 0.7
    form: ReplyForm = "schema"


@dataclass(frozen=True)
class Answered:
    """A reply's text and what it cost, tokens."""

    text: str
    finish: str
    tokens_in: int = 0
    tokens_out: int = 0


class EndpointFailed(Vqa2Error):
    """The endpoint does not answer, or refuses everyone: going on would not help."""


class RequestRefused(Exception):
    """The endpoint refuses this one request; others may pass."""


class Endpoint:
    """Asks one endpoint; may be used by several threads."""

    def __init__(
        self,
        settings: EndpointSettings,
        schema: Mapping[str, Any],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open a client; nothing is sent yet.

        Raises:
            UsageError: the key's variable is not set.
            MissingError: the OpenAI client is not installed.
        """
        key = os.environ.get(settings.key_variable, "").strip()
        if not key:
            raise UsageError(
                f"no key in the environment variable {settings.key_variable}; set it "
                "(to anything, for an endpoint that asks for none)"
            )
        self.settings, self._schema = settings, dict(schema)
        self._client = _client(settings, key)
        self._rate = _Rate(settings.per_minute, pause)
        self._answers, self._refusals = 0, 0
        self._failure: str | None = None

    def ask(self, messages: Sequence[Mapping[str, str]]) -> Answered:
        """Return the reply to `messages`. Once it has failed it fails at once.

        Raises:
            EndpointFailed: no answer after every retry, or the key, the address or the model is
                refused.
            RequestRefused: this request is refused (400, 413 or 422), and others were not.
        """
        self._rate.wait()
        if self._failure is not None:
            raise EndpointFailed(self._failure)
        try:
            answered = self._ask(messages)
        except EndpointFailed as error:
            self._failure = str(error)
            raise
        self._answers += 1
        return answered

    def _ask(self, messages: Sequence[Mapping[str, str]]) -> Answered:
        import openai

        request = request_of(self.settings, messages, self._schema)
        try:
            reply = self._client.chat.completions.create(**request)
        except openai.APIStatusError as error:
            if error.status_code in _REFUSALS:
                self._refused(error)
            raise EndpointFailed(f"{self.settings.base_url}: {_told(error)}") from error
        except (openai.APIError, ValueError) as error:  # ValueError: the body is no JSON
            raise EndpointFailed(f"{self.settings.base_url}: no answer ({_told(error)})") from error
        return _answered(reply, self.settings.base_url)

    def _refused(self, error: Exception) -> None:
        """Raise RequestRefused, unless nothing but refusals has come back so far."""
        self._refusals += 1
        if self._answers or self._refusals < _ALL_REFUSED:
            raise RequestRefused(_told(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def request_of(
    settings: EndpointSettings, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a request; the same request always has the same body."""
    request: dict[str, Any] = {
        "model": settings.model,
        "messages": [dict(message) for message in messages],
        "max_tokens": settings.max_tokens,
        "temperature": settings.temperature,
    }
    if settings.form == "json":
        request["response_format"] = {"type": "json_object"}
    elif settings.form == "schema":
        named = {"name": "reply", "schema": dict(schema)}
        request["response_format"] = {"type": "json_schema", "json_schema": named}
    return request


def _client(settings: EndpointSettings, key: str) -> OpenAI:
    try:
        from openai import OpenAI
    except ImportError as error:
        raise MissingError("no OpenAI client: install it with pip install 'vqa2[train]'") from error
    return OpenAI(
        api_key=key,
        base_url=settings.base_url,
        max_retries=settings.retries,
        timeout=settings.timeout_s,
    )


def _answered(reply: Any, base_url: str) -> Answered:
    """Return the one answer of a completion; the client does not check what it was sent."""
    try:
        choice = reply.choices[0]
        text, finish = choice.message.content, choice.finish_reason
        usage = reply.usage
    except (AttributeError, IndexError, TypeError) as error:
        raise EndpointFailed(
            f"{base_url}: the answer is no chat completion; is the address right (…/v1)?"
        ) from error
    return Answered(
        text=text or "",
        finish=str(finish),
        tokens_in=getattr(usage, "prompt_tokens", None) or 0,
        tokens_out=getattr(usage, "completion_tokens", None) or 0,
    )


def _told(error: Exception) -> str:
    """Return what an error says, on one line and short; a body may be a whole page."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:197] + "..."


class _Rate:
    """Lets requests start evenly spaced."""

    def __init__(self, per_minute: float, pause: Callable[[float], None]) -> None:
        self._gap_s = 60.0 / per_minute if per_minute > 0 else 0.0
        self._pause, self._lock, self._next_s = pause, threading.Lock(), 0.0

    def wait(self) -> None:
        """Wait for the next free start."""
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next_s)
            self._next_s = start + self._gap_s
        if start > now:
            self._pause(start - now)
