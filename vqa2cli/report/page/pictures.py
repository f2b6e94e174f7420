"""Pictures inside a page, as data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from markupsafe import Markup
from PIL import Image


class Moment(NamedTuple):
    """What is on the screen of a file at a time, seconds."""

    file: str
    time_s: float


class Stills(Protocol):
    """Finds pictures of moments, as data URIs; those that cannot be had are left out."""

    def __call__(self, moments: Sequence[Moment], /) -> Mapping[Moment, Markup]:
        """Return the pictures."""
        ...


def no_stills(moments: Sequence[Moment]) -> Mapping[Moment, Markup]:
    """Find none: a page of a record alone has no clips at hand."""
    del moments
    return {}


def data_uri(picture: Path, side: int) -> Markup:
    """Return a picture as a JPEG of at most `side` by `side` pixels."""
    with Image.open(picture) as image:
        small = image.convert("RGB")
    small.thumbnail((side, side))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=90)
    return Markup("data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode("ascii"))
