"""Pairs come from an endpoint that fails in every way, and none is lost or asked for twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.clips import moving_clip
from tests.train.data.stub_endpoint import (
    PAIRS,
    Stub,
    body,
    dropping,
    failing,
    good,
    only_endpoint,
    saying,
)
from train.data.depictions import Depiction, Finding
from train.data.endpoint import Endpoint, EndpointFailed, EndpointSettings
from train.data.extension import Extended, ExtensionSettings, estimate, extend, rejected_lines
from train.data.replies import LLM_TASKS, pairs_of, reply_schema
from train.data.reply_cache import ReplyCache
from vqa2cli.errors import UsageError

pytest.importorskip("openai", reason="the train extra is not installed")

COUNT = 6


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    moving_clip(folder / "clip0.mp4")
    for index in range(1, COUNT):
        (folder / f"clip{index}.mp4").symlink_to(folder / "clip0.mp4")
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(folder / "picture.png")
    return folder


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    with only_endpoint(monkeypatch) as running:
        yield running


def depictions(count: int = COUNT) -> list[Depiction]:
    return [
        Depiction(f"clip{index}.mp4", (Finding("noise", "severe", index / 10),), score=30)
        for index in range(count)
    ]


@pytest.fixture
def settings(media: Path, tmp_path: Path, stub: Stub) -> ExtensionSettings:
    endpoint = EndpointSettings(stub.url, "stub-model", per_minute=0, retries=2, timeout_s=10)
    return ExtensionSettings(media, tmp_path / "replies", endpoint, ("binary", "choice"), jobs=1)


def run(settings: ExtensionSettings, count: int = COUNT) -> Extended:
    endpoint = Endpoint(settings.endpoint, reply_schema())
    try:
        return extend(depictions(count), settings, endpoint)
    finally:
        endpoint.close()


def test_every_depiction_gives_a_sample_of_each_task(
    stub: Stub, settings: ExtensionSettings
) -> None:
    result = run(replace(settings, tasks=LLM_TASKS))
    assert len(stub.requests) == COUNT
    assert len(result.made.samples) == COUNT * len(LLM_TASKS)
    assert len({sample.id for sample in result.made.samples}) == len(result.made.samples)
    assert {sample.provenance.source for sample in result.made.samples} == {"llm"}
    assert (result.tokens_in, result.tokens_out) == (100 * COUNT, 20 * COUNT)
    assert set(stub.keys) == {"Bearer secret"}


def test_the_right_choice_stands_at_every_place_in_turn(settings: ExtensionSettings) -> None:
    result = run(settings)
    letters = [s.turns[1].text for s in result.made.samples if s.provenance.task == "choice"]
    assert set(letters) == {"A.", "B.", "C."}
    for sample in result.made.samples:
        if sample.provenance.task == "choice":
            assert f"\n{sample.turns[1].text} noise" in sample.turns[0].text


def test_no_media_name_is_sent(stub: Stub, settings: ExtensionSettings) -> None:
    run(settings, 1)
    sent = json.dumps(stub.requests)
    assert "severe" in sent
    assert "clip0" not in sent
    assert str(settings.media) not in sent


@pytest.mark.parametrize("trouble", [failing(500), failing(429), failing(503), dropping])
def test_a_failure_that_passes_is_tried_again(
    stub: Stub, settings: ExtensionSettings, trouble: Any
) -> None:
    stub.plan = [trouble, good]
    result = run(settings, 1)
    assert len(stub.requests) == 2
    assert len(result.made.samples) == 2


def test_a_run_that_dies_halfway_goes_on_without_loss_or_double(
    stub: Stub, settings: ExtensionSettings
) -> None:
    whole = run(replace(settings, cache=settings.cache / "whole"))
    stub.requests.clear()
    stub.plan = [good, good, good]
    stub.then = failing(500)
    with pytest.raises(EndpointFailed, match=r"stub says 500.*; 3 of 6 depictions are done"):
        run(settings)
    stub.requests.clear()
    stub.then = good
    resumed = run(settings)
    assert len(stub.requests) == resumed.asked == 3
    assert resumed.made.samples == whole.made.samples
    assert resumed.tokens_in == whole.tokens_in
    stub.requests.clear()
    again = run(settings)
    assert stub.requests == []
    assert again.made.samples == whole.made.samples


def test_a_connection_that_keeps_dropping_stops_the_run_and_keeps_replies(
    stub: Stub, settings: ExtensionSettings
) -> None:
    settings = replace(settings, endpoint=replace(settings.endpoint, retries=0))
    stub.plan = [good, dropping]
    with pytest.raises(EndpointFailed, match=r"no answer .*; 1 of 6 depictions"):
        run(settings)
    assert run(settings).asked == COUNT - 1


def test_several_at_a_time_make_the_same_set(stub: Stub, settings: ExtensionSettings) -> None:
    one = run(settings)
    four = run(replace(settings, jobs=4, cache=settings.cache / "four"))
    assert four.made.samples == one.made.samples


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("not json", "Invalid JSON"),
        ('{"pairs": []}', "at least 1 item"),
        (json.dumps({"pairs": [PAIRS["binary"]]}), "asked for binary, choice, got binary"),
        (json.dumps({"pairs": [PAIRS["binary"]] * 2}), "got binary, binary"),
        (
            json.dumps({"pairs": [PAIRS["binary"] | {"answer": "Maybe."}, PAIRS["choice"]]}),
            "neither Yes nor No",
        ),
        (
            json.dumps({"pairs": [PAIRS["binary"], PAIRS["choice"] | {"answer": "haze"}]}),
            "none of its options",
        ),
        (
            json.dumps({"pairs": [PAIRS["binary"], PAIRS["choice"] | {"options": ["noise"]}]}),
            "two to five different options",
        ),
        (
            json.dumps(
                {"pairs": [PAIRS["binary"] | {"answer": "Yes, says the record."}, PAIRS["choice"]]}
            ),
            "says 'record'",
        ),
        (
            json.dumps({"pairs": [PAIRS["binary"] | {"answer": "Yes <image>"}, PAIRS["choice"]]}),
            "says '<image>'",
        ),
        (json.dumps({"pairs": [PAIRS["binary"] | {"mood": "good"}, PAIRS["choice"]]}), "mood"),
        (None, "Invalid JSON"),
    ],
)
def test_a_bad_reply_is_kept_aside_with_the_reason(
    stub: Stub, settings: ExtensionSettings, content: str | None, told: str
) -> None:
    stub.plan = [saying(content), saying(content)]
    result = run(settings, 2)
    assert [one.media for one in result.rejected] == ["clip0.mp4"]
    assert len(result.rejected[0].reasons) == 2
    assert told in result.rejected[0].reasons[0]
    assert json.loads(rejected_lines(result.rejected))["reply"] == (content or "")
    assert {sample.media for sample in result.made.samples} == {"clip1.mp4"}
    assert result.made.left_out == {"rejected reply": 1}
    stub.requests.clear()
    assert run(settings, 2).rejected == result.rejected
    assert stub.requests == []  # bad replies were paid for, too


def test_a_reply_cut_off_at_the_limit_is_not_read(stub: Stub, settings: ExtensionSettings) -> None:
    stub.then = saying('{"pairs": [', "length")
    assert "cut off at the limit" in run(settings, 1).rejected[0].reasons[0]


def test_a_second_attempt_may_be_good(stub: Stub, settings: ExtensionSettings) -> None:
    stub.plan = [saying("sorry, no"), good]
    result = run(settings, 1)
    assert len(result.made.samples) == 2
    assert result.rejected == ()


def test_a_fence_around_the_json_is_no_fault() -> None:
    text = "```json\n" + json.dumps({"pairs": [PAIRS["open"]]}) + "\n```"
    assert [task for task, _ in pairs_of(text, ["open"])] == ["open"]


def test_one_refused_request_does_not_stop_the_others(
    stub: Stub, settings: ExtensionSettings
) -> None:
    stub.plan = [good, failing(400)]
    result = run(settings, 3)
    assert result.rejected[0].media == "clip1.mp4"
    assert "refused: " in result.rejected[0].reasons[0]
    assert {sample.media for sample in result.made.samples} == {"clip0.mp4", "clip2.mp4"}


def test_an_endpoint_that_refuses_everything_stops_the_run(
    stub: Stub, settings: ExtensionSettings
) -> None:
    stub.then = failing(400)
    with pytest.raises(EndpointFailed, match="stub says 400"):
        run(settings)
    assert len(stub.requests) < COUNT


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_key_or_address_stops_at_once(
    stub: Stub, settings: ExtensionSettings, status: int
) -> None:
    stub.then = failing(status)
    with pytest.raises(EndpointFailed, match=f"stub says {status}"):
        run(settings)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("text", ["<html>hello</html>", "{}", '{"choices": []}', "[]", "null"])
def test_an_answer_that_is_no_completion_stops_the_run(
    stub: Stub, settings: ExtensionSettings, text: str
) -> None:
    stub.then = body(text)
    with pytest.raises(EndpointFailed):
        run(settings, 1)


def test_without_a_key_nothing_is_sent(
    stub: Stub, settings: ExtensionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(UsageError, match="environment variable OPENAI_API_KEY"):
        run(settings)
    assert stub.requests == []


def test_a_dry_run_counts_what_is_still_to_ask_and_sends_nothing(
    stub: Stub, settings: ExtensionSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = estimate(depictions(), settings)
    assert (before.requests, before.kept) == (COUNT, 0)
    assert stub.requests == []
    assert before.cost(1e6, 0) == before.tokens_in
    run(settings, 2)
    after = estimate(depictions(), settings)
    assert after.kept == 2
    assert after.tokens_out == before.tokens_out * 4 / 6
    monkeypatch.delenv("OPENAI_API_KEY")
    assert estimate(depictions(), settings) == after


def test_the_schema_is_sent_only_where_it_is_understood(
    stub: Stub, settings: ExtensionSettings
) -> None:
    for form, sent in (("schema", "json_schema"), ("json", "json_object"), ("text", None)):
        run(replace(settings, endpoint=replace(settings.endpoint, form=form)), 1)
        form_sent = stub.requests[-1].get("response_format", {}).get("type")
        assert form_sent == sent


def test_a_picture_is_not_asked_about_time(stub: Stub, settings: ExtensionSettings) -> None:
    endpoint = Endpoint(settings.endpoint, reply_schema())
    result = extend([Depiction("picture.png")], replace(settings, tasks=LLM_TASKS), endpoint)
    endpoint.close()
    assert {sample.provenance.task for sample in result.made.samples} == {*LLM_TASKS} - {"temporal"}


def test_missing_media_are_named_and_not_asked_about(
    stub: Stub, settings: ExtensionSettings
) -> None:
    result = run(settings, COUNT + 1)
    assert [gone.media for gone in result.made.missing] == [f"clip{COUNT}.mp4"]
    assert len(stub.requests) == COUNT


def test_a_cache_that_cannot_be_written_is_told(settings: ExtensionSettings) -> None:
    settings.cache.write_text("a file where the folder should be")
    with pytest.raises(UsageError, match="cannot write"):
        run(settings, 1)


def test_a_damaged_kept_reply_is_told_with_its_file(settings: ExtensionSettings) -> None:
    run(settings, 1)
    (kept,) = settings.cache.rglob("*.json")
    kept.write_text("{}")
    with pytest.raises(UsageError, match="not a kept reply; remove it"):
        run(settings, 1)


def test_requests_are_spaced_by_the_rate(stub: Stub, settings: ExtensionSettings) -> None:
    pauses: list[float] = []
    limited = replace(settings, endpoint=replace(settings.endpoint, per_minute=60))
    endpoint = Endpoint(limited.endpoint, reply_schema(), pause=pauses.append)
    extend(depictions(3), limited, endpoint)
    endpoint.close()
    assert len(pauses) == 2
    assert all(0 < pause <= 2.0 for pause in pauses)


def test_another_temperature_is_another_request(tmp_path: Path) -> None:
    cache = ReplyCache(tmp_path)
    assert cache.path({"temperature": 0}, 0) != cache.path({"temperature": 1}, 0)
    assert cache.path({"temperature": 0}, 0) != cache.path({"temperature": 0}, 1)
