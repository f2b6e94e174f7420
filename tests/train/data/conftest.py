"""The way tests of commands run `vqa2`, for the commands of `vqa2 data`."""

from __future__ import annotations

from tests.cli.conftest import vqa2

__all__ = ["vqa2"]
