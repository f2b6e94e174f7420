"""Quantiles of a few values."""

from __future__ import annotations

import numpy as np
import pytest

from vqa2cli.video.measures.ranks import quantiles


@pytest.mark.parametrize("count", [1, 2, 3, 35, 3600])
def test_quantiles_are_those_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count).astype(np.float32)
    shares = (0.0, 0.2, 0.35, 0.65, 1.0)
    found = quantiles(values, shares)
    assert found == pytest.approx(np.quantile(values, shares), rel=1e-5, abs=1e-6)
