"""Instruction sets survive the way to disk and back, and say where they are broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from train.data import files
from train.data.records import Provenance, Sample, Turn, read_samples, write_samples
from vqa2cli.errors import UsageError

ASK = "The key frames:\n<image>. The motion:\n<image>. How is it?"


def sample(name: str = "a", **changes: Any) -> Sample:
    fields: dict[str, Any] = {
        "id": name,
        "media": f"ugc/{name}.mp4",
        "kind": "video",
        "turns": (Turn("human", ASK), Turn("gpt", "The quality of the video is good.")),
        "fps": 29.97,
        "gt_score": 71.25,
        "task_mark": "score",
        "provenance": Provenance(2, "ugc", "LSVQ", f"LSVQ/{name}", "train", "human"),
    }
    return Sample(**{**fields, **changes})


def authors_record(**changes: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": "<image><image>"}, {"from": "gpt", "value": "good"}]
    record = {"id": 7, "image": "a.mp4", "frames per sec": 30, "conversations": turns}
    return {**record, **changes}


def save(path: Path, *records: Any) -> Path:
    path.write_text(json.dumps(list(records), indent=1), encoding="utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    chat = (Turn("human", "<image>Is it blurred?"), Turn("gpt", "Yes."))
    samples = [
        sample("a"),
        sample("b", kind="image", fps=None, gt_score=None, task_mark=None, turns=chat * 2),
        sample("ü\udcff", fps=None, provenance=Provenance()),
    ]
    path = tmp_path / "set.json"
    assert write_samples(path, samples) == 3
    assert read_samples(path) == samples


def test_an_empty_set_is_read_back(tmp_path: Path) -> None:
    write_samples(tmp_path / "set.json", [])
    assert read_samples(tmp_path / "set.json") == []


def test_videos_are_marked_as_the_authors_mark_them(tmp_path: Path) -> None:
    write_samples(tmp_path / "set.json", [sample("a"), sample("b", kind="image", fps=None)])
    video, image = json.loads((tmp_path / "set.json").read_text())
    assert video["image"] == "ugc/a.mp4"
    assert video["frames per sec"] == 29.97
    assert "frames per sec" not in image
    assert video["conversations"][0] == {"from": "human", "value": ASK}


def test_the_authors_records_are_read(tmp_path: Path) -> None:
    (read,) = read_samples(save(tmp_path / "set.json", authors_record(gt_score="3.5")))
    assert (read.id, read.media, read.kind, read.fps, read.gt_score) == (
        "7",
        "a.mp4",
        "video",
        30,
        3.5,
    )
    assert read.turns == (Turn("human", "<image><image>"), Turn("gpt", "good"))


def test_a_picture_has_no_rate(tmp_path: Path) -> None:
    record = authors_record()
    del record["frames per sec"]
    assert read_samples(save(tmp_path / "set.json", record))[0].kind == "image"


def test_the_qwen_spelling_is_read(tmp_path: Path) -> None:
    record = {
        "video": "a.mp4",
        "conversations": [
            {"from": "human", "content": "<video>\nRate it."},
            {"from": "gpt", "content": "good"},
        ],
    }
    (read,) = read_samples(save(tmp_path / "set.json", record))
    assert (read.id, read.kind, read.media) == ("set-0", "video", "a.mp4")
    assert read.turns[0].text == "<image><image>\nRate it."


def test_one_record_a_line_is_read(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps(authors_record()) + "\n\n" + json.dumps(authors_record(id=8)) + "\n")
    assert [read.id for read in read_samples(path)] == ["7", "8"]
    path.write_text("{}\n{")
    with pytest.raises(UsageError, match=r"line 1, record 0: no key image or video"):
        read_samples(path)
    path.write_text(json.dumps(authors_record()) + "\n{")
    with pytest.raises(UsageError, match="line 2: malformed JSON"):
        read_samples(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[\n{"id": 1,\n"image": }]', 3),
        ("[\n{}\n{}]", 3),
        ("", None),
        ('{"id": 1}', None),
        ("[" * 100_000, 1),
    ],
)
def test_malformed_json_is_named_with_its_line(tmp_path: Path, text: str, line: int | None) -> None:
    path = tmp_path / "set.json"
    path.write_text(text)
    where = "expected a JSON list" if line is None else r"line \d+"
    with pytest.raises(UsageError, match=where):
        read_samples(path)


def good_then(tmp_path: Path, tail: str) -> Path:
    path = tmp_path / "set.json"
    path.write_text("[\n" + json.dumps(authors_record()) + tail)
    return path


@pytest.mark.parametrize(
    ("tail", "line"),
    [(",\n]", 2), ("\n", 3), ("\n] x", 3), (",\n{'id'}]", 3), (',\n\n{\n"id" 5}]', 5)],
)
def test_what_breaks_after_a_good_record_is_named_with_its_line(
    tmp_path: Path, tail: str, line: int
) -> None:
    with pytest.raises(UsageError, match=f"line {line}: malformed JSON"):
        read_samples(good_then(tmp_path, tail))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "/etc/a.mp4"}, "below the media folder"),
        ({"image": "../a.mp4"}, "below the media folder"),
        ({"image": ["a.mp4", "b.mp4"]}, "2 media in one record"),
        ({"image": 5}, "no key image or video"),
        ({"conversations": []}, "found none"),
        ({"conversations": [{"from": "gpt", "value": "x"}]}, "must alternate"),
        ({"conversations": [{"from": "system", "value": "x"}]}, "turn 0: from is 'system'"),
        ({"conversations": [{"from": "human"}]}, "turn 0: no text"),
        ({"gt_score": "good"}, "gt_score is 'good'"),
        ({"gt_score": float("nan")}, "gt_score is nan"),
        ({"frames per sec": 0}, "above 0"),
        ({"provenance": {"colour": 1}}, "unknown field in provenance"),
    ],
)
def test_a_malformed_record_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = save(tmp_path / "set.json", authors_record(), authors_record(**changes))
    with pytest.raises(UsageError, match=rf"line \d+, record 1: .*{message}"):
        read_samples(path)


def test_two_samples_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two samples are called a"):
        write_samples(tmp_path / "set.json", [sample("a"), sample("a")])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_set(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UsageError, match="cannot write /dev/full: No space left"):
        write_samples(full, [sample()])


def test_ctrl_c_leaves_the_old_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "set.json"
    write_samples(path, [sample("old")])
    real = files.report_file

    def stopped(target: Path) -> Any:
        manager = real(target)
        stream = manager.__enter__()

        class Half:
            def __enter__(self) -> Half:
                return self

            def __exit__(self, *failure: Any) -> bool | None:
                return manager.__exit__(*failure)

            def write(self, text: str) -> int:
                stream.write(text[: len(text) // 2])
                raise KeyboardInterrupt

            def flush(self) -> None:
                stream.flush()

        return Half()

    monkeypatch.setattr(files, "report_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_samples(path, [sample("new")])
    assert [read.id for read in read_samples(path)] == ["old"]
    assert [file.name for file in tmp_path.iterdir()] == ["set.json"]
