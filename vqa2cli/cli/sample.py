"""`vqa2 sample`: a small ladder to try the tool on."""

from __future__ import annotations

from pathlib import Path

import click

from vqa2cli.errors import UsageError

#: Seconds, frames a second and (width, height) of the scene.
SECONDS, FPS, SIZE = 3.0, 30, (640, 360)

#: Rungs: name, (width, height), x264's constant rate factor. Sides are multiples of 8: in others
#: x264's macroblock tree reads what nobody wrote, and no two encodes are alike.
RUNGS = (
    ("360p_good.mp4", (640, 360), 20),
    ("360p_poor.mp4", (640, 360), 40),
    ("144p_low.mp4", (256, 144), 38),
)

#: The clip with a stall in it: name, second it begins at, seconds it lasts.
STALLED = ("360p_stalled.mp4", 1.5, 1.0)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def sample(folder: Path) -> None:
    """Make a small ladder of clips in DIR to try vqa2 on.

    Three rungs of one scene of 3 seconds, and one clip with a stall of 1 second in it.
    """
    from vqa2cli.report.plain_text import one_line
    from vqa2cli.video.synthesis import moving_scene, with_freeze, write_clip

    _make_room(folder)
    scene = list(moving_scene(SECONDS, FPS, SIZE))
    for name, size, crf in RUNGS:
        write_clip(folder / name, scene, FPS, size=size, options={"crf": str(crf)})
    name, start_s, length_s = STALLED
    stalled = with_freeze(scene, round(start_s * FPS), round(length_s * FPS))
    write_clip(folder / name, stalled, FPS, options={"crf": "20"})
    for name in [*(rung[0] for rung in RUNGS), STALLED[0]]:
        click.echo(one_line(str(folder / name)))
    shown = one_line(str(folder))
    width, height = SIZE
    click.echo(f"next: vqa2 score {shown} --streaming --display {width}x{height}", err=True)
    click.echo(f"      vqa2 stalls {shown}", err=True)


def _make_room(folder: Path) -> None:
    """Make `folder`, and make sure that no file in it would be overwritten.

    Raises:
        UsageError: it cannot be made, or a file of ours is there already.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".vqa2-sample"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"cannot write into {folder}: {error.strerror or error}") from error
    for name in [*(rung[0] for rung in RUNGS), STALLED[0]]:
        if (folder / name).exists():
            raise UsageError(f"{folder / name} is there already; name an empty folder")
