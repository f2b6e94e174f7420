"""A model asked every question: clips found, looked at once, and answers kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from train.data.media_folder import MediaFolder
from train.qbench.answers import Answer, KeptAnswers, answer_key
from train.qbench.letters import Protocol
from train.qbench.prompts import asked_officially, prompt_text
from train.qbench.questions import Question
from train.qbench.views import view
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError, VideoError

if TYPE_CHECKING:
    from vqa2cli.model import QualityModel, WindowTokens

#: Presets of the authors' prompts about one clip (REFERENCE.md §4.3), the published one first.
PROMPTS: Final = ("qbench-2024", "qbench-2025")


@dataclass(frozen=True)
class AskSettings:
    """Which clips a model is asked about, how, and where its answers are kept."""

    media: Path
    protocol: Protocol
    kept: Path
    config: RunConfig
    max_new_tokens: int | None = None


def ask_all(
    questions: Iterable[Question], model: QualityModel, settings: AskSettings
) -> dict[str, Answer]:
    """Return the answer to every question, without a text where a clip is missing or broken.

    Each set of clips is looked at once for all its questions. An answer is kept under the
    weights, the protocol, the prompt and the bytes of the clips, as soon as it is given.

    Raises:
        UsageError: there is no such folder, a question is too long, or an answer cannot be kept.
    """
    asked_of = list(questions)
    for question in asked_of:
        prompt_text(question, settings.protocol)
    folder = MediaFolder(settings.media)
    kept = KeptAnswers(settings.kept)
    groups: dict[tuple[str, ...], list[Question]] = {}
    for question in asked_of:
        groups.setdefault(question.videos, []).append(question)
    answers: dict[str, Answer] = {}
    for videos, asked in tqdm(groups.items(), desc="asked", unit="clip", disable=None):
        try:
            paths = [_find(folder, video) for video in videos]
            contents = [_content(path) for path in paths]
        except VideoError as error:
            answers |= _unanswered(asked, error)
            continue
        asker = _Asker(model, paths, contents, settings, kept)
        answers |= asker.answers(asked)
    return answers


def _find(folder: MediaFolder, video: str) -> Path:
    try:
        return folder.folder / folder.find(video)
    except LookupError as error:
        raise VideoError("not_found", f"{video}: {error} below {folder.folder}") from error


def _unanswered(asked: Iterable[Question], error: VideoError) -> dict[str, Answer]:
    return {question.id: Answer(None, str(error)) for question in asked}


class _Asker:
    """Puts the questions about one clip, or two, of which answers may be kept already."""

    def __init__(
        self,
        model: QualityModel,
        paths: Sequence[Path],
        contents: Sequence[str],
        settings: AskSettings,
        kept: KeptAnswers,
    ) -> None:
        official = settings.protocol == "official"
        self._model = asked_officially(model, len(paths)) if official else model
        self._paths, self._contents = paths, contents
        self._settings, self._kept = settings, kept

    def answers(self, asked: Sequence[Question]) -> dict[str, Answer]:
        """Return the answer to each question; the clips are looked at only where one is new."""
        prompts = {one.id: prompt_text(one, self._settings.protocol) for one in asked}
        keys = {name: self._key(prompt) for name, prompt in prompts.items()}
        new = [one for one in asked if self._kept.get(keys[one.id]) is None]
        failed: dict[str, Answer] = {}
        if new:
            try:
                seen = self._view()
            except VideoError as error:
                failed = _unanswered(new, error)
            else:
                for one in new:
                    text = self._model.answer(seen, prompts[one.id], self._settings.max_new_tokens)
                    self._kept.put(keys[one.id], one, text)
        kept = {one.id: self._kept.get(keys[one.id]) for one in asked}
        return {name: Answer(text) for name, text in kept.items() if text is not None} | failed

    def _key(self, prompt: str) -> str:
        context = {
            "model": asdict(self._model.info),
            "protocol": self._settings.protocol,
            "max_new_tokens": self._settings.max_new_tokens,
        }
        return answer_key(context, prompt, self._contents)

    def _view(self) -> WindowTokens:
        return view(self._model, self._paths, self._settings.protocol, self._settings.config)


def _content(path: Path) -> str:
    """Return the SHA-256 of a clip."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise VideoError("unreadable", f"{path.name}: {error.strerror or error}") from error


def open_model(config: RunConfig) -> QualityModel:
    """Return the model that `config` names, able to answer.

    Raises:
        UsageError: `config` names no prompt of the benchmark.
        ModelError: it cannot answer, or is missing.
    """
    from vqa2cli.asking import answering_model

    if config.protocol not in PROMPTS:
        raise UsageError(f"prompt {config.protocol}: choose {' or '.join(PROMPTS)}")
    return answering_model(config)
