"""A judge on this machine that finds every answer right in part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.train.data.stub_endpoint import Stub, only_endpoint, saying


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    pytest.importorskip("openai", reason="the train extra is not installed")
    with only_endpoint(monkeypatch) as running:
        running.then = saying("1")
        yield running
