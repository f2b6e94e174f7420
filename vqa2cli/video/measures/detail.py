"""Sharpness, noise, blocks, bands and combs of one picture, from patches of its luma."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Every how many-th line of a patch is looked along.
_EVERY = 2

#: Width of the strong blur, px (Crete et al. use 9).
_BLUR_WIDTH = 9
#: Mean absolute gradient, codes, below which a patch has no detail to judge; ours.
_LEAST_GRADIENT = 1.0
#: Share of the patches that may be sharper, or quieter, than the one that speaks for the picture.
_BEST_SHARE = 0.2

#: Steps above this many codes are edges of things, not of blocks; ours.
_BLOCK_STEP = 16.0
#: Codes added to both sides of a ratio, so that flat pictures give 0 and not chance; ours.
_FLOOR = 0.3
_BLOCK = 8

#: A band's edge: one step of at least this many codes, and this many px on both sides in which
#: nothing changes by more than a code; ours.
_BAND_STEP = 3.0
_BAND_RUN = 3

#: How much worse a line fits its neighbour than the line after that in a combed patch, and the
#: least difference of neighbours in it, codes; ours, the comparison is that of FFmpeg's `idet`.
_COMB_GAIN = 1.2
_COMB_STEP = 3.0


def blur_of_patches(patches: Floats) -> Floats:
    """Return how little sharp detail there is in each patch [p], 0 (sharp) to 1 (all blurred).

    A strong blur of a sharp picture takes most of its neighbour differences away, one of a
    blurred picture hardly any. NaN without any detail.

    Args:
        patches: luma [p, s, s], 8-bit codes.

    Source: F. Crete et al., "The blur effect: perception and estimation with a new
    no-reference perceptual blur metric", SPIE 6492, 2007.
    """
    across = _left_by_blur(patches[:, ::_EVERY])
    down = _left_by_blur(np.ascontiguousarray(np.swapaxes(patches, 1, 2)[:, ::_EVERY]))
    both: Floats = np.fmax(across, down)
    return both


def blur(of_patches: Floats) -> float:
    """Return the blur of a picture, 0-1: that of the sharpest fifth of its patches.

    A soft background behind a sharp subject does not count so. NaN where no patch has detail.

    Args:
        of_patches: see `blur_of_patches`.
    """
    known = of_patches[np.isfinite(of_patches)]
    return float(np.quantile(known, _BEST_SHARE)) if known.size else float("nan")


def _left_by_blur(lines: Floats) -> Floats:
    """Return for each patch [p, lines, s] the share of differences along lines a blur leaves."""
    half = _BLUR_WIDTH // 2
    steps = np.abs(lines[:, :, half + 1 : -half] - lines[:, :, half : -half - 1])
    # The mean over the width moves by what enters less what leaves.
    kept = np.abs(lines[:, :, _BLUR_WIDTH:] - lines[:, :, :-_BLUR_WIDTH])
    kept *= np.float32(1 / _BLUR_WIDTH)
    lost = np.maximum(steps - kept, 0).sum((1, 2))
    whole = steps.sum((1, 2))
    enough = whole >= _LEAST_GRADIENT * steps[0].size
    share = np.full(len(lines), np.nan, np.float32)
    share[enough] = 1 - lost[enough] / whole[enough]
    return share


def noise(patches: Floats) -> float:
    """Return the deviation of fine noise in 8-bit codes, 0 and up.

    A kernel that answers neither to flat parts nor to straight edges leaves the noise; the
    value is that of the quietest fifth of the patches, so that texture hardly counts.

    Args:
        patches: luma [p, s, s], 8-bit codes.

    Source: J. Immerkær, "Fast noise variance estimation", Computer Vision and Image
    Understanding 64(2), 1996; the choice of patches is ours.
    """
    rows = patches[:, :-2] - 2 * patches[:, 1:-1] + patches[:, 2:]
    both = rows[:, :, :-2] - 2 * rows[:, :, 1:-1] + rows[:, :, 2:]
    deviations = np.sqrt(np.pi / 2) / 6 * np.abs(both).mean((1, 2))
    return float(np.quantile(deviations, _BEST_SHARE))


def blockiness(patches: Floats) -> float:
    """Return how much larger steps between 8 px blocks are than steps inside, less 1; 0 and up.

    0 says that the grid does not show; 1 that its steps are twice those inside.

    Args:
        patches: luma [p, s, s] as coded, corners on multiples of 8; 8-bit codes.

    Source: the comparison of Z. Wang, A. C. Bovik and B. L. Evans, "Blind measurement of
    blocking artifacts in images", ICIP 2000, in space instead of frequency; the cap on steps
    is ours.
    """
    ratios = []
    for axis in (1, 2):
        steps = np.minimum(np.abs(np.diff(patches, axis=axis)), _BLOCK_STEP)
        profile = steps.mean((0, 3 - axis))
        edges = profile[_BLOCK - 1 :: _BLOCK].mean()
        inside = np.delete(profile, slice(_BLOCK - 1, None, _BLOCK)).mean()
        ratios.append((edges + _FLOOR) / (inside + _FLOOR) - 1)
    return float(max(np.mean(ratios), 0.0))


def banding(patches: Floats) -> float:
    """Return the share of all luma change that lies in lone steps between flat runs, %.

    Smooth shading that lost its steps in between shows as bands. Drawings and captions have
    such steps too.

    Args:
        patches: luma [p, s, s] as coded, 8-bit codes.

    Source: the picture of banding in P. Tandon et al., "CAMBI: Contrast-aware Multiscale
    Banding Index", PCS 2021; the measure is ours.
    """
    lone = total = 0.0
    for turned in (patches, np.swapaxes(patches, 1, 2)):
        lines = np.ascontiguousarray(turned[:, ::_EVERY])
        steps = np.abs(lines[:, :, 1:] - lines[:, :, :-1])
        alone = steps[:, :, _BAND_RUN:-_BAND_RUN] >= _BAND_STEP
        total += float(steps[:, :, _BAND_RUN:-_BAND_RUN].sum())
        if not alone.any():
            continue
        flat = steps <= 1.0
        width = steps.shape[2]
        for off in (*range(_BAND_RUN), *range(_BAND_RUN + 1, 2 * _BAND_RUN + 1)):
            alone &= flat[:, :, off : width - 2 * _BAND_RUN + off]
        lone += float(steps[:, :, _BAND_RUN:-_BAND_RUN][alone].sum())
    return 100 * lone / total if total else float("nan")


def combing(patches: Floats) -> float:
    """Return the share of detailed patches whose lines fit the second next better, %.

    Two fields of different times woven together make combs wherever something moves.

    Args:
        patches: luma [p, s, s] as coded, rows in the second axis, 8-bit codes.

    Source: the comparison of lines of FFmpeg's `idet`; thresholds and sharing are ours.
    """
    next_line = np.abs(patches[:, 1:-1] - patches[:, :-2]).mean((1, 2))
    second_next = np.abs(patches[:, 2:] - patches[:, :-2]).mean((1, 2))
    combed = (next_line > _COMB_STEP) & (next_line > _COMB_GAIN * second_next)
    return float(100 * combed.mean())
