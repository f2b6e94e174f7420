"""Video quality without a reference: scores, stalls and diagnostics.

    import vqa2cli

    model = vqa2cli.load_model()
    assessment = vqa2cli.score("clip.mp4", model)
    assessment.score.value, assessment.score.level
    rows = vqa2cli.score_files(paths, model, vqa2cli.RunConfig(streaming=True))

    vqa2cli.find_stalls("clip.mp4").stall_ratio  # loads no model

Names are loaded when first used, so importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from vqa2cli.config import VERSION as __version__

if TYPE_CHECKING:
    from vqa2cli.assessment import Assessment
    from vqa2cli.config import RunConfig
    from vqa2cli.errors import VideoError, Vqa2Error
    from vqa2cli.model import load_model
    from vqa2cli.pipeline import find_stalls, score, score_files

_HOMES = {
    "Assessment": "vqa2cli.assessment",
    "RunConfig": "vqa2cli.config",
    "VideoError": "vqa2cli.errors",
    "Vqa2Error": "vqa2cli.errors",
    "find_stalls": "vqa2cli.pipeline",
    "load_model": "vqa2cli.model",
    "score": "vqa2cli.pipeline",
    "score_files": "vqa2cli.pipeline",
}

__all__ = [
    "Assessment",
    "RunConfig",
    "VideoError",
    "Vqa2Error",
    "__version__",
    "find_stalls",
    "load_model",
    "score",
    "score_files",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home (PEP 562)."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
