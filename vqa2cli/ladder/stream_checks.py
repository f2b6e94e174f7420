"""Checks on the streams of a ladder: what is declared against what is there, and alignment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import numpy as np

from vqa2cli.ladder.findings import Measure
from vqa2cli.ladder.grouping import declared_codec
from vqa2cli.ladder.measured import Ladder, Scored
from vqa2cli.ladder.quality_checks import ONE_RUNG
from vqa2cli.video.media import DeclaredFacts

#: Sound in a declared bit rate, bits a second: stereo AAC at the top of what packagers use.
_SOUND_BPS = 256_000

#: First parts of RFC 6381 names of sound.
_SOUND = ("mp4a", "ac-3", "ec-3", "ac-4", "opus", "flac", "mp3")


def excess_rates(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by which share the video alone goes over the declared bit rate."""
    found = []
    for rung in ladder.rungs:
        told = rung.declared.bit_rate
        if told:
            found.append(Measure((rung.name,), rung.bit_rate / told - 1, _rates(rung, told)))
    return found or "no bit rate is declared"


def missing_rates(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by which share the video falls short of the declared bit rate, less sound."""
    found = []
    for rung in ladder.rungs:
        told = rung.declared.bit_rate
        if told:
            video = told - (_SOUND_BPS if _has_sound(rung.declared) else 0)
            short = 1 - rung.bit_rate / video if video > 0 else 0.0
            found.append(Measure((rung.name,), short, _rates(rung, told)))
    return found or "no bit rate is declared"


def excess_peaks(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by which share the segments' peak goes over the declared peak bit rate."""
    found = []
    for rung in ladder.rungs:
        told, has = rung.declared.bandwidth, rung.peak_bit_rate
        if told and has:
            message = f"{rung.name} declares a peak of {told / 1000:.0f} kb/s and its segments "
            message += f"reach {has / 1000:.0f} kb/s"
            found.append(Measure((rung.name,), has / told - 1, message))
    return found or "no peak bit rate is declared in an HLS playlist"


def _has_sound(declared: DeclaredFacts) -> bool:
    """Whether the declared rate holds sound; a playlist without CODECS does not say."""
    parts = [part.strip() for part in (declared.codecs or "").split(",") if part.strip()]
    if not parts:
        return declared.bandwidth is not None
    return any(part.startswith(_SOUND) for part in parts)


def _rates(rung: Scored, told: int) -> str:
    return f"{rung.name} is declared {told / 1000:.0f} kb/s and has {rung.bit_rate / 1000:.0f} kb/s"


def sizes(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by how many pixels each rung's pictures differ from the declared size."""
    found = []
    for rung in ladder.rungs:
        wanted = rung.declared
        if not wanted.height:
            continue
        off = min(_off(wanted, *rung.media.shown_size), _off(wanted, *rung.media.shown_size[::-1]))
        told = f"{wanted.width}x{wanted.height}" if wanted.width else f"{wanted.height} lines"
        has = "{}x{}".format(*rung.media.shown_size)
        found.append(Measure((rung.name,), off, f"{rung.name} is declared {told} and has {has}"))
    return found or "no size is declared"


def _off(declared: DeclaredFacts, width: int, height: int) -> float:
    sides = [(declared.height, height), (declared.width, width)]
    return float(max(abs(told - has) for told, has in sides if told))


def frame_rates(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by which share each rung's frame rate differs from the declared one."""
    found = []
    for rung in ladder.rungs:
        told = rung.declared.frame_rate
        if told:
            message = f"{rung.name} is declared {told:g} fps and has {rung.fps:.3f} fps"
            found.append(Measure((rung.name,), abs(rung.fps / told - 1), message))
    return found or "no frame rate is declared"


def codecs(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure whether each rung's codec is another than declared, else than the top rung's."""
    if not ladder.rungs:
        return "no rung was scored"
    found = []
    for rung in ladder.rungs:
        declared, has = declared_codec(rung.declared.codecs), rung.media.codec_name
        told = declared or ladder.rungs[-1].media.codec_name
        source = "it is declared" if declared else "the top rung is"
        message = f"{rung.name} is {has}; {source} {told}"
        found.append(Measure((rung.name,), float(has != told), message))
    return found


def shapes(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by which share each rung's aspect ratio differs from the top rung's."""
    if len(ladder.rungs) < 2:
        return ONE_RUNG
    top = _aspect(ladder.rungs[-1])
    return [
        Measure(
            (rung.name,),
            abs(_aspect(rung) / top - 1),
            "{} is {}x{}, the top rung {}x{}".format(
                rung.name, *rung.media.shown_size, *ladder.rungs[-1].media.shown_size
            ),
        )
        for rung in ladder.rungs[:-1]
    ]


def _aspect(rung: Scored) -> float:
    width, height = rung.media.shown_size
    return width / height


def lengths(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by how many seconds each rung's length differs from the middle one."""
    if len(ladder.rungs) < 2:
        return ONE_RUNG
    middle = median(rung.seconds for rung in ladder.rungs)
    return [
        Measure(
            (rung.name,),
            abs(rung.seconds - middle),
            f"{rung.name} lasts {rung.seconds:.2f} s, the rungs' median is {middle:.2f} s",
        )
        for rung in ladder.rungs
    ]


def frame_counts(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure by how many frames each rung differs from the others of its frame rate."""
    found = []
    for rung in ladder.rungs:
        alike = [r for r in ladder.rungs if abs(r.fps / rung.fps - 1) < 0.01]
        if len(alike) < 2:
            continue
        middle = round(median(other.media.nb_frames_decoded for other in alike))
        count = rung.media.nb_frames_decoded
        message = f"{rung.name} has {count} frames, the others of its frame rate {middle}"
        found.append(Measure((rung.name,), abs(count - middle), message))
    return found or "no two rungs have the same frame rate"


def key_frames(ladder: Ladder) -> Iterable[Measure] | str:
    """Measure how many key frames of each rung and of most others have no partner.

    Compared is with the rung that has the most in common with all, within half a frame.
    """
    rungs = [rung for rung in ladder.rungs if rung.marks is not None]
    if len(rungs) < 2:
        return ONE_RUNG
    times = [np.array(rung.marks.keyframes_s) for rung in rungs if rung.marks is not None]
    apart_s = 0.5 / min(rung.fps for rung in rungs)
    lone = np.array([[_lone(a, b, apart_s) for b in times] for a in times])
    best = int(lone.sum(axis=1).argmin())
    return [
        Measure(
            (rung.name,),
            float(count),
            f"{rung.name}: {count} key frames stand apart from those of {rungs[best].name} "
            f"({_listed(times[index])} against {_listed(times[best])} s)",
        )
        for index, (rung, count) in enumerate(zip(rungs, lone[best].tolist(), strict=True))
        if index != best
    ]


def _lone(a: np.ndarray, b: np.ndarray, apart_s: float) -> int:
    """Return how many of the times `a` and `b` have no partner in the other."""
    if not len(a) or not len(b):
        return len(a) + len(b)
    gaps = np.abs(a[:, None] - b[None, :])
    return int((gaps.min(axis=1) > apart_s).sum() + (gaps.min(axis=0) > apart_s).sum())


def _listed(times: Sequence[float] | np.ndarray) -> str:
    shown = ", ".join(f"{time:.2f}" for time in times[:4])
    return f"{shown}, ..." if len(times) > 4 else shown
