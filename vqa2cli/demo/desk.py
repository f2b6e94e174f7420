"""Where clips of the page are looked at: one at a time, by models loaded once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from typing import TYPE_CHECKING

from vqa2cli.asking import Looked, OnText, View, answers, look, views_of
from vqa2cli.config import RunConfig
from vqa2cli.demo.fragment import clip_fragment, error_fragment
from vqa2cli.errors import VideoError, Vqa2Error
from vqa2cli.pipeline import score_files
from vqa2cli.report.explain.explanation import explain
from vqa2cli.report.plain_text import one_line, short_line
from vqa2cli.video.playlists.expand import is_playlist
from vqa2cli.video.stills import save_stills

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel

logger = logging.getLogger(__name__)

#: Longest answer, tokens.
MAX_TOKENS = 512


class Desk:
    """Looks at a clip and answers questions about it, one thing at a time."""

    def __init__(self, scorer: QualityModel, config: RunConfig, answerer: QualityModel) -> None:
        self._scorer, self._answerer, self._config = scorer, answerer, config
        self._busy = Lock()
        self._seen: tuple[Path, Looked] | None = None

    def told(self, clip: Path) -> str:
        """Return what is told of a clip as HTML, or why nothing is, on one line."""
        with self._busy:
            try:
                return self._told(clip)
            except Vqa2Error as error:
                return error_fragment(_without_folder(str(error), clip))
            except Exception as error:  # a bug of ours: one line for people, the rest in the log
                logger.debug("internal error", exc_info=True)
                return error_fragment(f"internal error: {type(error).__name__}: {error}")

    def _told(self, clip: Path) -> str:
        if is_playlist(clip):
            raise VideoError(
                "playlist",
                f"{clip.name}: a playlist without the files it names; drop a clip, or score the "
                "playlist with vqa2 score",
            )
        (row,) = score_files([clip], self._scorer, self._config)
        if row.error is not None:
            return error_fragment(f"{clip.name}: {_without_folder(row.error.message, clip)}")
        told = explain(replace(row, file=clip.name))
        with TemporaryDirectory(prefix="vqa2-stills-") as folder:
            targets = [Path(folder, f"{place}.png") for place in range(len(told.moments))]
            if targets:
                times = [moment.time_s for moment in told.moments]
                save_stills(clip, times, targets, self._config.max_seconds)
            return clip_fragment(told, targets)

    def answer(self, clip: Path, question: str) -> Iterator[str]:
        """Yield the answer to a question about a clip as far as it has come, ever longer."""
        with self._busy:
            try:
                yield from self._answer(clip, question)
            except Vqa2Error as error:
                yield short_line(_without_folder(str(error), clip))
            except Exception as error:  # as above
                logger.debug("internal error", exc_info=True)
                yield short_line(f"internal error: {type(error).__name__}: {error}")

    def _answer(self, clip: Path, question: str) -> Iterator[str]:
        views = views_of([self._looked(clip)])
        text = ""
        for view in views:
            if len(views) > 1:
                text += f"{view[0].start_s:.2f}-{view[0].end_s:.2f} s: "
            with _streamed(partial(_say, view, self._answerer, question)) as bits:
                for bit in bits:
                    text += bit
                    yield "\n".join(map(one_line, text.split("\n")))
            text += "\n"

    def _looked(self, clip: Path) -> Looked:
        """Return what the model saw of a clip; the last one is kept for further questions."""
        if self._seen is None or self._seen[0] != clip:
            self._seen = None
            config = replace(self._config, diagnostics=False)
            self._seen = (clip, look(clip, self._answerer, config))
        return self._seen[1]


def _say(view: View, model: QualityModel, question: str, say: OnText) -> None:
    for _ in answers([view], model, question, MAX_TOKENS, say):
        pass


def _without_folder(message: str, clip: Path) -> str:
    """Return `message` naming the clip by its name: the folder is one of ours."""
    return message.replace(str(clip), clip.name)


@contextmanager
def _streamed(work: Callable[[OnText], None]) -> Iterator[Iterator[str]]:
    """Run `work` in a thread and give the bits of text it says, as they come."""
    said: SimpleQueue[str | BaseException | None] = SimpleQueue()

    def run() -> None:
        try:
            work(said.put)
        except BaseException as error:  # raised again where the bits are read
            said.put(error)
        else:
            said.put(None)

    def bits() -> Iterator[str]:
        while (bit := said.get()) is not None:
            if isinstance(bit, BaseException):
                raise bit
            yield bit

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield bits()
    finally:
        thread.join()
