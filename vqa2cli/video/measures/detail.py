"""Sharpness, noise, blocks, bands and combs of pictures, from patches of their luma."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vqa2cli.video.measures.planes import Codes, Floats, Patches, Reals, apart_across
from vqa2cli.video.measures.ranks import quantiles

#: Every how many-th line of a patch is looked along.
_EVERY = 2

#: Upper end of a clip that is to have none: with both ends it takes a sixth of the time (NumPy
#: 2.4), but a Python integer of this value would pass for no end again.
_MOST = np.int16(np.iinfo(np.int16).max)

#: Width of the strong blur, px (Crete et al. use 9).
_BLUR_WIDTH = 9
#: Mean absolute gradient, codes, below which a patch has no detail to judge; ours.
_LEAST_GRADIENT = 1.0
#: Share of the patches that may be sharper, or quieter, than the one that speaks for the picture.
_BEST_SHARE = 0.2

#: Steps above this many codes are edges of things, not of blocks; ours.
_BLOCK_STEP = 16
#: Codes added to both sides of a ratio, so that flat pictures give 0 and not chance; ours.
_FLOOR = 0.3
_BLOCK = 8

#: A band's edge: one step of at least this many codes, and this many px on both sides in which
#: nothing changes by more than a code; ours.
_BAND_STEP = 3
_BAND_RUN = 3

#: How much worse a line fits its neighbour than the line after that in a combed patch, and the
#: least difference of neighbours in it, codes; ours, the comparison is that of FFmpeg's `idet`.
_COMB_GAIN = 1.2
_COMB_STEP = 3.0


def blur_of_patches(patches: Patches) -> Floats:
    """Return how little sharp detail there is in each patch, 0 (sharp) to 1 (all blurred): [n, p].

    A strong blur of a sharp picture takes most of its neighbour differences away, one of a
    blurred picture hardly any. NaN without any detail.

    Source: F. Crete et al., "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric", SPIE 6492, 2007.
    """
    half = _BLUR_WIDTH // 2
    width = patches.codes.shape[-1] - _BLUR_WIDTH
    # The mean over the width moves by what enters less what leaves.
    rows = patches.codes[::_EVERY]
    kept, steps = apart_across(rows, 0, _BLUR_WIDTH), apart_across(rows, half, half + 1)
    across = _left_by_blur(steps, kept, slice(width), patches.unit)
    columns = np.ascontiguousarray(patches.codes[..., ::_EVERY])
    kept = np.abs(columns[_BLUR_WIDTH:] - columns[:-_BLUR_WIDTH])
    steps = np.abs(columns[half + 1 : -half] - columns[half : -half - 1])
    down = _left_by_blur(steps, kept, slice(None), patches.unit)
    both: Floats = np.fmax(across, down)
    return both


def blur(of_patches: Floats) -> Floats:
    """Return the blur of pictures, 0-1: that of the sharpest fifth of their patches: [n].

    A soft background behind a sharp subject does not count so. NaN where no patch has detail.

    Args:
        of_patches: see `blur_of_patches`.
    """
    found = np.full(len(of_patches), np.nan, np.float32)
    for at, values in enumerate(of_patches):
        known = values[np.isfinite(values)]
        if known.size:
            (found[at],) = quantiles(known, (_BEST_SHARE,))
    return found


def _left_by_blur(steps: Codes, kept: Codes, columns: slice, unit: int) -> Floats:
    """Return for each patch the share of `steps` that a blur leaves, which keeps `kept` over all.

    Args:
        steps: differences [r, n, p, c] of neighbours.
        kept: those at the same places of what is `_BLUR_WIDTH` apart.
        columns: which of them count.
        unit: that of the patches.

    Returns:
        [n, p], NaN where there are hardly any.
    """
    lost = np.clip(steps * np.int16(_BLUR_WIDTH) - kept, 0, _MOST)
    lost_of, whole = (_of_patches(each, columns) for each in (lost, steps))
    enough = whole >= _LEAST_GRADIENT * unit * steps[:, 0, 0, columns].size
    share = np.full(whole.shape, np.nan, np.float32)
    share[enough] = 1 - lost_of[enough] / (_BLUR_WIDTH * whole[enough])
    return share


def _of_patches(values: Codes, columns: slice = slice(None)) -> NDArray[np.int64]:
    """Return the sum [n, p] over each patch of `values` [r, n, p, c], those of `columns` alone."""
    rows = np.add.reduce(values, axis=0, dtype=np.int32)
    sums: NDArray[np.int64] = rows[..., columns].sum(-1)
    return sums


def noise(patches: Patches) -> Reals:
    """Return the deviation of fine noise in 8-bit codes, 0 and up: [n].

    A kernel that answers neither to flat parts nor to straight edges leaves the noise; the
    value is that of the quietest fifth of the patches, so that texture hardly counts.

    Source: J. Immerkær, "Fast noise variance estimation", Computer Vision and Image
    Understanding 64(2), 1996; the choice of patches is ours.
    """
    bends = (patches.signed_down[1:] - patches.signed_down[:-1]).reshape(-1)
    steps = bends[1:] - bends[:-1]
    both = np.zeros_like(patches.signed_down[1:])
    inside = both.reshape(-1)[:-2]
    np.subtract(steps[1:], steps[:-1], out=inside)
    np.abs(inside, out=inside)
    columns = slice(-2)
    means = _of_patches(both, columns) / (patches.unit * both[:, 0, 0, columns].size)
    deviations: Reals = np.quantile(np.sqrt(np.pi / 2) / 6 * means, _BEST_SHARE, axis=1)
    return deviations


def blockiness(patches: Patches) -> Reals:
    """Return how much larger steps between 8 px blocks are than those inside, less 1: [n], from 0.

    0 says that the grid does not show; 1 that its steps are twice those inside.

    Args:
        patches: as coded, corners on multiples of 8.

    Source: the comparison of Z. Wang, A. C. Bovik and B. L. Evans, "Blind measurement of
    blocking artifacts in images", ICIP 2000, in space instead of frequency; the cap on steps
    is ours.
    """
    most = _BLOCK_STEP * patches.unit
    across, down = (np.clip(steps, 0, most) for steps in (patches.across, patches.down))
    columns = np.add.reduce(across, axis=0, dtype=np.int16)[..., :-1].mean(1) / len(across)
    pictures = down.shape[1]
    rows = down.reshape(len(down), pictures, -1).sum(-1, dtype=np.int32).T / down[0, 0].size
    between = np.arange(len(down)) % _BLOCK == _BLOCK - 1
    ratios = np.zeros(pictures)
    for profile in (columns / patches.unit, rows / patches.unit):
        edges, inside = (profile[:, which].mean(1) for which in (between, ~between))
        ratios += ((edges + _FLOOR) / (inside + _FLOOR) - 1) / 2
    return np.maximum(ratios, 0.0)


def banding(patches: Patches) -> Reals:
    """Return the share of all luma change that lies in lone steps between flat runs, %: [n].

    Smooth shading that lost its steps in between shows as bands. Drawings and captions have
    such steps too.

    Args:
        patches: as coded.

    Source: the picture of banding in P. Tandon et al., "CAMBI: Contrast-aware Multiscale
    Banding Index", PCS 2021; the measure is ours.
    """
    rows, columns = patches.across[::_EVERY], np.ascontiguousarray(patches.down[..., ::_EVERY])
    along = _alone(rows.reshape(len(rows), -1).T, patches.unit).T.reshape(rows.shape)
    down = _alone(columns.reshape(len(columns), -1), patches.unit).reshape(columns.shape)
    within = slice(_BAND_RUN, -1 - _BAND_RUN)  # what reaches into the next patch is left out
    lone = _of_patches(rows * along, within) + _of_patches(columns * down)
    inner = columns[_BAND_RUN:-_BAND_RUN]
    total = (_of_patches(rows, within) + _of_patches(inner)).sum(1)
    share = np.full(len(total), np.nan)
    np.divide(100 * lone.sum(1), total, out=share, where=total > 0)
    return share


def _alone(steps: Codes, unit: int) -> NDArray[np.bool_]:
    """Return which of `steps` are large with nothing but small ones near them on the first axis."""
    alone = steps >= _BAND_STEP * unit
    alone[:_BAND_RUN] = alone[-_BAND_RUN:] = False
    if alone.any():
        flat, inner = steps <= unit, alone[_BAND_RUN:-_BAND_RUN]
        for off in (*range(_BAND_RUN), *range(_BAND_RUN + 1, 2 * _BAND_RUN + 1)):
            inner &= flat[off : len(inner) + off]
    return alone


def combing(patches: Patches) -> Reals:
    """Return the share of detailed patches whose lines fit the second next better, %: [n].

    Two fields of different times woven together make combs wherever something moves.

    Args:
        patches: as coded.

    Source: the comparison of lines of FFmpeg's `idet`; thresholds and sharing are ours.
    """
    next_line = _of_patches(patches.down[:-1])
    second_next = _of_patches(np.abs(patches.codes[2:] - patches.codes[:-2]))
    least = _COMB_STEP * patches.unit * patches.codes[2:, 0, 0].size
    combed = (next_line > least) & (next_line > _COMB_GAIN * second_next)
    share: Reals = 100 * combed.mean(1)
    return share
