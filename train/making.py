"""Items of a corpus, made: encoded or distorted, and labelled."""

from __future__ import annotations

from pathlib import Path

from train.distortions import human_mean
from train.items import Item
from train.made import DistortedClip, write_distorted
from train.rendering import render_source
from train.renditions import CODECS, Encoded, Reencode, Rendition, encode, encode_again
from train.sources import Source


def make_rendition(name: str, source: Source, rendition: Rendition, out: Path) -> Item:
    """Encode and label one rendition."""
    encoded = encode(rendered(source, out), source, rendition, clips_folder(out))
    return encode_item(name, source, out, "rendition", encoded, rendition)


def make_reencode(name: str, source: Source, twice: Reencode, out: Path) -> Item:
    """Encode one source twice and label what is left of it."""
    encoded = encode_again(rendered(source, out), source, twice, clips_folder(out))
    return encode_item(name, source, out, "twice", encoded, twice.second)


def encode_item(
    name: str,
    source: Source,
    out: Path,
    kind: str,
    encoded: Encoded,
    rendition: Rendition,
) -> Item:
    """Return the record of an encode; `rendition` is the one whose stream it is."""
    return Item(
        name=name,
        path=str(encoded.path.relative_to(out)),
        split=source.split,
        content=source.content,
        source=source.name,
        kind=kind,
        label=round(min(max(encoded.vmaf, 0.0), 100.0), 3),
        display=(source.width, source.height),
        codec=rendition.codec,
        crf=rendition.crf,
        scale=rendition.scale,
        qp=encoded.mean_qp,
    )


def clips_folder(out: Path) -> Path:
    """Return where the clips lie, made on first use."""
    folder = out / "clips"
    folder.mkdir(exist_ok=True)
    return folder


def make_distortion(name: str, source: Source, clip: DistortedClip, out: Path) -> Item:
    """Distort one source and label it with what people thought of that type and level."""
    path = clips_folder(out) / f"{name}{CODECS[clip.encode.codec].suffix}"
    qp = write_distorted(rendered(source, out), source, clip, path)
    return Item(
        name=name,
        path=str(path.relative_to(out)),
        split=source.split,
        content=source.content,
        source=source.name,
        kind="distortion",
        label=round(human_mean(clip.kind, clip.level), 3),
        display=(source.width, source.height),
        codec=clip.encode.codec,
        crf=clip.encode.crf,
        scale=clip.encode.scale,
        qp=qp,
        distortion=(clip.kind, clip.level),
    )


def rendered(source: Source, out: Path) -> Path:
    """Return the lossless file of `source`, rendered on first use."""
    folder = out / "sources"
    folder.mkdir(exist_ok=True)
    return render_source(source, folder)
