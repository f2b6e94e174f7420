"""The models: the network, its weights, its prompts, and the assembled whole that scores.

Names are loaded when first used, so that reading the catalogue does not load torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vqa2cli.model.motion import MotionStream
    from vqa2cli.model.quality_model import QualityModel, SeenFrames, WindowTokens, load_model

__all__ = ["MotionStream", "QualityModel", "SeenFrames", "WindowTokens", "load_model"]

_HOMES = {
    "MotionStream": "vqa2cli.model.motion",
    "QualityModel": "vqa2cli.model.quality_model",
    "SeenFrames": "vqa2cli.model.quality_model",
    "WindowTokens": "vqa2cli.model.quality_model",
    "load_model": "vqa2cli.model.quality_model",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its home (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
