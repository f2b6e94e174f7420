"""Pairs written by a language model from depictions: planned, priced, cached, resumed.

Every reply is kept on disk under the hash of its request before anything is made of it, and the
set is made from the kept replies alone. So a run that dies halfway loses no reply, asks none
twice, and ends with the same set as one that did not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from train.data.asked_pairs import CHOICES
from train.data.asking_all import ask_all
from train.data.depictions import Depiction
from train.data.endpoint import (
    Answered,
    Endpoint,
    EndpointFailed,
    EndpointSettings,
    RequestRefused,
    request_of,
)
from train.data.instructions import Instructions
from train.data.looks import MediaFacts, look_at_all
from train.data.records import Sample
from train.data.replies import as_pair, messages_for, pairs_of, reply_schema
from train.data.reply_cache import ReplyCache
from train.data.stage3 import as_sample

#: Characters of English text a token holds, about; used for estimates before anything is sent.
CHARACTERS_PER_TOKEN: Final = 4.0

#: Tokens of one written pair with its JSON, about.
TOKENS_PER_PAIR: Final = 90


@dataclass(frozen=True)
class ExtensionSettings:
    """What is asked of which endpoint, and where replies are kept.

    Attributes:
        attempts: how often a depiction is asked about until a reply is good.
        lead: what stands before a question, see `train.data.asking`.
    """

    media: Path
    cache: Path
    endpoint: EndpointSettings
    tasks: tuple[str, ...]
    attempts: int = 2
    seed: int = 0
    lead: str = "assistant"
    jobs: int = 4


@dataclass(frozen=True)
class Estimate:
    """What a run would send: requests in all, replies at hand, and tokens of the others, about."""

    requests: int
    kept: int
    tokens_in: int
    tokens_out: int

    def cost(self, price_in: float, price_out: float) -> float:
        """Return the cost at prices per million tokens."""
        return (self.tokens_in * price_in + self.tokens_out * price_out) / 1e6

    def cost_told(self, price_in: float | None, price_out: float | None, least: str = "") -> str:
        """Return the cost in words, `least` before them; or what to give for it."""
        if price_in is None or price_out is None:
            return "give --price-in and --price-out for the cost"
        return f"{least}about {self.cost(price_in, price_out):.2f} at the prices given"


@dataclass(frozen=True)
class Rejected:
    """A reply that no sample is made of: every attempt's reason, and what came last."""

    media: str
    reasons: tuple[str, ...]
    reply: str


@dataclass(frozen=True)
class Extended:
    """What a run made: samples, bad replies, and what the kept replies cost in tokens."""

    made: Instructions
    rejected: tuple[Rejected, ...]
    asked: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True)
class _Request:
    """One depiction to ask about."""

    depiction: Depiction
    facts: MediaFacts
    messages: tuple[Mapping[str, str], ...]


@dataclass
class _Outcome:
    """What came of one request so far."""

    pairs: list[tuple[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    last: str = ""
    asked: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


def estimate(depictions: Sequence[Depiction], settings: ExtensionSettings) -> Estimate:
    """Return what `extend` would send; nothing is sent, and no key is needed.

    Tokens are estimated from characters, one attempt each.
    """
    requests, _ = _requests(depictions, settings)
    cache = ReplyCache(settings.cache)
    open_ones = [one for one in requests if cache.get(_body(one, settings), 0) is None]
    characters = sum(len(message["content"]) for one in open_ones for message in one.messages)
    schema = json.dumps(reply_schema()) if settings.endpoint.form == "schema" else ""
    characters += len(schema) * len(open_ones)
    return Estimate(
        requests=len(requests),
        kept=len(requests) - len(open_ones),
        tokens_in=round(characters / CHARACTERS_PER_TOKEN),
        tokens_out=len(open_ones) * len(settings.tasks) * TOKENS_PER_PAIR,
    )


def extend(
    depictions: Sequence[Depiction], settings: ExtensionSettings, endpoint: Endpoint
) -> Extended:
    """Ask about every depiction and return what was made of the replies.

    Raises:
        EndpointFailed: the endpoint failed; replies so far are kept, and the next run goes on.
        UsageError: a reply cannot be kept.
    """
    requests, missing = _requests(depictions, settings)
    cache = ReplyCache(settings.cache)
    outcomes = _ask_all(requests, settings, endpoint, cache)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    for index, (request, outcome) in enumerate(zip(requests, outcomes, strict=True)):
        if not outcome.pairs:
            media = request.depiction.media
            rejected.append(Rejected(media, tuple(outcome.reasons), outcome.last))
        samples += _samples(request, outcome, (index + settings.seed) % CHOICES, settings.lead)
    left_out = Counter({"rejected reply": len(rejected)} if rejected else {})
    return Extended(
        Instructions(tuple(samples), missing, left_out),
        tuple(rejected),
        asked=sum(outcome.asked for outcome in outcomes),
        tokens_in=sum(outcome.tokens_in for outcome in outcomes),
        tokens_out=sum(outcome.tokens_out for outcome in outcomes),
    )


def rejected_lines(rejected: Sequence[Rejected]) -> str:
    """Return the file of bad replies: one JSON line each, with every reason."""
    return "".join(json.dumps(asdict(one)) + "\n" for one in rejected)


def _requests(
    depictions: Sequence[Depiction], settings: ExtensionSettings
) -> tuple[list[_Request], tuple[Any, ...]]:
    facts, missing = look_at_all(settings.media, (one.media for one in depictions))
    requests = []
    for depiction in depictions:
        if depiction.media in facts:
            known = facts[depiction.media]
            tasks = _tasks_for(known, settings)
            messages = tuple(messages_for(depiction, known, tasks))
            requests.append(_Request(depiction, known, messages))
    return requests, missing


def _tasks_for(facts: MediaFacts, settings: ExtensionSettings) -> list[str]:
    """Return the tasks that fit: a picture has no time."""
    return [task for task in settings.tasks if facts.kind == "video" or task != "temporal"]


def _body(request: _Request, settings: ExtensionSettings) -> dict[str, Any]:
    return request_of(settings.endpoint, request.messages, reply_schema())


def _ask_all(
    requests: Sequence[_Request],
    settings: ExtensionSettings,
    endpoint: Endpoint,
    cache: ReplyCache,
) -> list[_Outcome]:
    """Return the outcome of every request, in order; stop asking at the first failure."""

    def failed(error: EndpointFailed, done: int) -> EndpointFailed:
        return EndpointFailed(
            f"{error}; {done} of {len(requests)} depictions are done and kept, run again to go on"
        )

    bar = tqdm(total=len(requests), desc="replies", unit="request", disable=None)
    return ask_all(
        lambda request: _outcome(request, settings, endpoint, cache),
        requests,
        settings.jobs,
        bar,
        failed,
    )


def _outcome(
    request: _Request, settings: ExtensionSettings, endpoint: Endpoint, cache: ReplyCache
) -> _Outcome:
    """Return what comes of one request: the first good reply, from the cache if it is there."""
    outcome = _Outcome()
    body = _body(request, settings)
    tasks = _tasks_for(request.facts, settings)
    for attempt in range(settings.attempts):
        reply = cache.get(body, attempt)
        if reply is None:
            try:
                reply = endpoint.ask(request.messages)
            except RequestRefused as error:
                outcome.reasons.append(f"refused: {error}")
                break
            outcome.asked += 1
            cache.put(body, attempt, reply)
        outcome.tokens_in += reply.tokens_in
        outcome.tokens_out += reply.tokens_out
        try:
            outcome.pairs = _read(reply, tasks)
        except ValueError as error:
            outcome.reasons.append(str(error))
            outcome.last = reply.text
            continue
        break
    return outcome


def _read(reply: Answered, tasks: Sequence[str]) -> list[tuple[str, Any]]:
    if reply.finish == "length":
        raise ValueError("cut off at the limit of tokens; raise --max-tokens")
    return list(pairs_of(reply.text, tasks))


def _samples(request: _Request, outcome: _Outcome, place: int, lead: str) -> Iterator[Sample]:
    for task, written in outcome.pairs:
        pair = as_pair(written, place)
        yield as_sample(request.depiction, request.facts, task, pair, lead, "llm")
