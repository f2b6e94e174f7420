"""The model that ships with the package: small, whole, and believable on clips made here."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from vqa2cli import load_model, score_files
from vqa2cli.assessment import Assessment
from vqa2cli.config import RunConfig
from vqa2cli.model import QualityModel
from vqa2cli.model.catalogue import EMBEDDED_DIR
from vqa2cli.report.rows import record_of
from vqa2cli.video.synthesis import moving_scene, with_freeze, write_clip

SIZE = (640, 360)


@pytest.fixture(scope="module")
def mini() -> QualityModel:
    return load_model()


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One scene from clean to ruined: x264 at four CRFs, then at a third of the size."""
    folder = tmp_path_factory.mktemp("ladder")
    scene = list(moving_scene(2.0, 30, SIZE, seed=11))
    files = [
        write_clip(folder / f"crf{crf}.mp4", scene, 30, options={"crf": str(crf)})
        for crf in (18, 30, 38, 48)
    ]
    small = write_clip(folder / "small.mp4", scene, 30, size=(214, 120), options={"crf": "42"})
    return [*files, small]


def rows_of(files: list[Path], model: QualityModel, **settings: object) -> list[Assessment]:
    return list(score_files(files, model, RunConfig(display=SIZE, **settings)))  # type: ignore[arg-type]


def values(rows: list[Assessment]) -> list[float]:
    return [row.score.value for row in rows if row.score is not None]


def test_it_takes_less_than_forty_megabytes() -> None:
    files = [path for path in (EMBEDDED_DIR / "mini").iterdir() if path.is_file()]
    assert {"config.json", "model.safetensors", "tokenizer.json", "MODEL_CARD.md"} <= {
        path.name for path in files
    }
    assert sum(path.stat().st_size for path in files) < 40e6


def test_its_score_falls_as_a_scene_is_compressed_harder(
    ladder: list[Path], mini: QualityModel
) -> None:
    found = values(rows_of(ladder[:4], mini))
    assert found == sorted(found, reverse=True)
    assert found[0] - found[-1] > 10


def test_the_smallest_rung_is_below_the_best_at_one_display_size(
    ladder: list[Path], mini: QualityModel
) -> None:
    best, *_, smallest = values(rows_of(ladder, mini))
    assert best - smallest > 5


def test_it_answers_with_level_words(ladder: list[Path], mini: QualityModel) -> None:
    for row in rows_of(ladder, mini):
        assert row.score is not None
        assert row.score.level_mass > 0.95
        assert not row.warnings


def test_two_runs_give_the_same_record_but_for_timing(
    ladder: list[Path], mini: QualityModel
) -> None:
    first, second = (
        [json.dumps({**record_of(row), "timing": None}) for row in rows_of(ladder, model)]
        for model in (mini, load_model())
    )
    assert first == second


def test_more_jobs_change_no_score(ladder: list[Path], mini: QualityModel) -> None:
    assert values(rows_of(ladder, mini, jobs=1)) == values(rows_of(ladder, mini, jobs=4))


def test_a_stall_lowers_the_streaming_score(tmp_path: Path, mini: QualityModel) -> None:
    scene = list(moving_scene(6.0, 30, (320, 180), seed=4))
    options = {"crf": "22"}
    smooth = write_clip(tmp_path / "smooth.mp4", scene, 30, options=options)
    stalled = write_clip(tmp_path / "stalled.mp4", with_freeze(scene, 90, 75), 30, options=options)
    config = RunConfig(streaming=True)
    clean, broken = values(list(score_files([smooth, stalled], mini, config)))
    assert clean - broken > 3


def test_a_bad_encode_that_was_encoded_again_well_is_warned_of(
    ladder: list[Path], mini: QualityModel, tmp_path: Path
) -> None:
    with av.open(str(ladder[3])) as file:
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    again = write_clip(tmp_path / "again.mp4", pictures, 30, options={"crf": "12"})
    first, second = rows_of([ladder[3], again], mini)
    assert not first.warnings
    (warning,) = second.warnings
    assert "bad before this encode" in warning
    assert warning.rstrip(".") in second.diagnostics.text
    (untold,) = rows_of([again], mini, stream_facts=False)
    assert not untold.warnings


def test_what_looks_as_its_stream_promises_is_not_warned_of(
    ladder: list[Path], mini: QualityModel
) -> None:
    assert not [warning for row in rows_of(ladder, mini) for warning in row.warnings]
