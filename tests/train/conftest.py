"""What tests of training share: regressors of few trees, for clips that are few themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from train import expectation, regressors


@pytest.fixture(scope="session", autouse=True)
def few_trees() -> Iterator[None]:
    """Grow a fifth of the trees that a recipe does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regressors, "BOOSTINGS", 1)
        for trees, key in (
            (regressors.TREES, "max_iter"),
            (expectation.GROWN, "n_estimators"),
        ):
            patch.setitem(trees, key, trees[key] // 5)
        yield
