"""What is usual in a shot, and how its pictures depart from it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from vqa2cli.video.measures.departure import Places, usual

SHOT = slice(0, 6)


def values(*row: float) -> NDArray[np.float32]:
    return np.array(row, np.float32)


def seen(**rows: NDArray[np.float32]) -> Places:
    """Return places of six pictures: of each name one row of places a picture."""
    places = Places()
    for index in range(6):
        places.add({name: row[index] for name, row in rows.items()})
    return places


def test_what_a_shot_begins_and_ends_with_is_usual_however_long_it_departs() -> None:
    assert usual(values(3, 9, 9, 9, 9, 3.2), 1, 0.0) == pytest.approx(3.1)


def test_where_the_ends_differ_the_middle_one_is_usual() -> None:
    assert usual(values(3, 3, 3, 3, 9, 9), 1, 0.0) == 3


def test_where_the_ends_differ_the_lower_one_is_usual_of_what_faults_raise() -> None:
    assert usual(values(9, 9, 9, 9, 9, 3), lower_end=True) == 3
    assert usual(values(3, 9, 9, 9, 3, 9), lower_end=True) == 3
    assert usual(values(3, 9, 2, 9, 9, 3), lower_end=True) == 3


def test_a_shot_that_fades_from_black_and_to_it_is_not_usually_black() -> None:
    assert usual(values(0, 7, 7, 7, 7, 0), 1, 0.0) == 7


def test_nothing_known_has_no_usual() -> None:
    assert np.isnan(usual(values(np.nan, np.nan), 1, 0.0))


def test_colour_that_grows_with_the_light_is_no_change_of_colour() -> None:
    light = np.repeat(values(50, 50, 100, 100, 50, 50), 10).reshape(6, 10)
    both = seen(light=light, colour=light / 2).saturation(SHOT, light.mean(1) / 2)
    assert both == pytest.approx(np.full(6, 100), abs=1)
    alone = seen(light=np.full((6, 10), 50, np.float32), colour=light / 2)
    assert alone.saturation(SHOT, light.mean(1) / 2)[2:4] == pytest.approx(values(200, 200), abs=1)


def test_what_comes_into_the_picture_is_no_change_of_it() -> None:
    colour = np.full((6, 10), 20, np.float32)
    colour[2:4, :4] = 90
    steady = np.full((6, 10), 50, np.float32)
    told = seen(light=steady, colour=colour).saturation(SHOT, colour.mean(1))
    assert told == pytest.approx(np.full(6, 100), abs=1)


def test_pictures_without_colour_have_none_to_depart_from() -> None:
    told = seen(light=np.full((6, 10), 50, np.float32)).saturation(SHOT, np.full(6, np.nan))
    assert np.isnan(told).all()


def test_of_a_long_shot_no_blur_is_told() -> None:
    places = Places()
    for index in range(50):
        places.add({"blur": np.full(10, 0.5 if index > 40 else 0.2, np.float32)})
    blur = values(*([0.2] * 41 + [0.5] * 9))
    assert np.isnan(places.blur(slice(0, 50), blur, np.ones(50, np.float32))).all()
    part = slice(30, 50)
    beside = places.blur(part, blur[part], np.ones(20, np.float32))
    assert beside[-1] == pytest.approx(250, abs=1)
