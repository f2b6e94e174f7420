"""What a model is told of the encode, in one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vqa2cli.video.media import StreamFacts

#: Codecs told by name, and FFmpeg's names for them.
CODEC_NAMES = {
    "h264": "h264",
    "libx264": "h264",
    "avc1": "h264",
    "hevc": "hevc",
    "h265": "hevc",
    "libx265": "hevc",
    "vp9": "vp9",
    "libvpx-vp9": "vp9",
    "av1": "av1",
    "libdav1d": "av1",
    "libaom-av1": "av1",
    "libsvtav1": "av1",
    "vp8": "vp8",
    "libvpx": "vp8",
    "mpeg4": "mpeg4",
    "mpeg2video": "mpeg2",
    "mpeg2": "mpeg2",
    "mjpeg": "mjpeg",
}

#: Frame rates told; a measured one becomes its nearest.
FRAME_RATES = (5, 8, 10, 12, 15, 20, 24, 25, 30, 50, 60, 100, 120)

#: Quantizer indices (0-255) to one step of the encoders' own scale (0-63).
INDEX_STEPS = {"vp9": 255 / 63, "av1": 255 / 63}

#: Shares of the display's width told, percent; a measured one becomes its nearest. They are those
#: that the embedded model has seen: what it makes of another word for a size is chance.
WIDTH_SHARES = (25, 35, 50, 75, 100)

#: A finer quantizer is told as this one: nobody sees it, and few clips to learn from have it.
LEAST_QUANTIZER = 10


@dataclass(frozen=True)
class StreamTold:
    """What a prompt is told of a stream: sentences, and the usual quality that they name, 0-100.

    `usual` is None where nothing is known of that.
    """

    text: str
    usual: float | None


#: Of a stream of which a prompt is to tell nothing.
NOTHING_TOLD = StreamTold("", None)


def describe_stream(
    facts: StreamFacts, display: tuple[int, int] | None, expected: float | None = None
) -> str:
    """Return sentences with a leading space, in few and rounded words.

    Args:
        display: (width, height) the picture is shown at; None is its own size, 100 percent.
        expected: quality, 0-100, of streams of such facts; nothing is said of it where it is None.

    Bits per pixel are told in decibels, so that doubling them is three steps everywhere; the
    quantizer in the units of each codec's own rate control, 0-51 or 0-63.
    """
    return (
        f" It is {codec_of(facts)} at quantizer {_quantizer(quantizer_of(facts))} and "
        f"{_decibels(rate_of(facts))} dB bits per pixel, "
        f"{_share(facts.width, display)} percent of the display width, "
        f"{_nearest_rate(facts.fps)} frames per second."
        + ("" if expected is None else f" Usual quality {expected:.0f}.")
    )


def codec_of(facts: StreamFacts) -> str:
    """Return what a codec is told as: one of those in `CODEC_NAMES`, or "other"."""
    return CODEC_NAMES.get(facts.codec.lower(), "other")


def rate_of(facts: StreamFacts) -> float | None:
    """Return the bits per pixel, None where they are not known or no rate."""
    rate = facts.bits_per_pixel
    return rate if rate is not None and 0.0 < rate < math.inf else None


def quantizer_of(facts: StreamFacts) -> float | None:
    """Return the mean quantizer in the units of its codec's own rate control, None if unknown."""
    steps = INDEX_STEPS.get(codec_of(facts), 1.0)
    return None if facts.quantizer is None else facts.quantizer / steps


def _quantizer(quantizer: float | None) -> str:
    return "unknown" if quantizer is None else str(max(round(quantizer), LEAST_QUANTIZER))


def _decibels(bits_per_pixel: float | None) -> str:
    return "unknown" if bits_per_pixel is None else str(round(10.0 * math.log10(bits_per_pixel)))


def _share(width: int, display: tuple[int, int] | None) -> int:
    if display is None:
        return 100
    share = 100.0 * width / display[0]
    return min(WIDTH_SHARES, key=lambda told: abs(told - share))


def _nearest_rate(fps: float) -> int:
    return min(FRAME_RATES, key=lambda rate: abs(rate - fps))
