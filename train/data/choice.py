"""Which rated videos may be trained on: the paper's sampling, and nothing that is tested on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from train.data.rated_sets import RATED_SETS, Task
from train.data.scales import RELATIVE
from vqa2cli.errors import UsageError

if TYPE_CHECKING:
    from train.data.ratings import Rating

#: `paper`: of the sets we know, only those its stage 2 learns from. `all`: every set that it
#: does not test on. Sets we do not know are a user's own and taken either way.
Sampling = Literal["paper", "all"]

SAMPLINGS: Final[tuple[Sampling, ...]] = ("paper", "all")


@dataclass(frozen=True)
class Choice:
    """What to take.

    Attributes:
        task: `ugc` or `streaming`.
        sampling: see `Sampling`.
        sets: names of sets to take instead, whatever the sampling says.
        held_out: contents that are tested on, in addition to those of test sets.
    """

    task: Task
    sampling: Sampling = "paper"
    sets: tuple[str, ...] = ()
    held_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Chosen:
    """Ratings to train on, and how many were left out, by set and reason."""

    ratings: tuple[Rating, ...]
    left_out: Counter[str] = field(default_factory=Counter)


def chosen(ratings: Sequence[Rating], choice: Choice) -> Chosen:
    """Return the ratings to train on.

    The leakage rule: a content that is in a test set of the paper, in a file's own test split,
    or among the held-out ones is not trained on, under any set's name. The paper itself took
    998 videos of LSVQ-1080p and 497 of LIVE-VQC for stage 3 and tests on the other 2,575 and
    88; with lists of those as held-out contents, such a set can be named and the rest taken.

    A name with two different scores is left out with both, since it cannot be told which of
    them its file has.

    Raises:
        UsageError: a set is named that is not there, or is a test set of which nothing is
            held out.
    """
    _check_named(ratings, choice)
    tested = {rating.content for rating in ratings if _is_tested(rating, choice)}
    tested |= choice.held_out
    ambiguous = _ambiguous(ratings)
    kept: dict[tuple[str, str], Rating] = {}
    left_out: Counter[str] = Counter()
    for rating in ratings:
        key = (rating.dataset, rating.media)
        reason = _why_not(rating, choice, tested)
        if not reason and key in ambiguous:
            reason = "one name with two scores"
        if not reason and key in kept:
            reason = "listed before"
        if reason:
            left_out[f"{rating.dataset}: {reason}"] += 1
        else:
            kept[key] = rating
    return Chosen(tuple(kept.values()), left_out)


def contents_of(ratings: Iterable[Rating]) -> frozenset[str]:
    """Return the contents of a list of held-out ratings."""
    return frozenset(rating.content for rating in ratings)


def _check_named(ratings: Sequence[Rating], choice: Choice) -> None:
    there = {rating.dataset for rating in ratings}
    for name in choice.sets:
        if name not in there:
            raise UsageError(f"no set {name} in these labels; there are {', '.join(sorted(there))}")
        own = {rating.content for rating in ratings if rating.dataset == name}
        if _role(name) == "test" and not own & choice.held_out:
            raise UsageError(
                f"{name} is tested on; name the part to keep for tests with --held-out, or train "
                "on another set"
            )


def _is_tested(rating: Rating, choice: Choice) -> bool:
    if rating.dataset in choice.sets:
        return rating.split == "test" and _role(rating.dataset) != "test"
    return _role(rating.dataset) == "test" or rating.split == "test"


def _why_not(rating: Rating, choice: Choice, tested: Collection[str]) -> str:
    """Return why a rating is left out, nothing if it is taken."""
    rated = RATED_SETS.get(rating.dataset)
    task = rated.task if rated else ("streaming" if rating.stalls is not None else "ugc")
    named = rating.dataset in choice.sets
    checks = (
        (task != choice.task, f"a set for {task}"),
        (bool(choice.sets) and not named, "not among the sets named"),
        (rating.scale == RELATIVE, "ranked within each reference, so on no common scale"),
        (_is_tested(rating, choice), "tested on"),
        (rating.content in tested, "its content is tested on"),
        (not named and _outside(rating, choice), "not in the paper's stage 2"),
    )
    return next((reason for applies, reason in checks if applies), "")


def _outside(rating: Rating, choice: Choice) -> bool:
    return choice.sampling == "paper" and _role(rating.dataset) == "other"


def _role(dataset: str) -> str:
    rated = RATED_SETS.get(dataset)
    return rated.role if rated else "own"


def _ambiguous(ratings: Sequence[Rating]) -> set[tuple[str, str]]:
    """Return (set, medium) of what has two different scores."""
    first: dict[tuple[str, str], float] = {}
    found = set()
    for rating in ratings:
        key = (rating.dataset, rating.media)
        if first.setdefault(key, rating.mos) != rating.mos:
            found.add(key)
    return found
