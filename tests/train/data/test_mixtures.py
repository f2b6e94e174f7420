"""One path may name several lists, and how much to take of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.data.records import Sample, Turn, read_samples, write_samples
from vqa2cli.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    turns = (Turn("human", "<image>"), Turn("gpt", "good"))
    for name in "ab":
        samples = [Sample(f"{name}{n}", f"{name}{n}.png", "image", turns) for n in range(10)]
        write_samples(tmp_path / f"{name}.json", samples)
    return tmp_path


def mixture(folder: Path, *entries: str) -> Path:
    path = folder / "mix.yaml"
    path.write_text("datasets:\n" + "".join(f"  - {entry}\n" for entry in entries))
    return path


def test_braces_name_several_lists(folder: Path) -> None:
    ids = [sample.id for sample in read_samples(folder / "{b, a}.json")]
    assert (len(ids), ids[0], ids[10]) == (20, "b0", "a0")


def test_a_mixture_takes_the_first_the_last_and_some(folder: Path) -> None:
    path = mixture(
        folder,
        "{json_path: a.json, sampling_strategy: 'first:2'}",
        "{json_path: b.json, sampling_strategy: 'end:15%'}",
    )
    assert [sample.id for sample in read_samples(path)] == ["a0", "a1", "b8", "b9"]


def test_a_random_draw_depends_on_the_seed_alone(folder: Path) -> None:
    path = mixture(folder, "{json_path: a.json, sampling_strategy: 'random:50%'}")
    first, again, other = (read_samples(path, seed=seed) for seed in (1, 1, 2))
    assert len({sample.id for sample in first}) == 5
    assert first == again != other


def test_more_than_there_is_takes_all(folder: Path) -> None:
    path = mixture(folder, "{json_path: a.json, sampling_strategy: 'end:99'}")
    assert len(read_samples(path)) == 10


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{json_path: a.json, sampling_strategy: half}", "dataset 0: sampling_strategy 'half'"),
        ("{path: a.json}", "dataset 0: no json_path"),
        ("{json_path: c.json}", "cannot read c.json"),
        ("{json_path: 'a.json", "malformed YAML"),
    ],
)
def test_a_broken_mixture_is_refused(folder: Path, entry: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_samples(mixture(folder, entry))


def test_braces_around_nothing_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing between the braces"):
        read_samples(folder / "{}.json")
