"""The ffmpeg that makes renditions and VMAF labels: a separate program, never linked in."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence

from vqa2cli.errors import MissingError


def ffmpeg_binary() -> str:
    """Return the path of an ffmpeg with libvmaf.

    Raises:
        MissingError: the `vmaf` extra is not installed.
    """
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise MissingError(
            "no ffmpeg with libvmaf: install it with pip install 'vqa2[train]'"
        ) from error
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run_ffmpeg(arguments: Sequence[str], frames: Iterable[bytes] | None = None) -> str:
    """Run ffmpeg and return what it wrote on stderr; raw `frames` go to its stdin.

    Raises:
        RuntimeError: ffmpeg failed; the message ends with its last line.
    """
    command = [ffmpeg_binary(), "-hide_banner", "-nostdin", "-y", *arguments]
    if frames is not None:
        command.remove("-nostdin")
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE if frames is not None else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        if frames is not None:
            assert process.stdin is not None
            for frame in frames:
                process.stdin.write(frame)
            process.stdin.close()
        log = process.stderr.read().decode("utf-8", "replace")
    if process.returncode:
        last = log.strip().splitlines()[-1] if log.strip() else "no message"
        raise RuntimeError(f"ffmpeg failed ({process.returncode}): {last}")
    return log
