"""The words for quality and for how bad a fault is, and the scores from 0 to 100 they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Best first. Value of each word in [0, 1] (paper, Fig. 4; REFERENCE.md §0).
LEVELS: dict[str, float] = {"high": 1.0, "good": 0.75, "fair": 0.5, "poor": 0.25, "low": 0.0}

#: Width in points of one level on the 0-100 scale (paper, stage 2: five 20-point bins).
LEVEL_WIDTH = 20.0

#: How bad a fault is, least first; "none" is never reported.
DEGREES = ("none", "slight", "noticeable", "severe")

#: Quality at and below which a fault is slight, noticeable and severe: half way between the grades
#: of the five-point impairment scale (ITU-R BT.500), whose 5, "imperceptible", is 100.
DEGREE_LIMITS = (87.5, 62.5, 37.5)


def in_words(attribute: str) -> str:
    """Return the name of what is wrong as a sentence takes it."""
    return attribute.replace("_", " ")


def degree_of(quality: float) -> str:
    """Return how bad people find what leaves a picture at `quality` (0-100)."""
    return DEGREES[sum(quality <= limit for limit in DEGREE_LIMITS)]


def score_from_probs(probs: Mapping[str, float]) -> float:
    """Return the expected quality in [0, 100] under the five words' probabilities, or NaN.

    Raises:
        ValueError: a word of `LEVELS` is missing from `probs`.
    """
    value = 100.0 * expected_value(probs, tuple(LEVELS.values()))
    return min(max(value, 0.0), 100.0)  # probabilities may sum to a rounding more than one


def expected_value(probs: Mapping[str, float], weights: Sequence[float]) -> float:
    """Return the mean of `weights` (best level first) under `probs`.

    Raises:
        ValueError: a word of `LEVELS` is missing from `probs`, or there are not five weights.
    """
    missing = LEVELS.keys() - probs.keys()
    if missing:
        raise ValueError(f"no probability for level(s) {', '.join(sorted(missing))}")
    return float(sum(probs[word] * weight for word, weight in zip(LEVELS, weights, strict=True)))


def level_of(score: float) -> str:
    """Return the word whose 20-point bin holds `score` (0-100); 80 is high, 79.99 good.

    Raises:
        ValueError: `score` lies outside [0, 100].
    """
    if not 0.0 <= score <= 100.0:
        raise ValueError(f"score {score} lies outside 0-100")
    best_first = tuple(LEVELS)
    return best_first[4 - min(int(score // LEVEL_WIDTH), 4)]


def soft_levels(score: float) -> dict[str, float]:
    """Return the five-level distribution whose expected score is `score` (0-100).

    The mass lies on the two neighbouring level values, so `score_from_probs` inverts it
    exactly; it is the training target for a score that falls between two words.

    Raises:
        ValueError: `score` lies outside [0, 100].
    """
    if not 0.0 <= score <= 100.0:
        raise ValueError(f"score {score} lies outside 0-100")
    step = 1.0 / (len(LEVELS) - 1)
    return {
        word: max(0.0, 1.0 - abs(score / 100.0 - value) / step) for word, value in LEVELS.items()
    }
