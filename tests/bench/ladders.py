"""Real ladders, healthy and with each fault planted, through `vqa2 ladder`.

    python -m tests.bench.ladders --out DIR CLIP...

Makes six x264 rungs of the first seconds of each clip (two passes, a key frame every two
seconds), runs the command on them, then plants one fault at a time and runs it again. Prints,
for each clip and fault, which checks found something, and writes `DIR/CLIP/FAULT.json`. Rungs
that a fault leaves alone come from a journal. Needs the extra `vmaf` for ffmpeg.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import click

from train.ffmpeg import run_ffmpeg
from vqa2cli.cli import main as vqa2
from vqa2cli.video.scan import scan_packets

#: Lines and kb/s of the rungs, for a source of 720 lines.
RUNGS = ((180, 150), (234, 300), (360, 650), (432, 1100), (540, 1900), (720, 3600))
SECONDS, GOP_S = 4, 2

#: Clips of a higher rate are shown at 30 frames a second.
_RATE = "fps=fps=min(30\\,source_fps)"


class Maker:
    """Makes rungs of one clip."""

    def __init__(self, clip: Path, work: Path) -> None:
        self.clip, self.work = clip, work
        work.mkdir(parents=True, exist_ok=True)

    def rung(
        self, folder: Path, lines: int, kbps: int, *, name: str | None = None,
        source: Path | None = None, filters: str = "", options: tuple[str, ...] = (),
        encoder: str = "libx264",
    ) -> Path:  # fmt: skip
        """Encode one rung, under a name that tells its lines and rate unless given."""
        target = folder / (name or f"t_{lines}p_{kbps}k.mp4")
        folder.mkdir(parents=True, exist_ok=True)
        shape = ",".join(part for part in (_RATE, f"scale=-2:{lines}", filters) if part)
        common = ["-t", str(SECONDS), "-i", str(source or self.clip), "-an", "-vf", shape, "-c:v",
                  encoder, "-preset", "veryfast", "-b:v", f"{kbps}k", "-pix_fmt", "yuv420p",
                  "-force_key_frames", f"expr:gte(t,n_forced*{GOP_S})", *options]  # fmt: skip
        if encoder == "libx264":
            common += ["-g", "9999", "-keyint_min", "1", "-sc_threshold", "0"]
            log = ["-passlogfile", str(self.work / "pass")]
            run_ffmpeg([*common, "-pass", "1", *log, "-f", "null", "-"])
            run_ffmpeg([*common, "-pass", "2", *log, str(target)])
        else:
            run_ffmpeg([*common, str(target)])
        return target

    def spoiled(self, filters: str) -> Path:
        """Return a high-rate copy of the clip with `filters` run over it."""
        target = self.work / "spoiled.mkv"
        run_ffmpeg(["-t", str(SECONDS), "-i", str(self.clip), "-an", "-vf", filters, "-c:v",
                    "libx264", "-crf", "8", "-preset", "veryfast", str(target)])  # fmt: skip
        return target

    def healthy(self, folder: Path, rate: float) -> Path:
        for lines, kbps in RUNGS:
            self.rung(folder, lines, max(round(kbps * rate), 20))
        return folder


def _replace(lines: int, kbps: int, **how: object) -> Callable[[Maker, Path], None]:
    """Return what encodes one rung anew."""

    def act(maker: Maker, folder: Path) -> None:
        spoil = how.get("spoil")
        source = maker.spoiled(str(spoil)) if spoil else None
        rest = {key: value for key, value in how.items() if key != "spoil"}
        maker.rung(folder, lines, kbps, source=source, **rest)  # type: ignore[arg-type]

    return act


def _without(*lines: int) -> Callable[[Maker, Path], None]:
    def act(maker: Maker, folder: Path) -> None:
        for one in lines:
            next(folder.glob(f"t_{one}p_*")).unlink()

    return act


def _renamed(lines: int, name: str) -> Callable[[Maker, Path], None]:
    def act(maker: Maker, folder: Path) -> None:
        next(folder.glob(f"t_{lines}p_*")).rename(folder / name)

    return act


def _step_small(maker: Maker, folder: Path) -> None:
    maker.rung(folder, 360, 690)


def _step_large(maker: Maker, folder: Path) -> None:
    _without(234, 360, 432)(maker, folder)


def _bottom(maker: Maker, folder: Path) -> None:
    maker.rung(folder, 72, 5, name="t_05k.mp4")


_BLUR = "scale=iw/6:-2,scale=iw*6:-2"
_HALF = "gblur=sigma=6:enable='gte(t,2)'"
_LAST = "gblur=sigma=14:enable='gte(t,2)'"
_FREEZE = "loop=loop=45:size=1:start=30,setpts=N/FRAME_RATE/TB"
_BLACK = "drawbox=t=fill:c=black:enable='between(t,1,2)'"

#: What plants a fault, by the check it is meant for.
FAULTS: dict[str, Callable[[Maker, Path], None]] = {
    "quality-falls": _replace(540, 1900, spoil=_BLUR),
    "detail-falls": _replace(540, 1900, spoil="scale=iw/2.5:-2,scale=iw*2.5:-2"),
    "crossing": _replace(540, 1900, spoil=_HALF),
    "below-hull": _replace(432, 1100, spoil="scale=iw/3:-2,scale=iw*3:-2"),
    "step-small": _step_small,
    "step-large": _step_large,
    "top-quality": _without(360, 432, 540, 720),
    "bottom-quality": _bottom,
    "worst-second": _replace(720, 3600, spoil=_LAST),
    "bitrate-over": _renamed(432, "t_432p_900k.mp4"),
    "bitrate-under": _renamed(720, "t_720p_7000k.mp4"),
    "resolution": _replace(406, 1100, name="t_432p_1100k.mp4"),
    "frame-rate": _renamed(432, "t_432p_1100k_50fps.mp4"),
    "codec": _replace(432, 1100, encoder="libx265"),
    "aspect": _replace(432, 1100, filters="scale=trunc(iw*0.475)*2:432,setsar=1"),
    "duration": _replace(432, 1100, options=("-t", "3")),
    "frame-count": _replace(432, 1100, options=("-t", "3.9")),
    "key-frames": _replace(432, 1100, options=("-force_key_frames", "expr:gte(t,n_forced*1.5)")),
    "stall": _replace(432, 1100, filters=_FREEZE, options=("-t", "4")),
    "black": _replace(432, 1100, filters=_BLACK),
}


@click.command()
@click.argument("clips", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--only", multiple=True, help="Faults to plant; `healthy` for none.")
@click.option("--rate", default=1.0, help="Bit rates of the healthy rungs, times this.")
def main(clips: tuple[Path, ...], out: Path, only: tuple[str, ...], rate: float) -> None:
    """Check healthy and spoiled ladders of CLIPS."""
    for clip in clips:
        if scan_packets(clip).duration_s < SECONDS:
            raise click.BadParameter(f"{clip}: shorter than {SECONDS} s, no place for faults")
        work = out / clip.stem
        maker = Maker(clip, work)
        healthy = work / "healthy"
        if not healthy.exists():
            maker.healthy(healthy, rate)
        top = scan_packets(next(healthy.glob(f"t_{RUNGS[-1][0]}p_*"))).media
        for fault in only or ("healthy", *FAULTS):
            folder = work / fault
            if fault != "healthy" and not folder.exists():
                shutil.copytree(healthy, folder)
                FAULTS[fault](maker, folder)
            _check(folder, f"{top.width}x{top.height}", out / "journal")


def _check(folder: Path, display: str, journal: Path) -> None:
    """Check the rungs of a folder as shown at `display`, the healthy ladder's top size."""
    report = folder.with_suffix(".json")
    code = vqa2(["ladder", str(folder), "--display", display, "--resume", str(journal), "-q",
                 "-o", str(report), "--report", str(folder.with_suffix(".html"))])  # fmt: skip
    (ladder,) = json.loads(report.read_text())["ladders"]
    scores = " ".join(f"{rung['score']:.1f}" for rung in ladder["rungs"])
    found = [
        f"{check['id']}{'' if check['status'] == 'failed' else '*'}={check['value']:.3g}"
        for check in ladder["checks"]
        if check["findings"]
    ]
    (detail,) = [check["value"] for check in ladder["checks"] if check["id"] == "detail-falls"]
    print(f"{folder.parent.name} {folder.name}: exit {code}; scores {scores}; detail lost "
          f"{detail}; found {', '.join(found) or 'nothing'}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
