"""Questions to a clip or two: each is looked at once, window by window, and then asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from vqa2cli.assessment import Assessment
from vqa2cli.config import RunConfig
from vqa2cli.errors import ModelError, UsageError, VideoError
from vqa2cli.report.diagnostics import signal_diagnostics
from vqa2cli.video.media import ClipEvent, Closed, WindowEnd
from vqa2cli.video.pool import DecodePool
from vqa2cli.video.sources import Source
from vqa2cli.window_maker import WindowMaker, sampling_of

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel, WindowTokens

#: Protocol that questions go by where neither the user nor the catalogue names one.
CHAT = "assistant-chat"

#: What a model is asked for its own description of a clip.
DEPICT = (
    "Please describe the quality of this video: what degrades it, how badly and when, and rate "
    "its quality at the end."
)

#: Longest question, characters; a longer one is pasted by mistake.
MAX_QUESTION = 4000

#: Most clips that a question may be about.
MAX_CLIPS = 2

OnText = Callable[[str], None]


@dataclass(frozen=True)
class Window:
    """One window of a clip: [start_s, end_s) and what the model saw of it."""

    start_s: float
    end_s: float
    tokens: WindowTokens


@dataclass(frozen=True)
class Looked:
    """A clip looked at once: its windows, and all that was measured on the way."""

    windows: tuple[Window, ...]
    row: Assessment


#: What one answer is about: a window of each clip that is asked about, in their order.
View = tuple[Window, ...]


def answering_model(config: RunConfig, clips: int = 1) -> QualityModel:
    """Return the model `config` names, able to answer about that many clips at once.

    Raises:
        ModelError: it was made to score and cannot answer, or is missing.
        UsageError: the protocol named gives scores, or takes fewer clips.
    """
    from vqa2cli.model import load_model
    from vqa2cli.model.catalogue import CATALOGUE
    from vqa2cli.model.protocols import find_protocol

    entry, own = CATALOGUE.get(config.model), own_protocol(config.model)
    scores = bool(own) and not find_protocol(own).answers
    if scores and (config.protocol is None or (entry is not None and entry.embedded)):
        raise ModelError(_cannot(config.model))
    protocol = find_protocol(config.protocol or own or CHAT)
    if not protocol.answers:
        raise UsageError(f"protocol {protocol.name} gives scores; ask by {CHAT} with --protocol")
    return load_model(
        config.model,
        device=config.device,
        precision=config.precision,
        engine=config.engine,
        protocol=protocol if clips == 1 else protocol.of_two(),
    )


def own_protocol(model: str) -> str:
    """Return how a model wants to be asked as its files or the catalogue say, "" if neither does.

    Raises:
        ModelError: it is missing.
    """
    from vqa2cli.model.catalogue import CATALOGUE, find_model
    from vqa2cli.model.weights import stated_protocol

    entry = CATALOGUE.get(model)
    return entry.protocol if entry is not None else stated_protocol(find_model(model).path)


def _cannot(model: str) -> str:
    from vqa2cli.model.catalogue import CATALOGUE
    from vqa2cli.model.protocols import find_protocol

    able = [e.name for e in CATALOGUE.values() if find_protocol(e.protocol).answers]
    return (
        f"model {model} was trained to score and has no language stage, so it answers no "
        f"questions; ask {' or '.join(able)} with --model"
    )


def look(clip: Source, model: QualityModel, config: RunConfig) -> Looked:
    """Decode a clip once and return what the model saw of each window.

    Raises:
        VideoError: the clip cannot be decoded.
    """
    with DecodePool(1, config.max_seconds) as pool:
        return _looked(str(clip), pool.submit(clip, sampling_of(model, config)), model)


def _looked(file: str, events: Iterable[ClipEvent], model: QualityModel) -> Looked:
    started = perf_counter()
    maker = WindowMaker(model)
    windows: list[Window] = []
    closed: Closed | None = None
    for event in events:
        tokens = maker.take(event)
        match event:
            case WindowEnd():
                assert tokens is not None
                windows.append(Window(event.start_s, event.end_s, tokens))
            case Closed():
                closed = event
    if closed is None:
        raise VideoError("crashed", "decoding ended before the clip did")
    total_s = perf_counter() - started
    row = Assessment(
        file=file,
        warnings=closed.warnings,
        media=closed.media,
        model=model.info,
        stalling=closed.stalling,
        diagnostics=signal_diagnostics(closed),
        timing=maker.timing(closed, total_s),
        measures=closed.measures,
    )
    return Looked(tuple(windows), row)


def views_of(looks: Sequence[Looked]) -> tuple[View, ...]:
    """Return what is asked about, in the order of time: each window of a clip, or pairs of them.

    Of two clips the windows at the same place of each go together; where one clip has fewer,
    each of its windows goes with all those of the other that cover the same part.
    """
    most = max(len(look.windows) for look in looks)
    return tuple(
        tuple(look.windows[place * len(look.windows) // most] for look in looks)
        for place in range(most)
    )


def answers(
    views: Iterable[View],
    model: QualityModel,
    question: str,
    max_new_tokens: int | None = None,
    on_text: OnText | None = None,
) -> Iterator[str]:
    """Yield the answer to a question about each view; `on_text` gets its text as it comes.

    Raises:
        UsageError: the question is empty or too long.
    """
    asked = clean_question(question)
    for view in views:
        if len(view) == 1:
            yield model.answer(view[0].tokens, asked, max_new_tokens, on_text)
        else:
            first, second = view
            yield model.answer((first.tokens, second.tokens), asked, max_new_tokens, on_text)


def clean_question(question: str) -> str:
    """Return a question that is text alone: control characters become spaces.

    Chat marks and `<image>` need no change: a prompt encodes questions as plain text.

    Raises:
        UsageError: it is empty or longer than `MAX_QUESTION` characters.
    """
    text = "".join(c if c.isprintable() or c == "\n" else " " for c in question).strip()
    if not text:
        raise UsageError("the question is empty; ask one")
    if len(text) > MAX_QUESTION:
        raise UsageError(
            f"the question has {len(text)} characters, at most {MAX_QUESTION} are taken; shorten it"
        )
    return text
