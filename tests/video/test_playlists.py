"""HLS and DASH playlists: what their rungs decode to, and what is refused."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.video.playlist_media import (
    FPS,
    ladder,
    master_playlist,
    media_playlist,
    scene,
    segmented,
    whole,
)
from vqa2cli.errors import VideoError
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, DeclaredFacts, KeyFrames, Sampling
from vqa2cli.video.playlists.expand import Refused, clips_of, playlist_rungs
from vqa2cli.video.playlists.hls import peak_bit_rate
from vqa2cli.video.playlists.rungs import rung_names
from vqa2cli.video.sources import Rendition, Source, source_fields, source_of

SAMPLING = Sampling(window_s=10, find_stalls=True)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of three seconds as one file."""
    return whole(tmp_path_factory.mktemp("clip") / "whole.mp4", scene())


def decoded(source: Source) -> tuple[np.ndarray, np.ndarray, Closed]:
    """Return times, key frames and the end of a clip."""
    events = list(decode_clip(source, SAMPLING))
    closed = events[-1]
    assert isinstance(closed, Closed)
    pixels = [event.pixels for event in events if isinstance(event, KeyFrames)]
    return closed.pts_s, np.concatenate(pixels), closed


def only(playlist: Path) -> Rendition:
    (rung,) = playlist_rungs(playlist)
    assert isinstance(rung, Rendition)
    return rung


def refusal(playlist: Path) -> VideoError:
    with pytest.raises(VideoError) as caught:
        playlist_rungs(playlist)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(playlist.name)
    return caught.value


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("index.m3u8", {}),
        ("index.m3u8", {"hls_segment_type": "fmp4"}),
        ("index.m3u8", {"hls_segment_type": "fmp4", "hls_flags": "single_file"}),
        ("index.m3u8", {"hls_flags": "single_file"}),
        ("manifest.mpd", {}),
        ("manifest.mpd", {"use_timeline": "0"}),
        ("manifest.mpd", {"use_template": "0"}),
        ("manifest.mpd", {"single_file": "1"}),
    ],
    ids=["ts", "fmp4", "fmp4-ranges", "ts-ranges", "timeline", "duration", "list", "dash-ranges"],
)
def test_segments_decode_to_the_same_frames_as_the_whole(
    clip: Path, tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    rung = only(segmented(clip, tmp_path / name, **options))
    times, pixels, closed = decoded(rung)
    whole_times, whole_pixels, _ = decoded(clip)
    assert times == pytest.approx(whole_times, abs=1e-4)
    assert np.array_equal(pixels, whole_pixels)
    assert closed.warnings == ()
    assert closed.media.nb_frames_decoded == 3 * FPS


def test_a_ladder_has_a_rung_for_each_variant_with_what_it_declares(tmp_path: Path) -> None:
    low, high = playlist_rungs(ladder(tmp_path, scene(1), scene(1)))
    assert isinstance(low, Rendition)
    assert isinstance(high, Rendition)
    assert (low.name, high.name) == ("master.m3u8#72p", "master.m3u8#120p")
    assert str(high) == f"{tmp_path / 'master.m3u8'}#120p"
    assert low.declared == DeclaredFacts(90_000, None, 96, 72, None, "avc1.64000b,mp4a.40.2")
    assert high.declared == DeclaredFacts(200_000, 150_000, 160, 120, 25.0, None)
    assert decoded(low)[2].media.width == 96


def test_the_peak_is_that_of_runs_about_as_long_as_the_target_duration() -> None:
    short = [(0.4, 900_000), (2.0, 1_000_000), (2.0, 500_000), (0.0, 77)]
    assert peak_bit_rate(short, 2.0) == round(8 * 1_900_000 / 2.4)  # the short one with its next
    assert peak_bit_rate([(9.0, 100)], 2.0) is None
    assert peak_bit_rate([(1.0, 100)], 2.0) == 800
    assert peak_bit_rate([], 2.0) is None
    assert peak_bit_rate([(0.0, 100)], 0.0) is None


def test_a_dash_rung_declares_its_representation(clip: Path, tmp_path: Path) -> None:
    declared = only(segmented(clip, tmp_path / "m.mpd")).declared
    assert (declared.width, declared.height, declared.frame_rate) == (160, 120, 25.0)
    assert declared.codecs is not None
    assert declared.codecs.startswith("avc1")
    assert declared.bandwidth


def test_a_discontinuity_goes_on_where_the_clock_stopped(clip: Path, tmp_path: Path) -> None:
    segmented(clip, tmp_path / "a.m3u8", hls_segment_type="fmp4", hls_fmp4_init_filename="a.mp4")
    other = whole(tmp_path / "other.mp4", scene(1), (96, 72))
    segmented(other, tmp_path / "b.m3u8", hls_segment_type="fmp4", hls_fmp4_init_filename="b.mp4")
    joined = media_playlist(
        tmp_path / "joined.m3u8",
        '#EXT-X-MAP:URI="a.mp4"', "#EXTINF:1,", "a1.m4s", "#EXTINF:1,", "a2.m4s",
        "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="b.mp4"', "#EXTINF:1,", "b0.m4s",
    )  # fmt: skip
    times, _, closed = decoded(only(joined))
    assert times == pytest.approx(np.arange(3 * FPS) / FPS, abs=1e-4)
    assert closed.media.duration == pytest.approx(3.0, abs=1e-3)
    assert any("96x72" in warning for warning in closed.warnings)
    assert closed.stalling is not None
    assert closed.stalling.rebuffer_number == 0


def test_a_live_playlist_and_a_gap_are_remarked(clip: Path, tmp_path: Path) -> None:
    segmented(clip, tmp_path / "index.m3u8")
    live = media_playlist(
        tmp_path / "live.m3u8",
        "#EXTINF:1,", "index0.ts", "#EXT-X-GAP", "#EXTINF:1,", "gone.ts", "#EXTINF:1,",
        "index2.ts", end=False,
    )  # fmt: skip
    rung = only(live)
    assert "EXT-X-ENDLIST" in rung.remarks[0]
    assert "EXT-X-GAP" in rung.remarks[1]
    closed = decoded(rung)[2]
    assert closed.stalling is not None
    assert [event.kind for event in closed.stalling.events] == ["gap"]


def test_an_address_may_be_quoted_or_carry_a_query(clip: Path, tmp_path: Path) -> None:
    segmented(clip, tmp_path / "index.m3u8")
    (tmp_path / "index0.ts").rename(tmp_path / "in dex.ts")
    quoted = media_playlist(tmp_path / "q.m3u8", "#EXTINF:1,", "in%20dex.ts?token=1")
    assert len(decoded(only(quoted))[0]) == FPS


@pytest.mark.parametrize(
    ("uri", "kind", "words"),
    [
        ("http://127.0.0.1:9/x.ts", "playlist", "local files"),
        ("//127.0.0.1/x.ts", "playlist", "local files"),
        ("file:///etc/passwd", "playlist", "local files"),
        ("data:video/mp2t;base64,AAAA", "playlist", "local files"),
        ("concat:a.ts|b.ts", "playlist", "local files"),
        ("/etc/passwd", "playlist", "relative"),
        ("../../etc/passwd", "playlist", "leaves the folder"),
        ("..%2foutside.ts", "playlist", "leaves the folder"),
        ("bad.m3u8", "playlist", "itself"),
        ("./sub/../bad.m3u8", "playlist", "itself"),
        ("missing.ts", "not_found", "missing"),
        ("folder", "not_regular", "readable"),
        ("pipe.ts", "not_regular", "readable"),
        ("link.ts", "playlist", "leaves the folder"),
        ("loop.ts", "playlist", "reached"),
    ],
)
@pytest.mark.parametrize("place", ["segment", "init", "variant"])
def test_an_address_that_is_no_file_of_the_folder_is_refused(
    tmp_path: Path, uri: str, kind: str, words: str, place: str
) -> None:
    folder = tmp_path / "folder"
    (folder / "folder").mkdir(parents=True)
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe.ts")
    (tmp_path / "outside.ts").write_bytes(b"secret")
    (folder / "link.ts").symlink_to(tmp_path / "outside.ts")
    (folder / "loop.ts").symlink_to("loop.ts")
    bad = folder / "bad.m3u8"
    if place == "variant":
        master_playlist(bad, ("BANDWIDTH=1,RESOLUTION=2x2", uri))
    elif place == "init":
        media_playlist(bad, f'#EXT-X-MAP:URI="{uri}"', "#EXTINF:1,", "x.ts")
    else:
        media_playlist(bad, "#EXTINF:1,", uri)
    error = refusal(bad)
    assert error.kind == kind
    assert words in str(error)


def test_a_playlist_in_another_one_is_no_segment(clip: Path, tmp_path: Path) -> None:
    media_playlist(tmp_path / "inner.m3u8", "#EXTINF:1,", "master.m3u8")
    inner = ("BANDWIDTH=1,RESOLUTION=2x2", "inner.m3u8")
    assert "itself" in str(refusal(master_playlist(tmp_path / "master.m3u8", inner)))
    master_playlist(tmp_path / "inner.m3u8", ("BANDWIDTH=1", "x.m3u8"))
    assert "inside another" in str(refusal(tmp_path / "master.m3u8"))
    media_playlist(tmp_path / "outer.m3u8", "#EXTINF:1,", "inner.m3u8")
    with pytest.raises(VideoError) as caught:
        decoded(only(tmp_path / "outer.m3u8"))
    assert caught.value.kind == "not_video"


@pytest.mark.parametrize("method", ["AES-128", "SAMPLE-AES"])
def test_encrypted_segments_are_refused(clip: Path, tmp_path: Path, method: str) -> None:
    segmented(clip, tmp_path / "index.m3u8")
    key = f'#EXT-X-KEY:METHOD={method},URI="key.bin"'
    locked = media_playlist(tmp_path / "locked.m3u8", key, "#EXTINF:1,", "index0.ts")
    assert refusal(locked).kind == "encrypted"
    clear = media_playlist(
        tmp_path / "clear.m3u8", "#EXT-X-KEY:METHOD=NONE", "#EXTINF:1,", "index0.ts"
    )
    assert len(decoded(only(clear))[0]) == FPS


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["#EXTINF:many,", "x.ts"], "cannot be read"),
        (["#EXT-X-BYTERANGE:many", "#EXTINF:1,", "index0.ts"], "byte range"),
        (["#EXT-X-BYTERANGE:99999999@0", "#EXTINF:1,", "index0.ts"], "takes bytes"),
        ([], "no segment"),
        (["#EXTINF:1,"], "no segment"),
        (["#EXT-X-I-FRAMES-ONLY", "#EXTINF:1,", "index0.ts"], "I-frames"),
    ],
)
def test_a_broken_playlist_is_one_line(
    clip: Path, tmp_path: Path, lines: list[str], words: str
) -> None:
    segmented(clip, tmp_path / "index.m3u8")
    assert words in str(refusal(media_playlist(tmp_path / "broken.m3u8", *lines)))


@pytest.mark.parametrize("name", ["text.m3u8", "text.mpd"])
@pytest.mark.parametrize("data", [b"words\n", b"\xff\xfe\x00", b"<MPD", b"<a/>", b"#EXTM3U\xff"])
def test_what_is_no_playlist_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    refusal(tmp_path / name)


def test_a_segment_that_is_no_video_is_no_clip(tmp_path: Path) -> None:
    (tmp_path / "x.ts").write_text("http://127.0.0.1/\n" * 99)
    text = media_playlist(tmp_path / "index.m3u8", "#EXTINF:1,", "x.ts")
    with pytest.raises(VideoError) as caught:
        decoded(only(text))
    assert caught.value.kind == "not_video"


def mpd(path: Path, inside: str, *, duration: str = "PT2S", kind: str = "static") -> Path:
    """Write a presentation of one video representation that holds `inside`."""
    path.write_text(
        f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="{kind}" '
        f'mediaPresentationDuration="{duration}"><Period><AdaptationSet mimeType="video/mp4">'
        f'<Representation id="v" bandwidth="1" width="2" height="2">{inside}'
        "</Representation></AdaptationSet></Period></MPD>"
    )
    return path


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<BaseURL>http://127.0.0.1/</BaseURL>", "local files"),
        ("<BaseURL>../../etc/passwd</BaseURL>", "leaves the folder"),
        ("<BaseURL>/etc/passwd</BaseURL>", "relative"),
        ("<BaseURL>m.mpd</BaseURL>", "itself"),
        ("<BaseURL>gone.mp4</BaseURL>", "missing"),
        ('<SegmentTemplate media="http://127.0.0.1/$Number$" duration="1"/>', "local files"),
        ('<SegmentTemplate media="$Secret$.m4s" duration="1"/>', "unknown"),
        ('<SegmentTemplate media="$Number$.m4s"/>', "duration"),
        ('<SegmentTemplate duration="1"/>', "without media"),
        ('<SegmentTemplate media="m.mpd" duration="1" timescale="9999999"/>', "over"),
        ('<SegmentTemplate media="$Time$.m4s"><SegmentTimeline><S d="0" r="9"/>'
         "</SegmentTimeline></SegmentTemplate>", "without duration"),
        ("<SegmentList/>", "0 segments"),
        ('<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011"/>', "encrypted"),
    ],
)  # fmt: skip
def test_a_presentation_that_names_what_may_not_be_read_is_refused(
    tmp_path: Path, inside: str, words: str
) -> None:
    assert words in str(refusal(mpd(tmp_path / "m.mpd", inside)))


def test_an_entity_in_a_presentation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.mpd"
    path.write_text('<!DOCTYPE MPD [<!ENTITY x SYSTEM "file:///etc/passwd">]><MPD>&x;</MPD>')
    assert "document type" in str(refusal(path))


def test_a_last_segment_of_nothing_but_sound_may_be_missing(clip: Path, tmp_path: Path) -> None:
    made = segmented(clip, tmp_path / "m.mpd", use_timeline="0")
    text = made.read_text()
    assert 'mediaPresentationDuration="PT3.0S"' in text
    made.write_text(text.replace('Duration="PT3.0S"', 'Duration="PT3.05S"', 1))
    assert len(decoded(only(made))[0]) == 3 * FPS
    made.write_text(text.replace('Duration="PT3.0S"', 'Duration="PT3.9S"', 1))
    assert refusal(made).kind == "not_found"


def test_periods_follow_each_other(clip: Path, tmp_path: Path) -> None:
    text = segmented(clip, tmp_path / "m.mpd").read_text()
    start, end = text.index("<Period"), text.index("</Period>") + len("</Period>")
    (tmp_path / "two.mpd").write_text(text[:end] + text[start:end] + text[end:])
    times, _, _ = decoded(only(tmp_path / "two.mpd"))
    assert times == pytest.approx(np.arange(6 * FPS) / FPS, abs=1e-4)


def test_a_segment_that_shrank_since_is_told(clip: Path, tmp_path: Path) -> None:
    rung = only(segmented(clip, tmp_path / "index.m3u8"))
    (tmp_path / "index1.ts").write_bytes(b"G" * 188)
    with pytest.raises(VideoError, match=r"index1\.ts"):
        decoded(rung)


def test_a_rung_survives_the_way_to_the_decoder(clip: Path, tmp_path: Path) -> None:
    rung = only(segmented(clip, tmp_path / "index.m3u8"))
    assert isinstance(rung, Rendition)
    assert source_of(source_fields(rung)) == replace(rung, peak_bit_rate=None)
    assert source_of(source_fields(clip)) == clip


def test_a_playlist_that_is_refused_stands_among_the_clips(clip: Path, tmp_path: Path) -> None:
    shutil.copy(clip, tmp_path / "a.mp4")
    bad = media_playlist(tmp_path / "bad.m3u8", "#EXTINF:1,", "gone.ts")
    video, refused = clips_of([tmp_path / "a.mp4", bad])
    assert video == tmp_path / "a.mp4"
    assert isinstance(refused, Refused)
    assert list(clips_of([video, refused])) == [video, refused]


def test_rungs_that_share_a_height_are_told_apart() -> None:
    def rung(height: int | None, bandwidth: int | None) -> DeclaredFacts:
        return DeclaredFacts(bandwidth=bandwidth, height=height)

    assert rung_names([rung(720, 1), rung(360, 1)]) == ["720p", "360p"]
    assert rung_names([rung(720, 2_400_000), rung(720, 1_000_000)]) == ["720p-2400k", "720p-1000k"]
    assert rung_names([rung(None, 64_000), rung(None, None)]) == ["64k", "2"]
    assert len(set(rung_names([rung(720, 1000), rung(720, 1000), rung(None, 1000)]))) == 3
