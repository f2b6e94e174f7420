"""Policy files: read whole or refused with the place and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from vqa2cli.errors import UsageError
from vqa2cli.gates.policy import read_policy


def policy(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_gates_of_the_file_come_before_those_given_and_each_counts_once(tmp_path: Path) -> None:
    path = policy(tmp_path, 'gates = ["score.value >= 60", "media.height >= 360"]\n')
    rules = read_policy(path, ["score.value >= 60", "media.width >= 1"]).gates
    told = [rule.text for rule in rules]
    assert told == ["score.value >= 60", "media.height >= 360", "media.width >= 1"]


def test_without_a_file_the_gates_given_are_the_policy() -> None:
    assert [rule.text for rule in read_policy(None, ["score.value>1"]).gates] == ["score.value>1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gate = []", "did you mean gates?"),
        ("gates = 'score.value > 1'", "list of rules"),
        ("gates = [1]", "list of rules"),
        ("gates = ['score.valu > 1']", "did you mean score.value?"),
        ("ladder = 1", "table"),
        ("gates = [", "no TOML"),
    ],
)
def test_a_policy_that_cannot_be_used_names_the_file(tmp_path: Path, text: str, says: str) -> None:
    path = policy(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_policy(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_policy_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_policy(tmp_path / "none.toml")
