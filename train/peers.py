"""Simple predictors that a model has to beat: what bits, quantisers and BRISQUE already tell.

All take arrays and return predictions. The regressors need scikit-learn, from the `train` extra.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from train.correlation import Groups
from train.items import Item
from vqa2cli.errors import MissingError
from vqa2cli.video.media import StreamFacts

Floats = NDArray[np.float64]

#: Codecs whose encoders tell their mean QP.
QP_CODECS = {"h264", "hevc"}

FOLDS = 5

#: Grid of the support vector regression, on standardised features and labels.
_GRID = {"svr__C": [0.5, 2.0, 8.0], "svr__gamma": [2.0**-8, 2.0**-6, 2.0**-4]}


def brisque_svr(
    train_x: ArrayLike,
    train_y: ArrayLike,
    test_x: ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
) -> Floats:
    """Return predictions [M] for BRISQUE features `test_x` [M, 36], learnt from [N, 36] and [N].

    A radial support vector regression; its penalty and width are chosen by cross-validation
    inside the training side, with the items of one group (content) kept in one fold.

    Raises:
        MissingError: scikit-learn is not installed.
        ValueError: sides that do not fit together, or fewer than two groups.
    """
    return _svr(_table(train_x), _row(train_y), _table(test_x), groups, seed)


def facts_svr(
    train_x: ArrayLike,
    train_y: ArrayLike,
    test_x: ArrayLike,
    *,
    groups: Groups | None = None,
    seed: int = 0,
) -> Floats:
    """Return predictions [M] from facts of the stream, as `brisque_svr` does from features.

    A fact that is missing (NaN) takes its median over the training side; a column without any
    value there says nothing and is set to zero.
    """
    known, asked = _table(train_x), _table(test_x)
    usual = np.array([_median(column) for column in known.T])
    return _svr(
        np.where(np.isnan(known), usual, known),
        _row(train_y),
        np.where(np.isnan(asked), usual, asked),
        groups,
        seed,
    )


def quantizer_share(codec: str, quantizer: float) -> float:
    """Return the quantizer as a share of its codec's range."""
    return quantizer / (51.0 if codec in QP_CODECS else 255.0)


def fact_features(facts: Sequence[StreamFacts], items: Sequence[Item]) -> NDArray[np.float64]:
    """Return the stream facts as numbers [n, 8]: rate, quantizer, scale, frame rate, codec."""
    codecs = ("h264", "hevc", "vp9", "av1")
    rows = [
        [
            float(np.log10(fact.bits_per_pixel or 1e-4)),
            np.nan if fact.quantizer is None else quantizer_share(fact.codec, fact.quantizer),
            fact.width / item.display[0],
            fact.fps / 30,
            *(float(fact.codec == codec) for codec in codecs),
        ]
        for fact, item in zip(facts, items, strict=True)
    ]
    return np.array(rows)


def log_bits_per_pixel(facts: Sequence[StreamFacts]) -> Floats:
    """Return log10 of the bits spent on a pixel [N]; NaN where the bit rate is not known."""
    return np.log10([fact.bits_per_pixel or np.nan for fact in facts])


def _svr(
    train_x: Floats,
    train_y: Floats,
    test_x: Floats,
    groups: Groups | None,
    seed: int,
) -> Floats:
    if len(train_x) != len(train_y) or train_x.shape[1] != test_x.shape[1]:
        raise ValueError(
            f"features {train_x.shape}, labels {train_y.shape}, asked {test_x.shape}: "
            "need as many labels as rows, and the same columns on both sides"
        )
    sklearn = scikit_learn()
    folds = sklearn.model_selection.PredefinedSplit(_folds(len(train_y), groups, seed))
    steps = [("scale", sklearn.preprocessing.StandardScaler()), ("svr", sklearn.svm.SVR())]
    search = sklearn.model_selection.GridSearchCV(
        sklearn.pipeline.Pipeline(steps), _GRID, cv=folds, scoring="neg_mean_squared_error"
    )
    centre, spread = float(train_y.mean()), float(train_y.std()) or 1.0
    search.fit(train_x, (train_y - centre) / spread)
    return np.asarray(search.predict(test_x) * spread + centre, np.float64)


def scikit_learn() -> ModuleType:
    """Return scikit-learn with the parts used here loaded, or say how to get it."""
    try:
        import sklearn
        import sklearn.dummy
        import sklearn.ensemble
        import sklearn.impute
        import sklearn.linear_model
        import sklearn.metrics
        import sklearn.model_selection
        import sklearn.neural_network
        import sklearn.pipeline
        import sklearn.preprocessing
        import sklearn.svm
    except ImportError as error:
        raise MissingError(
            "scikit-learn is not installed; regressors need it: pip install 'vqa2[train]'"
        ) from error
    loaded: ModuleType = sklearn
    return loaded


def _folds(count: int, groups: Groups | None, seed: int) -> NDArray[np.intp]:
    """Return each item's fold [N]; a group's items share one."""
    names = list(range(count) if groups is None else groups)
    if len(names) != count:
        raise ValueError(f"{len(names)} groups for {count} items; name one an item")
    distinct = list(dict.fromkeys(names))
    if len(distinct) < 2:
        raise ValueError(f"{len(distinct)} group to cross-validate on; need two or more")
    order = np.random.default_rng(seed).permutation(len(distinct))
    fold = {distinct[k]: place % FOLDS for place, k in enumerate(order)}
    return np.array([fold[name] for name in names], np.intp)


def _median(column: Floats) -> float:
    known = column[~np.isnan(column)]
    return float(np.median(known)) if len(known) else 0.0


def _table(values: ArrayLike) -> Floats:
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"features of shape {table.shape}; need a table [items, features]")
    return table


def _row(values: ArrayLike) -> Floats:
    row = np.asarray(values, np.float64)
    if row.ndim != 1 or not np.isfinite(row).all():
        raise ValueError("labels must be one row of finite numbers")
    return row
