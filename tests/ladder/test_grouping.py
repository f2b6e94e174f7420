"""Which files are rungs of which title: by name, by map, by playlist."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.video.playlist_media import ladder as playlist_ladder
from tests.video.playlist_media import scene
from vqa2cli.errors import UsageError
from vqa2cli.ladder.grouping import declared_codec, group
from vqa2cli.ladder.map_file import read_map
from vqa2cli.ladder.names import titles_by_name
from vqa2cli.video.media import DeclaredFacts
from vqa2cli.video.playlists.expand import Refused
from vqa2cli.video.sources import Rendition


@pytest.mark.parametrize(
    ("name", "title", "rung", "facts"),
    [
        ("title_720p_2500k.mp4", "title", "720p_2500k",
         DeclaredFacts(average_bandwidth=2_500_000, height=720)),
        ("My.Film-1280x720-2.5M.mkv", "My_Film", "1280x720_2.5M",
         DeclaredFacts(average_bandwidth=2_500_000, width=1280, height=720)),
        ("a b_1080p60_hevc.mp4", "a_b", "1080p60_hevc",
         DeclaredFacts(height=1080, frame_rate=60.0, codecs="hvc1")),
        ("title/720p.mp4", "title", "720p", DeclaredFacts(height=720)),
        ("720p_2500k/title.mp4", "title", "720p_2500k",
         DeclaredFacts(average_bandwidth=2_500_000, height=720)),
        ("720p/title_2500kbps.mp4", "title", "720p_2500kbps",
         DeclaredFacts(average_bandwidth=2_500_000, height=720)),
        ("title_29.97fps_360p.mp4", "title", "29.97fps_360p",
         DeclaredFacts(height=360, frame_rate=29.97)),
        ("4k_demo_360p.mp4", "4k_demo", "360p", DeclaredFacts(height=360)),
        ("720p_trailer_360p.mp4", "720p_trailer", "360p", DeclaredFacts(height=360)),
    ],
)  # fmt: skip
def test_a_name_tells_title_and_rung(
    name: str, title: str, rung: str, facts: DeclaredFacts
) -> None:
    ((found,), alone) = titles_by_name([Path(name)])
    assert alone == []
    assert (found.name, found.grouped_by) == (title, "names")
    assert (found.rungs[0].name, found.rungs[0].declared) == (rung, facts)


@pytest.mark.parametrize("name", ["title.mp4", "4k.mp4", "720pixels.mp4", "title_h264.mp4"])
def test_a_name_that_tells_no_rung_is_left_out(name: str) -> None:
    assert titles_by_name([Path(name)]) == ([], [Path(name)])


def test_files_of_one_title_go_together_lowest_first() -> None:
    names = ["b_720p_2500k", "a_1080p_5000k", "a_360p_800k", "a_720p_2500k", "b_360p_800k"]
    titles, _ = titles_by_name([Path("x", f"{name}.mp4") for name in names])
    told = {title.name: [rung.name for rung in title.rungs] for title in titles}
    assert told == {
        "b": ["360p_800k", "720p_2500k"],
        "a": ["360p_800k", "720p_2500k", "1080p_5000k"],
    }


def test_rungs_in_folders_of_their_own_go_together() -> None:
    titles, _ = titles_by_name([Path("x/360p/t.mp4"), Path("x/720p/t.mp4"), Path("y/720p/t.mp4")])
    assert [(title.name, len(title.rungs)) for title in titles] == [("x/t", 2), ("y/t", 1)]


def test_codecs_of_one_title_are_ladders_of_their_own() -> None:
    titles, _ = titles_by_name(
        [Path(f"t_{h}p_{c}.mp4") for h in (360, 720) for c in ("h264", "av1")]
    )
    assert sorted(title.name for title in titles) == ["t (av01)", "t (avc1)"]
    assert {len(title.rungs) for title in titles} == {2}


def test_names_that_tell_nothing_are_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match="--map"):
        group([Path("a.mp4"), Path("b.mp4")])


def test_a_playlist_is_a_title_and_its_rungs_carry_what_it_declares(tmp_path: Path) -> None:
    frames = scene(1.0)
    playlist = playlist_ladder(tmp_path, frames, frames)
    (title,) = group([playlist]).titles
    assert (title.name, title.grouped_by) == (str(playlist), "playlist")
    assert [rung.name for rung in title.rungs] == ["72p", "120p"]
    assert title.rungs[1].declared.average_bandwidth == 150_000


def test_a_playlist_that_cannot_be_read_is_a_title_that_says_why(tmp_path: Path) -> None:
    (tmp_path / "bad.m3u8").write_text("nothing")
    (title,) = group([tmp_path / "bad.m3u8"]).titles
    assert isinstance(title.rungs[0].clip, Refused)


@pytest.mark.parametrize(
    ("codecs", "name"),
    [("avc1.64001f,mp4a.40.2", "h264"), ("mp4a.40.2, hev1.1.6", "hevc"), ("av01.0.04M", "av1"),
     ("mp4a.40.2", None), (None, None)],
)  # fmt: skip
def test_a_codec_list_names_its_video_codec(codecs: str | None, name: str | None) -> None:
    assert declared_codec(codecs) == name


def test_a_csv_map_says_which_file_is_which_rung(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text("title,file,rung,bit_rate,height\nt,b.mp4,high,2000000,720\nt,a.mp4,,800000,\n")
    (title,) = read_map(path)
    assert [(rung.name, rung.file) for rung in title.rungs] == [
        ("a", str(tmp_path / "a.mp4")), ("high", str(tmp_path / "b.mp4")),
    ]  # fmt: skip
    assert title.rungs[1].declared == DeclaredFacts(average_bandwidth=2_000_000, height=720)


def test_a_json_map_may_name_rungs_of_a_playlist(tmp_path: Path) -> None:
    frames = scene(1.0)
    playlist_ladder(tmp_path, frames, frames)
    path = tmp_path / "map.json"
    path.write_text(json.dumps([{"title": "t", "file": "master.m3u8#120p"}]))
    (title,) = read_map(path)
    assert isinstance(title.rungs[0].clip, Rendition)
    assert title.rungs[0].declared.bandwidth == 200_000
    path.write_text(json.dumps([{"title": "t", "file": "master.m3u8#12p"}]))
    with pytest.raises(UsageError, match="did you mean 120p"):
        read_map(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title,file,hight\nt,a.mp4,720\n", "did you mean height?"),
        ("title,file\nt,\n", "title and file are needed"),
        ("title,file\n", "no row"),
        ("title,file,height\nt,a.mp4,tall\n", "no number"),
        ("title,file,height\nt,a.mp4,-1\n", "no number"),
        ("title,file\nt,a.mp4,extra\n", "no column"),
        ("title,file\nt,a.m3u8\n", "is a playlist"),
    ],
)
def test_a_map_that_cannot_be_used_names_the_row(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_map(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["{", "{}", "[1]"])
def test_a_json_map_that_is_none_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"map\.json"):
        read_map(path)
