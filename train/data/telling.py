"""Findings in words: how strong, what, when, where."""

from __future__ import annotations

from train.data.attributes import attributes
from train.data.depictions import Depiction, Finding
from train.data.looks import MediaFacts

#: What is said where nothing is wrong.
NOTHING = "no visible distortion"


def when(finding: Finding, facts: MediaFacts) -> str:
    """Return when a finding shows, as the end of a sentence; nothing for a picture."""
    if facts.kind == "image":
        return ""
    start, end = span_of(finding, facts)
    duration = facts.duration_s or end
    from_start, to_end = start <= 0.05, end >= duration - 0.05
    if from_start and to_end:
        return " throughout the video"
    if from_start:
        return f" from the start to {end:.1f} s"
    if to_end:
        return f" from {start:.1f} s to the end"
    return f" from {start:.1f} s to {end:.1f} s"


def span_of(finding: Finding, facts: MediaFacts) -> tuple[float, float]:
    """Return the seconds in which a finding shows."""
    duration = facts.duration_s if facts.duration_s is not None else finding.end_s or 0.0
    return finding.start_s or 0.0, duration if finding.end_s is None else finding.end_s


def is_partial(finding: Finding, facts: MediaFacts) -> bool:
    """Return whether a finding shows in part of a clip only."""
    return facts.kind == "video" and when(finding, facts) != " throughout the video"


def named(finding: Finding) -> str:
    """Return degree and attribute, such as `severe noise`."""
    return f"{finding.degree} {finding.attribute}"


def sentence(finding: Finding, facts: MediaFacts, *, look: bool = True) -> str:
    """Return one finding as a sentence, with how it looks where that is known."""
    where = f" in {finding.where}" if finding.where else ""
    known = attributes().get(finding.attribute)
    seen = f": {known.seen}" if known is not None and look else ""
    return f"{capitalised(named(finding))} is visible{where}{when(finding, facts)}{seen}."


def depiction_text(depiction: Depiction, facts: MediaFacts) -> str:
    """Return every finding in sentences, the strongest first, and which matters most."""
    ranked = depiction.ranked
    shows = f"The {facts.kind} shows {depiction.scene}." if depiction.scene else ""
    if not ranked:
        calm = " from start to end" if facts.kind == "video" else ""
        parts = [shows, f"There is {NOTHING} in the {facts.kind}{calm}."]
    else:
        parts = [shows, *(sentence(finding, facts) for finding in ranked)]
    if len(ranked) > 1:
        parts.append(f"The {ranked[0].attribute} harms the {facts.kind} most.")
    return " ".join(part for part in parts if part)


def listed(words: list[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def capitalised(text: str) -> str:
    """Return `text` with its first letter large and the others as they are."""
    return text[:1].upper() + text[1:]
