"""A corpus and a model in, the figures of a model card out."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.evaluation import CorpusResult, evaluate_corpus
from train.items import Item
from train.mini import Workplace
from vqa2cli import load_model, score
from vqa2cli.config import RunConfig
from vqa2cli.errors import UsageError
from vqa2cli.model import QualityModel

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def model(trained: Path) -> QualityModel:
    return load_model(str(trained))


@pytest.fixture(scope="module")
def result(model: QualityModel, place: Workplace) -> CorpusResult:
    return evaluate_corpus(model, place.corpus, "val", with_peers=False)


def test_only_what_was_held_out_is_looked_at(result: CorpusResult, items: list[Item]) -> None:
    held_out = {
        item.path: item.label
        for item in items
        if (item.split, item.kind) == ("val", "rendition") and not item.treated
    }
    assert {point.file: point.label for point in result.points} == held_out


def test_a_clip_has_the_score_that_scoring_gives_it(
    result: CorpusResult, items: list[Item], place: Workplace, model: QualityModel
) -> None:
    point = result.points[0]
    item = next(item for item in items if item.path == point.file)
    row = score(place.corpus / item.path, model, RunConfig(display=item.display))
    assert row.score is not None
    assert point.score == pytest.approx(row.score.value, abs=1e-6)


def test_facts_pixels_and_every_codec_have_a_row_of_their_own(
    result: CorpusResult, items: list[Item]
) -> None:
    told = [row.name.split(", ")[1] for row in result.renditions]
    assert told[:2] == ["with stream facts", "pixels alone"]
    codecs = {item.codec for item in items if (item.split, item.kind) == ("val", "rendition")}
    assert set(told[2:]) == codecs | {"x264 and x265 only"}
    assert result.renditions[0].agreement.n == len(result.points)


def test_contents_that_a_maker_wants_to_look_so_are_measured_apart(
    result: CorpusResult, items: list[Item]
) -> None:
    treated = [item for item in items if item.split == "val" and item.treated]
    assert {item.codec for item in treated} == {"h264", "av1"}
    assert [row.name.split(", ")[1] for row in result.treated] == [
        "with stream facts", "pixels alone",
    ]  # fmt: skip
    assert {row.agreement.n for row in result.treated} == {len(treated)}


def test_second_encodes_stand_beside_their_first(result: CorpusResult) -> None:
    assert [row.name.split(", ")[1] for row in result.second_encodes] == [
        "with stream facts", "pixels alone",
    ]  # fmt: skip
    assert result.distortions == []  # none was made


def test_a_split_without_renditions_is_refused(place: Workplace, model: QualityModel) -> None:
    with pytest.raises(UsageError, match="no renditions of split 'test'"):
        evaluate_corpus(model, place.corpus, "test", with_peers=False)
