"""Rated sessions: their tables are read, the model is fitted on them and measured."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from train.correlation import krcc, plcc, srcc
from train.evaluate_cli import evaluate
from train.session_evaluation import evaluate_sessions
from train.session_fit import START, by_dataset, fit, leave_one_out, predictions, rounded
from train.session_peers import Ksqi, linear, sqi
from train.session_tables import FULL_SCALE, RatedSession, read_sessions
from train.sessions import sessions as fitting
from vqa2cli.errors import UsageError
from vqa2cli.session import Pause, Window, session_model, session_score

Row = Mapping[str, object]


def row(name: str, **told: object) -> dict[str, object]:
    usual = {"dataset": "d", "session": name, "content": name[0], "media_dur_s": 12, "mos100": 50}
    return usual | {"mos": 50, "scale": "0-100", "stall_events": "[]", "vmaf": 70} | told


def table(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def chunks(path: Path, told: Mapping[str, tuple[list[str], list[list[Any]]]]) -> Path:
    parts = {name: {"columns": columns, "rows": rows} for name, (columns, rows) in told.items()}
    path.write_text(json.dumps(parts))
    return path


def one(tmp_path: Path, told: Row, **more: tuple[list[str], list[list[Any]]]) -> RatedSession:
    """Return the only session of a table, `more` being its chunks."""
    beside = chunks(tmp_path / "c.json", more) if more else None
    (found,), left_out = read_sessions(table(tmp_path / "s.csv", [told]), beside)
    assert not left_out
    return found


def test_a_session_is_its_chunks_and_its_stalls(tmp_path: Path) -> None:
    told = row("a", stall_events="[[0, 2.5], [8, 3]]")
    columns, values = ["chunk_duration", "vmaf"], [[4, 90], [4, 60], [4, 30]]
    found = one(tmp_path, told, a=(columns, values))
    assert found.windows == (Window(0, 4, 90), Window(4, 8, 60), Window(8, 12, 30))
    assert found.pauses == (Pause(0, 2.5, "initial_buffering"), Pause(8, 3))
    assert (found.source, found.scale, found.label) == ("vmaf", FULL_SCALE, 50)
    assert (found.mean_quality, found.initial_s, found.stalled_s) == (60, 2.5, 3)


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "None", "NA"])
def test_a_chunk_without_a_vmaf_leaves_a_hole(tmp_path: Path, missing: object) -> None:
    columns = ["chunk_duration", "vmaf"]
    found = one(tmp_path, row("a"), a=(columns, [[4, 90], [4, missing], [4, None], [4, 30]]))
    assert found.windows == (Window(0, 4, 90), Window(12, 16, 30))


@pytest.mark.parametrize(
    ("told", "part", "source", "quality"),
    [
        ({"vmaf": "64.5"}, None, "vmaf", 64.5),
        ({"vmaf": "64.5"}, (["vmaf"], [[None]]), "vmaf", 64.5),
        ({"vmaf": "103.2"}, None, "vmaf", 100),
        ({"vmaf": "nan", "psnr": "40"}, None, "psnr", 67.26),
        ({"vmaf": ""}, (["O22_p1203_video_quality_1s"], [[3.0], [3.0]]), "p1203", 50),
        ({"vmaf": ""}, None, "none", 80),
    ],
)
def test_what_stands_in_for_a_missing_vmaf(
    tmp_path: Path, told: Row, part: Any, source: str, quality: float
) -> None:
    more = {} if part is None else {"a": part}
    found = one(tmp_path, row("a", **told), **more)
    assert found.source == source
    assert found.mean_quality == pytest.approx(quality)


@pytest.mark.parametrize(
    ("told", "pauses"),
    [
        ({"stall_events": "", "init_buffer_s": 3}, (Pause(0, 3, "initial_buffering"),)),
        ({"stall_events": "[[6, 1]]", "init_buffer_s": 3},
         (Pause(0, 3, "initial_buffering"), Pause(6, 1))),
        ({"stall_events": "[[0, 3], [6, 1]]", "init_buffer_s": 3},
         (Pause(0, 3, "initial_buffering"), Pause(6, 1))),
        ({"stall_events": "", "n_stalls": 2, "stall_total_s": 5}, (Pause(4, 2.5), Pause(8, 2.5))),
        ({"stall_events": "[[99, 1]]"}, (Pause(12, 1),)),
        ({"stall_events": "[[3, 0]]"}, ()),
    ],
)  # fmt: skip
def test_stalls_are_taken_from_what_a_row_tells(
    tmp_path: Path, told: Row, pauses: tuple[Pause, ...]
) -> None:
    assert one(tmp_path, row("a", **told)).pauses == pauses


def test_a_table_without_stalls_takes_them_from_its_chunks(tmp_path: Path) -> None:
    columns = ["chunk_duration", "rebuffering_duration", "vmaf"]
    told = row("a")
    del told["stall_events"]
    found = one(tmp_path, told, a=(columns, [[4, 2, 50], [4, 0, 50], [4, 1.5, 50]]))
    assert found.pauses == (Pause(0, 2, "initial_buffering"), Pause(8, 1.5))


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"media_dur_s": 0}, "media_dur_s is 0"),
        ({"media_dur_s": "long"}, "media_dur_s is 'long'"),
        ({"mos100": "x"}, "mos100 is 'x'"),
        ({"stall_events": "[[1]]"}, "stall_events is not"),
        ({"stall_events": "[[-1, 2]]"}, "stall_events holds [-1.0, 2.0]"),
        ({"vmaf": "7000"}, "VMAF 7000"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_with_its_line(
    tmp_path: Path, told: Row, words: str
) -> None:
    found, left_out = read_sessions(
        table(tmp_path / "s.csv", [row("good"), row("bad", **told)]), None
    )
    assert [session.name for session in found] == ["good"]
    assert (left_out[0].line, left_out[0].session) == (3, "bad")
    assert words in left_out[0].reason


@pytest.mark.parametrize(
    ("text", "words"),
    [("session,mos\na,1\n", "no column media_dur_s"), ("session,mos,media_dur_s\n", "no session")],
)
def test_a_table_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_sessions(tmp_path / "s.csv", None)


@pytest.mark.parametrize("text", ["[1", "[]", '{"a": [1]}', '{"a": {"rows": 1}}'])
def test_chunks_that_are_none_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text)
    with pytest.raises(UsageError, match=r"c\.json"):
        read_sessions(table(tmp_path / "s.csv", [row("a")]), tmp_path / "c.json")


TRUTH = replace(START, stall=0.25, initial=0.2, late=1.5, end_weight=0.3)


def made_sessions(seed: int, dataset: str, count: int = 60) -> list[RatedSession]:
    """Return sessions that people rate exactly as `TRUTH` does, on a scale of their own."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        windows = [Window(10.0 * k, 10.0 * k + 10, rng.uniform(20, 95)) for k in range(4)]
        pauses = [
            Pause(rng.uniform(1, 40), rng.uniform(0.5, 10)) for _ in range(rng.integers(0, 4))
        ]
        if rng.random() < 0.5:
            pauses.append(Pause(0.0, rng.uniform(0.5, 10), "initial_buffering"))
        label = 1 + 0.04 * session_score(windows, pauses, 40.0, TRUTH).score
        found.append(
            RatedSession(
                f"{dataset}{index}", dataset, str(index % 10), label, "1-5", 40.0,
                tuple(windows), tuple(pauses), "vmaf",
            )
        )  # fmt: skip
    return found


MADE = [*made_sessions(1, "one"), *made_sessions(2, "two")]


def test_a_fit_finds_the_coefficients_behind_the_ratings() -> None:
    found = fit(MADE)
    assert plcc(predictions(found, MADE), predictions(TRUTH, MADE)) > 0.999
    for name in ("stall", "initial", "late"):
        assert getattr(found, name) == pytest.approx(getattr(TRUTH, name), rel=0.25)
    assert rounded(found).stall == pytest.approx(found.stall, rel=1e-2)


def test_a_dataset_is_predicted_by_a_fit_that_never_met_it() -> None:
    strange = [replace(session, label=-session.label, dataset="three") for session in MADE[:60]]
    one, two, three = leave_one_out([*MADE, *strange])
    assert one.dataset == "one"
    assert (one.srcc, two.srcc) > (0.9, 0.9)
    # Its labels run the other way; a fit that had met them could not miss them so.
    assert three.srcc < -0.9


def test_a_term_held_at_zero_stays_there() -> None:
    assert fit(MADE, without=("late", "together")).late == 0


def test_labels_that_do_not_differ_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="different labels"):
        fit([replace(session, label=3.0) for session in MADE])


def test_the_command_that_fits_writes_the_file_that_ships(tmp_path: Path) -> None:
    rows = [
        row(f"{name}{index}", mos100=90 - 8 * index, stall_events=json.dumps([[6, index]]))
        for name in "ab"
        for index in range(8)
    ]
    done = CliRunner().invoke(
        fitting, ["fit", str(table(tmp_path / "s.csv", rows)), "-o", str(tmp_path / "m.json")]
    )
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "m.json").read_text())
    assert told["fitted_on"] == {"d": 16}
    assert set(told["coefficients"]) == set(session_model().__dataclass_fields__)


def test_the_coefficients_that_ship_come_from_the_fit_command(shared_dir: Path) -> None:
    tables = shared_dir / "tables"
    sessions, left_out = read_sessions(
        tables / "streaming_sessions.csv", tables / "streaming_chunks.json"
    )
    assert not left_out
    assert rounded(fit(sessions), 2) == rounded(session_model(), 2)


@pytest.mark.slow
def test_no_left_out_set_ranks_worse_than_by_quality_alone(shared_dir: Path) -> None:
    tables = shared_dir / "tables"
    sessions, _ = read_sessions(tables / "streaming_sessions.csv", tables / "streaming_chunks.json")
    members = by_dataset(sessions)
    for result in leave_one_out(sessions):
        of = members[result.dataset]
        alone = srcc([s.mean_quality for s in of], [s.label for s in of])
        assert result.srcc > np.nan_to_num(alone)


def test_evaluation_measures_what_the_model_predicts(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = [
        row(f"{name}{k}", mos100=float(rng.uniform(10, 90)), vmaf=float(rng.uniform(20, 95)))
        for name in "abc"
        for k in range(6)
    ]
    path = table(tmp_path / "s.csv", rows)
    sessions, _ = read_sessions(path, None)
    expected = predictions(session_model(), sessions)
    labels = [session.label for session in sessions]
    command = ["sessions", str(path), "--resamples", "10"]
    done = CliRunner().invoke(
        evaluate, [*command, "--format", "json", "--scores", str(tmp_path / "out.csv")]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["n"], told["contents"]) == (18, 3)
    assert told["srcc"] == pytest.approx(srcc(expected, labels))
    assert told["plcc"] == pytest.approx(plcc(expected, labels))
    assert told["krcc"] == pytest.approx(krcc(expected, labels))
    assert told["rmse"] == pytest.approx(float(np.sqrt(np.mean((expected - labels) ** 2))))
    for name in ("srcc", "plcc", "krcc", "rmse"):
        low, high = told[f"{name}_interval"]
        assert low < high
    with (tmp_path / "out.csv").open(newline="") as stream:
        scores = [float(line["score"]) for line in csv.DictReader(stream)]
    assert scores == pytest.approx(expected.tolist())
    text = CliRunner().invoke(evaluate, command).stdout
    assert "n = 18 sessions of 3 contents" in text
    assert "SQI" in text


def test_sets_on_different_scales_have_no_figure_together(tmp_path: Path) -> None:
    rows = [row(f"a{k}", mos100=10 * k) for k in range(6)]
    rows += [row(f"b{k}", dataset="z", mos100="", mos=k, scale="z-score") for k in range(6)]
    result = evaluate_sessions(table(tmp_path / "s.csv", rows), resamples=20)
    assert result.overall is None
    assert result.reason is not None
    assert "z-score" in result.reason
    assert result.datasets["z"].rmse.value is None
    done = CliRunner().invoke(
        evaluate, ["sessions", str(tmp_path / "s.csv"), "--format", "json", "--resamples", "20"]
    )
    told = json.loads(done.stdout)
    assert (told["n"], told["srcc"]) == (12, None)
    assert "z-score" in told["reasons"]["srcc"]


def test_a_row_left_out_is_named_and_the_exit_code_is_3(tmp_path: Path) -> None:
    rows = [row(f"a{k}", mos100=10 * k) for k in range(5)] + [row("bad", mos100="?")]
    path = table(tmp_path / "s.csv", rows)
    done = CliRunner().invoke(evaluate, ["sessions", str(path), "--resamples", "10"])
    assert done.exit_code == 3
    assert "line 7, bad: mos100" in done.stderr


def session(*pauses: Pause, quality: float = 80.0) -> RatedSession:
    window = (Window(0.0, 20.0, quality),)
    return RatedSession("s", "d", "c", 50.0, FULL_SCALE, 20.0, window, pauses, "vmaf")


def test_the_linear_peer_takes_three_points_a_stalled_second() -> None:
    waits = (Pause(0, 2, "initial_buffering"), Pause(10, 4))
    assert linear(session(*waits)) == pytest.approx(80 - 12 - 2)


def test_sqi_takes_off_more_for_a_longer_stall_and_nothing_without() -> None:
    assert sqi(session()) == pytest.approx(80)
    assert sqi(session(Pause(10, 8))) < sqi(session(Pause(10, 2))) < 80


def test_ksqi_reads_its_two_tables(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "s_model.txt", np.full((10, 10), -20.0))
    np.savetxt(tmp_path / "a_model.txt", np.zeros((10, 10)))
    peer = Ksqi.read(tmp_path)
    assert peer.score(session()) == pytest.approx(80)
    assert peer.score(session(Pause(10, 4))) == pytest.approx(80 - 20 / 5)
    with pytest.raises(UsageError, match="no table of KSQI"):
        Ksqi.read(tmp_path / "gone")
