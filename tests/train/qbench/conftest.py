"""A judge on this machine that finds every answer right in part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.train.data.stub_endpoint import Stub, saying, stub_endpoint


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    pytest.importorskip("openai", reason="the train extra is not installed")
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with stub_endpoint() as running:
        running.then = saying("1")
        yield running
