"""How people ask for each fault, and how answers name it."""

from __future__ import annotations

from dataclasses import dataclass

from train.assistant.shown import NAMES
from vqa2cli.levels import in_words


@dataclass(frozen=True)
class Wording:
    """A fault in words.

    Attributes:
        nouns: what a question calls it ("Is there ...?").
        adjectives: what a clip is that shows it ("Is it ...?").
        opposites: what a clip is that does not.
    """

    nouns: tuple[str, ...]
    adjectives: tuple[str, ...] = ()
    opposites: tuple[str, ...] = ()


WORDINGS: dict[str, Wording] = {
    "blur": Wording(
        ("blur", "blurriness", "a loss of sharpness", "softness", "defocus", "gaussian blur"),
        ("blurry", "blurred", "soft", "unsharp", "out of focus"),
        ("sharp", "in focus", "crisp"),
    ),
    "motion_blur": Wording(
        ("motion blur", "smear of movement", "streaks of movement"),
        ("blurred by motion", "smeared by movement"),
    ),
    "color_bleeding": Wording(
        ("color bleeding", "colors that run into each other", "smeared colors", "chroma bleeding"),
        ("smeared in its colors",),
    ),
    "color_shift": Wording(
        ("color shift", "displaced colors", "color fringes", "a shifted color channel"),
        ("shifted in its colors",),
    ),
    "banding": Wording(
        ("banding", "color banding", "steps in gradients", "posterization", "quantization"),
        ("banded", "posterized"),
    ),
    "undersaturation": Wording(
        ("undersaturation", "pale colors", "faded colors", "weak colors"),
        ("undersaturated", "desaturated", "washed out", "too pale", "colorless"),
    ),
    "oversaturation": Wording(
        ("oversaturation", "garish colors", "too strong colors"),
        ("oversaturated", "too colorful", "garish"),
    ),
    "compression": Wording(
        (
            "compression artifacts",
            "compression",
            "coding artifacts",
            "artifacts of encoding",
            "damage from compression",
        ),
        ("compressed too hard", "overcompressed", "heavily compressed"),
    ),
    "noise": Wording(
        ("noise", "grain", "speckle", "sensor noise", "image noise"),
        ("noisy", "grainy"),
        ("free of noise", "clean of grain"),
    ),
    "overexposure": Wording(
        ("overexposure", "too much light", "blown highlights"),
        ("overexposed", "too bright"),
    ),
    "underexposure": Wording(
        ("underexposure", "too little light", "crushed shadows"),
        ("underexposed", "too dark"),
    ),
    "brightness_shift": Wording(("brightness shift", "shifted brightness")),
    "scattered_pixels": Wording(
        ("scattered pixels", "jittered pixels", "displaced pixels", "pixel jitter")
    ),
    "moved_patches": Wording(
        ("moved patches", "patches out of place", "displaced patches", "misplaced patches")
    ),
    "block_effect": Wording(
        ("block effect", "blocks", "blockiness", "blocking", "pixelation", "macroblocking"),
        ("blocky", "pixelated"),
    ),
    "oversharpening": Wording(
        ("oversharpening", "sharpening halos", "too much sharpening"),
        ("oversharpened", "sharpened too much"),
    ),
    "contrast_change": Wording(
        ("contrast change", "wrong contrast", "altered contrast", "bad contrast")
    ),
}

assert set(WORDINGS) == set(NAMES)

#: What an answer calls a fault where that is not its attribute in words.
_NOUNS = {"compression": "compression artifacts"}

_PLURAL = {"compression artifacts", "scattered pixels", "moved patches"}


def noun(name: str) -> str:
    """Return what an answer calls the fault called `name`."""
    return _NOUNS.get(name, in_words(name))


def is_are(name: str) -> str:
    """Return the verb that the noun of `name` takes."""
    return "are" if noun(name) in _PLURAL else "is"
