"""A toy corpus of real clips, and what the whole recipe makes of it, once for all tests."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.train.mini.toy import toy
from train.corpus import Material
from train.items import Item
from train.mini import Workplace, fit_mini, make_data
from train.recipe import read_recipe
from vqa2cli.video.synthesis import moving_scene, write_clip


@pytest.fixture(scope="package")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    rows = []
    for name, split, seed in (("a", "train", 1), ("b", "train", 2), ("c", "val", 3)):
        scene = moving_scene(1.0, 12, (288, 224), seed=seed)
        write_clip(folder / f"{name}.mp4", scene, 12, options={"crf": "12"})
        rows.append(
            {"file": f"{name}.mp4", "width": 288, "height": 224, "fps": 12.0, "duration_s": 1.0}
            | {"split": split}
        )
    with (folder / "manifest.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="package")
def place(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(Material(clips), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="package")
def items(place: Workplace) -> list[Item]:
    return make_data(toy(read_recipe("mini")), place)


@pytest.fixture(scope="package")
def trained(items: list[Item], place: Workplace) -> Path:
    assert items
    return fit_mini(toy(read_recipe("mini")), place)
