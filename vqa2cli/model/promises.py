"""What streams of such facts and pictures are usually worth, beside what the model says of one.

The language model is told the usual quality and weighs it by itself, but not well: where facts and
pictures agree it strays from what it was told, and where they do not it still believes half of
it. So its score is put together with the usual one afterwards (round 34 of docs/mini.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vqa2cli.assessment import Distortion, Score
from vqa2cli.config import MOST_PROMISED
from vqa2cli.levels import LEVELS, level_of, score_from_probs, soft_levels

#: Share of the usual quality in the score of pictures that keep what facts promise.
USUAL_SHARE = 0.5

#: Points beyond `MOST_PROMISED` within which belief in facts is lost.
LOST_WITHIN = 30.0


def is_broken(said: Score, usual: float | None) -> bool:
    """Return whether a stream promises more, by `MOST_PROMISED` points, than its score is."""
    return usual is not None and usual - said.value > MOST_PROMISED


def weighed(
    said: Score, usual: float | None, shown: Distortion | None, alone: Score | None
) -> Score:
    """Return the score of a window, put together of what is said of it and what is usual.

    Where a promise is kept, and the head names no distortion, the score lies `USUAL_SHARE` of the
    way to the usual quality. Where it is broken, that fades, and the score falls, slowly first, to
    what pictures alone are worth: by the model on its own or by the head, whichever is less.

    Args:
        said: by the model that is told the facts.
        usual: quality of streams like this one, 0-100; None: `said` stands.
        shown: what the head sees in the key frames; None where there is no head.
        alone: by the model that is told no facts; needed where the promise `is_broken`.
    """
    if usual is None or said.value != said.value:
        return said
    broken = min(max((usual - said.value - MOST_PROMISED) / LOST_WITHIN, 0.0), 1.0)
    sound = shown is None or shown.name == "none"
    score = _towards(said, soft_levels(usual), USUAL_SHARE * (1.0 - broken) if sound else 0.0)
    if broken and alone is not None:
        worth = alone.probs
        if shown is not None and shown.quality < alone.value:
            worth = soft_levels(shown.quality)
        if score_from_probs(worth) < score.value:
            score = _towards(score, worth, broken**2)
    return score


def _towards(score: Score, probs: Mapping[str, float], share: float) -> Score:
    """Return `score` with so much of its belief in each level put where `probs` have it."""
    if not share:
        return score
    mixed = {word: (1.0 - share) * score.probs[word] + share * probs[word] for word in LEVELS}
    value = score_from_probs(mixed)
    return replace(score, value=value, level=level_of(value), probs=mixed)
