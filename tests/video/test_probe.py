"""Opening files: what is refused and why, and what the packets of the rest add up to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.video.media import clip, remux, scene, sound
from vqa2cli.errors import VideoError
from vqa2cli.video import probe
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import KeyFrames, Sampling
from vqa2cli.video.scan import scan_packets
from vqa2cli.video.synthesis import write_clip


def refusal(path: Path) -> VideoError:
    with pytest.raises(VideoError) as caught:
        list(decode_clip(path, Sampling(window_s=10)))
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone.mp4").kind == "not_found"
    assert refusal(tmp_path / "a" / "gone.mp4").kind == "not_found"


def test_a_fifo_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert refusal(tmp_path / "pipe.mp4").kind == "not_regular"


def test_a_folder_and_a_link_loop_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    os.symlink("loop.mp4", tmp_path / "loop.mp4")
    assert refusal(tmp_path / "folder.mp4").kind == "not_regular"
    assert refusal(tmp_path / "loop.mp4").kind == "unreadable"


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "zero.mp4").touch()
    assert "empty" in str(refusal(tmp_path / "zero.mp4"))


@pytest.mark.parametrize(
    "text",
    [
        "just some words\n" * 40,
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\ninner.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile inner.mp4\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
    ids=["words", "hls", "concat", "sdp"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".txt", ""])
def test_text_is_never_a_video_nor_opens_another_file(
    tmp_path: Path, text: str, suffix: str
) -> None:
    clip(tmp_path / "inner.mp4", 5)
    path = tmp_path / f"text{suffix}"
    path.write_text(text)
    assert refusal(path).kind == "not_video"


@pytest.mark.parametrize(("codec", "name"), [("mp2", "a.mp2"), ("aac", "a.m4a"), ("aac", "a.mkv")])
def test_sound_alone_has_no_video(tmp_path: Path, codec: str, name: str) -> None:
    error = refusal(sound(tmp_path / name, codec))
    assert error.kind == "no_video"
    assert "audio" in str(error)


@pytest.mark.parametrize(("codec", "name"), [("aac", "song.m4a"), ("flac", "song.flac")])
def test_cover_art_is_not_a_video(tmp_path: Path, codec: str, name: str) -> None:
    error = refusal(sound(tmp_path / name, codec, cover=True))
    assert error.kind == "no_video"
    assert "cover art" in str(error)


def test_an_encrypted_sample_entry_is_refused(tmp_path: Path) -> None:
    plain = clip(tmp_path / "plain.mp4", 5)
    data = bytearray(plain.read_bytes())
    at = data.index(b"avc1", data.index(b"stsd"))
    data[at : at + 4] = b"encv"
    data[at + 48 : at + 52] = b"sinf"  # inside the entry, where the encoder's name stands
    protected = tmp_path / "protected.mp4"
    protected.write_bytes(data)
    assert refusal(protected).kind == "encrypted"
    list(decode_clip(plain, Sampling(window_s=10)))


def test_a_picture_over_the_limit_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clip(tmp_path / "big.mp4", 5)
    monkeypatch.setattr(probe, "MAX_PIXELS", 100 * 100)
    monkeypatch.setitem(probe._OPEN_OPTIONS, "max_pixels", "10000")
    error = refusal(path)
    assert error.kind == "too_large"
    assert "160x120" in str(error)


@pytest.mark.parametrize(
    "name",
    ["http:x.mp4", "concat:v.mp4|v.mp4", "pipe:0", "-", "-x.mp4", "%03d.mp4", "*.mp4", "C:v.mp4"],
)
def test_a_name_that_reads_like_a_protocol_is_a_name(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(clip(tmp_path / "v.mp4", 5), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert scan_packets(Path(name)).packets == 5


def test_a_still_image_whose_name_is_a_pattern_opens_itself(tmp_path: Path) -> None:
    for name, colour in (("%03d.jpg", (250, 0, 0)), ("001.jpg", (0, 0, 250))):
        Image.new("RGB", (64, 64), colour).save(tmp_path / name)
    events = list(decode_clip(tmp_path / "%03d.jpg", Sampling(window_s=10)))
    (key,) = [event for event in events if isinstance(event, KeyFrames)]
    red, _, blue = key.pixels.mean((0, 1, 2))
    assert red > 240
    assert blue < 10


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".flv"])
def test_a_title_that_is_not_utf8_is_no_reason_to_refuse(tmp_path: Path, suffix: str) -> None:
    plain = clip(tmp_path / f"v{suffix}", 5)
    titled = remux(plain, tmp_path / f"titled{suffix}", title="Cafe noir")
    data = titled.read_bytes()
    assert b"Cafe noir" in data
    titled.write_bytes(data.replace(b"Cafe noir", b"Caf\xe9 noir"))
    assert scan_packets(titled).packets == 5


def test_packets_give_duration_rate_and_bit_rate(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mp4", 50, gop=10)
    scan = scan_packets(path)
    with av.open(str(path)) as container:
        sizes = [packet.size for packet in container.demux(video=0)]
    assert scan.packets == 50
    assert scan.keyframes == 5
    assert scan.duration_s == pytest.approx(2.0)
    assert scan.media.avg_frame_rate == "25/1"
    assert scan.total_bytes == sum(sizes)
    assert scan.media.bit_rate == pytest.approx(8 * sum(sizes) / 2, abs=1)
    assert not scan.suspect


def test_a_late_start_does_not_lengthen_a_clip(tmp_path: Path) -> None:
    late = remux(clip(tmp_path / "v.mp4", 50), tmp_path / "late.ts", shift_s=100)
    assert scan_packets(late).duration_s == pytest.approx(2.0, abs=0.05)


def test_a_declared_rate_that_the_packets_deny_is_not_believed(tmp_path: Path) -> None:
    times = [index / 10 for index in range(20)]
    lying = write_clip(tmp_path / "lie.mkv", scene(20), 500, pts_s=times)
    scan = scan_packets(lying)
    assert float(scan.fps) == pytest.approx(10, rel=0.01)
    assert scan.duration_s == pytest.approx(2.0, abs=0.15)


def test_a_raw_stream_without_times_has_frames_and_a_length(tmp_path: Path) -> None:
    raw = clip(tmp_path / "v.h264", 50)
    scan = scan_packets(raw)
    assert scan.packets == 50
    assert scan.duration_s == pytest.approx(50 / float(scan.fps))
