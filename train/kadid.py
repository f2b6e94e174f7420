"""The KADID-10k axis: 25 distortion types, what sets each level, and what people thought of it.

Names and mean ratings: KADID-10k (Lin, Hosu, Saupe, QoMEX 2019), means over its 81 contents.
Parameters: the KADIS-700k generator as ported by ARNIQA (Agnolucci et al., WACV 2024).
The parameters are in pixels of 512×384 pictures, so on a larger picture a level looks milder.
"""

from __future__ import annotations

KADID_TYPES: dict[int, str] = {
    1: "gaussian blur",
    2: "lens blur",
    3: "motion blur",
    4: "color diffusion",
    5: "color shift",
    6: "color quantization",
    7: "color saturation 1",
    8: "color saturation 2",
    9: "JPEG2000",
    10: "JPEG",
    11: "white noise",
    12: "white noise (color component)",
    13: "impulse noise",
    14: "multiplicative noise",
    15: "denoise",
    16: "brighten",
    17: "darken",
    18: "mean shift",
    19: "jitter",
    20: "non-eccentricity patch",
    21: "pixelate",
    22: "quantization",
    23: "color block",
    24: "high sharpen",
    25: "contrast change",
}

#: What a finding of each type is called, by its number; 0 is a clip that is only encoded. Mean
#: shift and contrast change go both ways, and which of them it is the type does not say.
FOUND_AS: tuple[str, ...] = (
    "none",
    "blur",
    "blur",
    "motion_blur",
    "color_bleeding",
    "color_shift",
    "banding",
    "undersaturation",
    "oversaturation",
    "compression",
    "compression",
    "noise",
    "noise",
    "noise",
    "noise",
    "blur",
    "overexposure",
    "underexposure",
    "brightness_shift",
    "scattered_pixels",
    "moved_patches",
    "block_effect",
    "banding",
    "block_effect",
    "oversharpening",
    "contrast_change",
)

#: Parameter of levels 1 to 5 of each type.
PARAMETERS: dict[int, tuple[float, float, float, float, float]] = {
    1: (0.1, 0.5, 1, 2, 5),  # sigma, px, of a kernel cut off at two sigma
    2: (1, 2, 4, 6, 8),  # disk radius, px
    3: (1, 2, 4, 6, 10),  # length, px
    4: (1, 3, 6, 8, 12),  # a: Lab chroma blurred by sigma 1.5 a + 2 px and multiplied by a
    5: (1, 3, 6, 8, 12),  # shift of the green channel, px
    6: (64, 48, 32, 16, 8),  # palette colours; ours: the sources name no number
    7: (0.4, 0.2, 0.1, 0, -0.4),  # factor of the HSV saturation
    8: (1, 2, 3, 6, 9),  # factor of the Lab chroma
    9: (16, 32, 45, 120, 170),  # compression ratio
    10: (43, 36, 24, 7, 4),  # JPEG quality
    11: (0.001, 0.002, 0.003, 0.005, 0.01),  # variance, of values in 0-1
    12: (0.0001, 0.0005, 0.001, 0.002, 0.003),  # variance in YCbCr, of values in 0-1
    13: (0.001, 0.005, 0.01, 0.02, 0.03),  # share of the samples hit
    14: (0.001, 0.005, 0.01, 0.02, 0.05),  # variance of the factor
    15: (0.03, 0.045, 0.055, 0.07, 0.1),  # noise removed, deviation in 0-1; ours, as for type 6
    16: (0.1, 0.2, 0.4, 0.7, 1.1),  # lift of the tone curve's middle, halved
    17: (0.05, 0.1, 0.2, 0.4, 0.8),  # drop of the tone curve's middle, halved
    # Types 18 and 25 run from one side to the other, as the ratings do; the ARNIQA port lists the
    # same numbers by their size, another public port in this order.
    18: (0.15, 0.08, 0, -0.08, -0.15),  # added to values in 0-1
    19: (0.05, 0.1, 0.2, 0.5, 1),  # standard deviation of one of five displacements, px
    20: (20, 40, 60, 80, 100),  # patches of 16×16 px moved by up to 8 px
    21: (0.01, 0.05, 0.1, 0.2, 0.5),  # s: reduced to 0.95 - s^0.6 of the size
    22: (20, 16, 13, 10, 7),  # values a channel
    23: (2, 4, 6, 8, 10),  # blocks of 32×32 px of one colour
    24: (1, 2, 3, 6, 12),  # amount of unsharp masking
    25: (0.3, 0.15, 0, -0.4, -0.6),  # steepening of the tone curve; -0.2 changes nothing
}

#: Types whose levels do not run from mild to strong.
NOT_ORDERED = frozenset({18, 25})

#: Mean rating of levels 1 to 5 of each type, on 1-5, high is good.
_MEAN_RATINGS: dict[int, tuple[float, float, float, float, float]] = {
    1: (4.61, 4.38, 2.91, 1.87, 1.3),
    2: (3.86, 2.65, 1.76, 1.44, 1.3),
    3: (4.6, 4.1, 2.85, 2.18, 1.67),
    4: (4.49, 2.6, 1.76, 1.61, 1.41),
    5: (4.23, 2.55, 1.92, 1.85, 1.86),
    6: (4.11, 3.97, 3.72, 3.2, 2.42),
    7: (2.75, 2.33, 2.26, 2.24, 2.03),
    8: (4.58, 3.33, 2.65, 1.82, 1.53),
    9: (4.55, 4.2, 3.87, 2.44, 1.39),
    10: (4.34, 4.25, 3.87, 1.95, 1.35),
    11: (3.89, 3.39, 3.05, 2.71, 2.3),
    12: (4.47, 3.68, 3.17, 2.69, 2.38),
    13: (3.58, 2.93, 2.61, 2.31, 2.13),
    14: (4.39, 3.58, 3.08, 2.64, 2.12),
    15: (3.67, 2.73, 2.2, 1.65, 1.47),
    16: (4.51, 4.29, 3.63, 2.7, 1.82),
    17: (4.59, 4.53, 4.23, 3.53, 2.22),
    18: (4.22, 4.52, 4.6, 4.37, 3.9),
    19: (4.41, 4.09, 3.24, 1.85, 1.34),
    20: (4.33, 3.94, 3.77, 3.46, 3.26),
    21: (3.89, 3.1, 2.9, 2.79, 1.5),
    22: (4.17, 3.93, 3.69, 3.37, 2.8),
    23: (2.69, 2.36, 2.3, 2.13, 2.04),
    24: (3.58, 2.64, 2.14, 1.61, 1.34),
    25: (3.42, 3.86, 4.29, 4.14, 3.32),
}


def check(kind: int, level: int) -> None:
    """Raise ValueError unless `kind` is a type (1-25) and `level` is 1-5."""
    if kind not in KADID_TYPES:
        raise ValueError(f"no distortion type {kind}; choose 1 to {len(KADID_TYPES)}")
    if not 1 <= level <= 5:
        raise ValueError(f"no distortion level {level}; choose 1 (mildest) to 5")


def parameter(kind: int, level: int) -> float:
    """Return what sets `level` (1-5) of type `kind`; units in `PARAMETERS`."""
    check(kind, level)
    return PARAMETERS[kind][level - 1]


def human_mean(kind: int, level: int) -> float:
    """Return the mean human rating of a type and level, 0-100, high is good.

    The five-point rating d becomes 100 (d - 1) / 4. It was given to 512×384 stills.
    """
    check(kind, level)
    return (_MEAN_RATINGS[kind][level - 1] - 1) / 4 * 100
