"""The encoder's quantizer, read off the headers of streams that real encoders made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.video.media import clip, scene
from tests.video.trace import traced_quantizers
from train.ffmpeg import run_ffmpeg
from vqa2cli.errors import VideoError
from vqa2cli.video.bitstream.avc import AvcReader
from vqa2cli.video.bitstream.hevc import HevcReader
from vqa2cli.video.bitstream.quantizer import KNOWN_CODECS, QuantizerReader
from vqa2cli.video.decode import decode_clip
from vqa2cli.video.media import Closed, Opened, Sampling
from vqa2cli.video.probe import open_video
from vqa2cli.video.scan import scan_packets
from vqa2cli.video.synthesis import write_clip
from vqa2cli.video.wire import event_message, event_of

X264 = "sliced-threads=0:threads=1"
X265 = "log-level=none:pools=none:frame-threads=1"
CONSTANT = "qp=30:ipratio=1:pbratio=1"


def avc(path: Path, more: str = "", *, pix_fmt: str = "yuv420p", **options: str) -> Path:
    """Write a short H.264 clip with these x264 parameters."""
    options = {"preset": "medium", "x264-params": f"{X264}:{more}".strip(":"), **options}
    return write_clip(path, scene(16), 25, options=options, pix_fmt=pix_fmt)


def hevc(path: Path, more: str = "", *, pix_fmt: str = "yuv420p") -> Path:
    """Write a short HEVC clip with these x265 parameters."""
    options = {"preset": "fast", "x265-params": f"{X265}:{more}".strip(":")}
    return write_clip(path, scene(10), 25, codec="libx265", options=options, pix_fmt=pix_fmt)


def vp9(path: Path, frames: int = 20, *, pix_fmt: str = "yuv420p", **options: str) -> Path:
    """Write a short VP9 clip with these options of libvpx."""
    return write_clip(path, scene(frames), 25, codec="libvpx-vp9", options=options, pix_fmt=pix_fmt)


def av1(path: Path, more: str = "", *, pix_fmt: str = "yuv420p", crf: int = 35) -> Path:
    """Write a short AV1 clip with these SVT-AV1 parameters."""
    options = {"preset": "10", "crf": str(crf), "svtav1-params": f"lp=1:{more}".strip(":")}
    return write_clip(path, scene(20), 25, codec="libsvtav1", options=options, pix_fmt=pix_fmt)


def packets_of(path: Path) -> tuple[QuantizerReader, list[bytes]]:
    """Return a reader for the video of `path`, and its packets."""
    with open_video(path) as (container, stream):
        context = stream.codec_context
        reader = QuantizerReader(context.codec.canonical_name, context.extradata)
        return reader, [bytes(packet) for packet in container.demux(stream) if packet.size]


def read_all(path: Path) -> list[float | None]:
    """Return the quantizer of every packet of `path`."""
    reader, packets = packets_of(path)
    return [reader.read(packet) for packet in packets]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".flv", ".avi", ".h264"])
def test_a_constant_qp_of_h264_is_read_from_any_container(tmp_path: Path, suffix: str) -> None:
    assert read_all(avc(tmp_path / f"v{suffix}", CONSTANT)) == [30] * 16


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".hevc"])
def test_a_constant_qp_of_hevc_is_read_from_any_container(tmp_path: Path, suffix: str) -> None:
    assert read_all(hevc(tmp_path / f"v{suffix}", CONSTANT)) == [30] * 10


@pytest.mark.parametrize(
    "how",
    [
        {"more": "slices=4"},
        {"more": "tff=1"},
        {"more": "fake-interlaced=1"},
        {"more": "cabac=0:ref=4:cqm=jvt"},
        {"more": "bframes=4:b-pyramid=normal:weightp=2:weightb=1:ref=5:open-gop=1:keyint=8"},
        {"more": "intra-refresh=1:aud=1:nal-hrd=none"},
        {"profile": "baseline"},
    ],
    ids=str,
)
def test_no_option_of_h264_hides_the_constant_qp(tmp_path: Path, how: dict[str, str]) -> None:
    more = how.pop("more", "")
    assert read_all(avc(tmp_path / "v.mp4", f"{CONSTANT}:{more}".strip(":"), **how)) == [30] * 16


@pytest.mark.parametrize("pix_fmt", ["yuv422p", "yuv444p", "gray"])
def test_every_chroma_format_of_h264_is_read(tmp_path: Path, pix_fmt: str) -> None:
    path = avc(tmp_path / "v.mkv", f"{CONSTANT}:cqm=jvt", pix_fmt=pix_fmt)
    assert read_all(path) == [30] * 16


def test_ten_bits_are_told_on_the_scale_of_eight(tmp_path: Path) -> None:
    # x264 counts from the finest step of the bit depth, which lies 12 lower at ten bits.
    assert read_all(avc(tmp_path / "a.mp4", CONSTANT, pix_fmt="yuv420p10le")) == [18] * 16
    assert read_all(hevc(tmp_path / "h.mp4", CONSTANT, pix_fmt="yuv420p10le")) == [30] * 10


@pytest.mark.parametrize(
    "more",
    [
        "wpp=1:ctu=16",
        "bframes=6:ref=5:b-adapt=2:weightp=1:weightb=1",
        "open-gop=1:keyint=8:repeat-headers=1:aud=1",
        "temporal-layers=3:bframes=4",
        "scaling-list=default",
        "interlace=tff",
    ],
)
def test_no_option_of_hevc_hides_the_constant_qp(tmp_path: Path, more: str) -> None:
    assert read_all(hevc(tmp_path / "v.mkv", f"{CONSTANT}:{more}")) == [30] * 10


def test_lossless_streams_have_the_finest_quantizer(tmp_path: Path) -> None:
    assert read_all(avc(tmp_path / "a.mp4", "qp=0")) == [0] * 16
    assert set(read_all(vp9(tmp_path / "v.webm", 6, lossless="1"))) == {0}


def test_hidden_frames_of_vp9_count(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="an ffmpeg comes with vqa2[vmaf]")
    source = avc(tmp_path / "source.mp4", "crf=10")
    passes = ["-c:v", "libvpx-vp9", "-cpu-used", "5", "-auto-alt-ref", "1", "-lag-in-frames", "16"]
    passes += ["-crf", "35", "-b:v", "0", "-passlogfile", str(tmp_path / "log")]
    run_ffmpeg(["-i", str(source), *passes, "-pass", "1", "-f", "null", "-"])
    run_ffmpeg(["-i", str(source), *passes, "-pass", "2", str(tmp_path / "v.webm")])
    reader, packets = packets_of(tmp_path / "v.webm")
    counts = [len(reader.pictures(packet)) for packet in packets]
    assert max(counts) == 2
    assert sum(counts) > len(packets) == 16
    check_against_ffmpeg(tmp_path / "v.webm")


def test_showing_a_hidden_frame_of_av1_is_no_picture(tmp_path: Path) -> None:
    reader, packets = packets_of(av1(tmp_path / "v.mkv"))
    counts = [len(reader.pictures(packet)) for packet in packets]
    assert counts.count(0) > 0
    assert sum(counts) == 20


@pytest.mark.parametrize(
    ("codec", "crfs"),
    [
        ("libx264", (18, 40)),
        ("libx265", (18, 40)),
        ("libvpx-vp9", (15, 55)),
        ("libsvtav1", (20, 55)),
    ],
)
def test_the_quantizer_rises_with_crf(tmp_path: Path, codec: str, crfs: tuple[int, int]) -> None:
    low, high = (
        scan_packets(clip(tmp_path / f"{crf}.mkv", 20, codec=codec, options=options(codec, crf)))
        for crf in crfs
    )
    assert low.quantizer is not None
    assert high.quantizer is not None
    assert high.quantizer > low.quantizer + 15


def options(codec: str, crf: int) -> dict[str, str]:
    return {"crf": str(crf)} | ({"b": "0"} if codec == "libvpx-vp9" else {})


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: avc(folder / "v.mp4", "bframes=4:ref=4:weightp=2:slices=3"),
        lambda folder: avc(folder / "v.ts", "tff=1:bframes=3"),
        lambda folder: hevc(folder / "v.mkv", "bframes=5:weightb=1:ref=5"),
        lambda folder: hevc(folder / "v.ts", "crf=35", pix_fmt="yuv422p12le"),
        lambda folder: vp9(folder / "v.webm"),
        lambda folder: vp9(folder / "v.mkv", 12, pix_fmt="yuv444p"),
        lambda folder: av1(folder / "v.mp4", "superres-mode=1:superres-denom=12"),
        lambda folder: av1(folder / "v.mkv", "resize-mode=2:tile-columns=1:tile-rows=1"),
        lambda folder: av1(folder / "v.ivf", "film-grain=8", pix_fmt="yuv420p10le"),
        lambda folder: av1(folder / "v.obu", "pred-struct=1"),
    ],
)
def test_headers_are_read_as_ffmpeg_reads_them(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    check_against_ffmpeg(make(tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "androidx-media__bear-vp9.webm",
        "androidx-media__roadtrip-vp92-10bit.webm",
        "androidx-media__hdr10-av1.mp4",
        "androidx-media__pixel-motion-photo-2-hevc-tracks.mp4",
        "androidx-media__sample_sef_slow_motion.mp4",
        "shaka-player__video-073.ts",
        "LivePortrait__d3.mp4",
    ],
)
def test_real_clips_are_read_as_ffmpeg_reads_them(shared_dir: Path, name: str) -> None:
    check_against_ffmpeg(shared_dir / "clips" / name)


def check_against_ffmpeg(path: Path) -> None:
    """Check our quantizers against those of FFmpeg's tracer, packet by packet."""
    traced = [sum(found) / len(found) if found else None for found in traced_quantizers(path)]
    assert read_all(path) == traced
    assert any(value is not None for value in traced)


@pytest.mark.slow
def test_every_real_clip_is_read_as_ffmpeg_reads_it(shared_dir: Path) -> None:
    checked = 0
    for path in sorted((shared_dir / "clips").iterdir()):
        try:
            ours = read_all(path)
        except (VideoError, av.FFmpegError):
            continue
        if any(value is not None for value in ours):
            check_against_ffmpeg(path)
            checked += 1
    assert checked > 100


def test_the_facts_of_a_clip_hold_the_mean_quantizer(tmp_path: Path) -> None:
    path = avc(tmp_path / "v.mp4", "bframes=3")
    values = [value for value in read_all(path) if value is not None]
    opened, *_, closed = decode_clip(path, Sampling(window_s=10))
    assert isinstance(opened, Opened)
    assert isinstance(closed, Closed)
    assert opened.facts.quantizer == pytest.approx(sum(values) / len(values))
    assert closed.facts == event_of(event_message(closed)).facts  # type: ignore[union-attr]
    assert closed.facts.quantizer == closed.media.mean_quantizer == opened.facts.quantizer


def test_other_codecs_have_no_quantizer(tmp_path: Path) -> None:
    path = clip(tmp_path / "v.mkv", 5, codec="mpeg4")
    assert scan_packets(path).quantizer is None
    assert QuantizerReader("mpeg4", None).read(b"\x00\x00\x01\xb6") is None


def test_a_stream_cut_off_from_its_parameter_sets_has_no_quantizer(tmp_path: Path) -> None:
    _, packets = packets_of(avc(tmp_path / "v.mp4"))
    assert [QuantizerReader("h264", None).read(packet) for packet in packets] == [None] * 16


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """One clip per codec, with much in its headers."""
    folder = tmp_path_factory.mktemp("streams")
    return {
        "h264": avc(folder / "a.mkv", "bframes=4:ref=4:weightp=2:slices=2:tff=1"),
        "hevc": hevc(folder / "h.mkv", "bframes=4:ref=5:weightb=1:ctu=16"),
        "vp9": vp9(folder / "v.webm"),
        "av1": av1(folder / "v.mp4", "superres-mode=1:superres-denom=12:tile-columns=1"),
    }


@pytest.fixture(scope="module")
def streams(sources: Mapping[str, Path]) -> Mapping[str, tuple[bytes, list[bytes]]]:
    """Extradata and packets of each of the `sources`."""
    found = {}
    for codec, path in sources.items():
        with open_video(path) as (container, stream):
            extradata = stream.codec_context.extradata or b""
            packets = [bytes(packet) for packet in container.demux(stream) if packet.size]
            found[codec] = extradata, packets
    return found


@pytest.mark.parametrize("codec", KNOWN_CODECS)
def test_no_damage_makes_reading_raise(
    streams: Mapping[str, tuple[bytes, list[bytes]]], codec: str
) -> None:
    rng = np.random.default_rng(1)
    extradata, packets = streams[codec]
    for _ in range(150):
        damaged = extradata if rng.random() < 0.5 else spoiled(extradata, rng)
        reader = QuantizerReader(codec, damaged)
        for packet in packets:
            value = reader.read(packet if rng.random() < 0.5 else spoiled(packet, rng))
            assert value is None or -48 <= value <= 255


def spoiled(data: bytes, rng: np.random.Generator) -> bytes:
    """Return `data` cut short, or with some of its first bytes changed."""
    if not data or rng.random() < 0.3:
        return data[: rng.integers(len(data) + 1)]
    changed = bytearray(data)
    for place in rng.integers(min(len(data), 48), size=rng.integers(1, 6)):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9"])
def test_changed_headers_are_read_as_ffmpeg_reads_them(
    sources: Mapping[str, Path],
    streams: Mapping[str, tuple[bytes, list[bytes]]],
    tmp_path: Path,
    codec: str,
) -> None:
    """Flipped bits reach syntax that no encoder at hand writes."""
    rng = np.random.default_rng(2)
    extradata, packets = streams[codec]
    sets = parameter_sets(codec, extradata)
    changed = []
    for _ in range(100):
        for packet in packets:
            front = b"".join(
                len(unit).to_bytes(4, "big") + flipped(unit, rng, 2, len(unit)) for unit in sets
            )
            changed.append(front + flipped(packet, rng, 6 if sets else 1, 14))
    path = tmp_path / "changed.mkv"
    with av.open(str(sources[codec])) as source, av.open(str(path), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for index, data in enumerate(changed):
            packet = av.Packet(data)
            packet.pts = packet.dts = index
            packet.is_keyframe = True
            packet.time_base, packet.stream = Fraction(1, 25), stream
            container.mux(packet)
    traced, ours = traced_quantizers(path), read_all(path)
    assert len(ours) == len(traced)
    followed = 0
    for told, value in zip(traced, ours, strict=True):
        if told and (codec == "vp9" or (min(told) >= 0 and max(told) <= 51)):
            followed += 1
            assert value == sum(told) / len(told)
    assert followed > 200


def parameter_sets(codec: str, extradata: bytes) -> list[bytes]:
    """Return SPS and PPS of avcC or hvcC."""
    if codec == "h264":
        return list(AvcReader.configured_units(extradata))
    if codec == "hevc":
        return [unit for unit in HevcReader.configured_units(extradata) if unit[0] >> 1 in (33, 34)]
    return []


def flipped(data: bytes, rng: np.random.Generator, start: int, stop: int) -> bytes:
    """Return `data`, a third of the time with a bit of bytes `start` to `stop` flipped."""
    changed = bytearray(data)
    place = int(rng.integers(start, 3 * stop - 2 * start))
    if place < min(stop, len(data)):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


@pytest.mark.parametrize("codec", KNOWN_CODECS)
@pytest.mark.parametrize(
    "pattern",
    [b"", b"\0", b"\xff", b"\0\0\1", b"\0\0\1\x41\x9a", b"\0\0\0\1\x41", b"\x32\0"],
    ids=str,
)
def test_a_packet_of_nothing_but_a_pattern_is_soon_done(
    streams: Mapping[str, tuple[bytes, list[bytes]]], codec: str, pattern: bytes
) -> None:
    reader = QuantizerReader(codec, streams[codec][0])
    assert len(reader.pictures(pattern * 200_000)) <= 4096
