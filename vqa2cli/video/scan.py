"""Learn from a video stream's packets alone what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vqa2cli.errors import VideoError
from vqa2cli.video.bitstream.quantizer import QuantizerReader
from vqa2cli.video.measures.packets import PacketCells, joined
from vqa2cli.video.media import MediaInfo, StreamFacts
from vqa2cli.video.probe import encrypted, open_video
from vqa2cli.video.sources import Joined, Source, runs_of

#: A declared frame rate is believed when the packets confirm it this closely.
RATE_TOLERANCE = 0.10

#: Clocks that step back further than this, seconds, have started anew (spliced streams).
CLOCK_RESTART_S = 0.1

#: Frame rate of a stream that declares none and shows none (a raw stream, one frame).
FALLBACK_RATE = Fraction(25)


@dataclass(frozen=True)
class Scan:
    """What the packets of one video stream say, before any is decoded.

    `fps` is the declared average rate where the packets confirm it within 10 %, else the
    measured one; `duration_s` runs from the first presented frame to the end of the last.
    `suspect` means that packets are marked damaged or reading stopped at an error. `cells` has
    bits and quantizers over time.
    """

    media: MediaInfo
    packets: int
    keyframes: int
    total_bytes: int
    duration_s: float
    declared_s: float | None
    fps: Fraction
    suspect: bool
    cells: PacketCells = field(default_factory=PacketCells)

    @property
    def quantizer(self) -> float | None:
        """Mean quantizer of the coded pictures, as `StreamFacts` has it."""
        return self.media.mean_quantizer


def scan_packets(source: Source) -> Scan:
    """Read every packet of `source` without decoding and return what they add up to.

    Raises:
        VideoError: a file cannot be opened (see `open_video`), is encrypted, or holds no
            packet of video.
    """
    return _added_up([_scan_run(run) for run in runs_of(source)])


def _scan_run(path: Path | Joined) -> Scan:
    with open_video(path) as (container, stream):
        context = stream.codec_context
        quantizers = QuantizerReader(context.codec.canonical_name, context.extradata)
        tally = _Tally(float(stream.time_base or Fraction(1, 90000)), quantizers)
        try:
            for packet in container.demux(stream):
                if packet.has_sidedata("encryption_info"):
                    raise encrypted(path)
                tally.add(packet)
        except av.FFmpegError:
            tally.suspect = True
        if not tally.packets:
            raise VideoError("corrupt", f"{path.name}: the video stream holds no frame")
        return _summary(container, stream, tally)


def _added_up(scans: Sequence[Scan]) -> Scan:
    """Return one scan for runs shown one after the other; facts of the stream are the first's."""
    first = scans[0]
    if len(scans) == 1:
        return first
    packets, duration = sum(s.packets for s in scans), sum(s.duration_s for s in scans)
    total_bytes = sum(s.total_bytes for s in scans)
    fps = first.fps
    if any(s.fps != fps for s in scans):
        fps = Fraction(packets / duration).limit_denominator(1001)
    told = [(s.quantizer, s.packets) for s in scans if s.quantizer is not None]
    media = replace(
        first.media,
        avg_frame_rate=f"{fps.numerator}/{fps.denominator}",
        duration=duration,
        bit_rate=round(8 * total_bytes / duration) if duration > 0 else None,
        mean_quantizer=sum(q * n for q, n in told) / sum(n for _, n in told) if told else None,
    )
    declared = [s.declared_s for s in scans if s.declared_s is not None]
    return Scan(
        media=media,
        packets=packets,
        keyframes=sum(s.keyframes for s in scans),
        total_bytes=total_bytes,
        duration_s=duration,
        declared_s=sum(declared) if len(declared) == len(scans) else None,
        fps=fps,
        suspect=any(s.suspect for s in scans),
        cells=joined((s.cells, s.duration_s) for s in scans),
    )


class _Tally:
    """Adds up packets and quantizers, and the presented time across restarts of the clock."""

    def __init__(self, time_base: float, quantizers: QuantizerReader) -> None:
        self.time_base = time_base
        self._quantizers = quantizers
        self._pictures, self._quantizer_sum = 0, 0.0
        self.cells = PacketCells()
        self.packets = self.keyframes = self.total_bytes = self.timed = 0
        self.suspect = False
        self._closed_s = 0.0  # time of the runs before the present one
        self._last_dts: int | None = None
        self._run: tuple[int, int, int] | None = None  # first pts, last pts, end of the last

    def add(self, packet: av.Packet[VideoStream]) -> None:
        """Count one packet; empty ones and those cut off by an edit list show nothing."""
        if packet.size == 0:
            return
        found = self._quantizers.pictures(bytes(packet))  # later headers may build on it
        if packet.is_discard:
            return
        self._pictures += len(found)
        self._quantizer_sum += sum(found)
        self.packets += 1
        self.keyframes += packet.is_keyframe
        self.total_bytes += packet.size
        self.suspect |= packet.is_corrupt
        self._restart_on_jump(packet.dts)
        if packet.pts is None:
            return
        self.timed += 1
        end = packet.pts + max(packet.duration or 0, 0)
        first, last, run_end = self._run or (packet.pts, packet.pts, end)
        self._run = (min(first, packet.pts), max(last, packet.pts), max(run_end, end))
        shown_s = self._closed_s + (packet.pts - first) * self.time_base
        self.cells.add(shown_s, packet.size, found)

    def _restart_on_jump(self, dts: int | None) -> None:
        if dts is None:
            return
        back = 0 if self._last_dts is None else self._last_dts - dts
        if back * self.time_base > CLOCK_RESTART_S and self._run is not None:
            self._closed_s += (self._run[2] - self._run[0]) * self.time_base
            self._run = None
        self._last_dts = dts

    @property
    def quantizer(self) -> float | None:
        """Mean quantizer of the coded pictures, None where no header told one."""
        return self._quantizer_sum / self._pictures if self._pictures else None

    @property
    def span_s(self) -> float:
        """Seconds from the first to the last timestamp, without the last frame's own."""
        first, last, _ = self._run or (0, 0, 0)
        return self._closed_s + (last - first) * self.time_base

    @property
    def tail_s(self) -> float:
        """Seconds the last frame stays on screen, as far as its packet says."""
        _, last, end = self._run or (0, 0, 0)
        return (end - last) * self.time_base


def _summary(container: InputContainer, stream: VideoStream, tally: _Tally) -> Scan:
    fps = _believed_rate(stream, tally)
    untimed = tally.timed < 2
    duration = tally.packets / float(fps) if untimed else tally.span_s
    if not untimed:
        duration += tally.tail_s or 1 / float(fps)
    context = stream.codec_context
    media = MediaInfo(
        width=context.width,
        height=context.height,
        avg_frame_rate=f"{fps.numerator}/{fps.denominator}",
        duration=duration,
        bit_rate=round(8 * tally.total_bytes / duration) if duration > 0 else None,
        codec_name=context.codec.canonical_name,
        pix_fmt=context.pix_fmt,
        color_transfer=transfer_name(context.color_trc),
        rotation=0,
        nb_frames_decoded=0,
        mean_quantizer=tally.quantizer,
    )
    return Scan(
        media=media,
        packets=tally.packets,
        keyframes=tally.keyframes,
        total_bytes=tally.total_bytes,
        duration_s=duration,
        declared_s=_declared_s(container, stream),
        fps=fps,
        suspect=tally.suspect,
        cells=tally.cells,
    )


def _believed_rate(stream: VideoStream, tally: _Tally) -> Fraction:
    declared = stream.average_rate or stream.guessed_rate or None
    if tally.timed < 2 or tally.span_s <= 0:
        return declared or FALLBACK_RATE
    measured = (tally.timed - 1) / tally.span_s
    if declared and abs(float(declared) - measured) <= RATE_TOLERANCE * measured:
        return declared
    return Fraction(measured).limit_denominator(1001) or Fraction(measured)


def _declared_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def facts_of(scan: Scan, media: MediaInfo) -> StreamFacts:
    """Return the encode facts of a scanned file whose pictures are as `media` says."""
    frames = media.nb_frames_decoded or scan.packets
    pixels = media.width * media.height * frames
    width, height = media.shown_size
    return StreamFacts(
        codec=media.codec_name,
        bits_per_pixel=8 * scan.total_bytes / pixels if pixels else None,
        width=width,
        height=height,
        fps=float(scan.fps),
        quantizer=scan.quantizer,
    )


def media_of(scan: Scan, frame: av.VideoFrame, rotation: int) -> MediaInfo:
    """Return the facts of `scan` corrected by the first decoded frame."""
    return replace(
        scan.media,
        width=frame.width,
        height=frame.height,
        pix_fmt=frame.format.name,
        color_transfer=transfer_name(frame.color_trc) or scan.media.color_transfer,
        rotation=rotation,
    )


def transfer_name(code: int) -> str | None:
    """Return ffprobe's name of a transfer characteristic, None where it is not given."""
    return _TRANSFERS.get(int(code))


#: ITU-T H.273 transfer characteristics under ffprobe's names.
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
