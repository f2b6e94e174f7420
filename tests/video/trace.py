"""What FFmpeg's own parsers say of the headers of a file: the measure of ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from train.ffmpeg import run_ffmpeg

_FIELD = re.compile(r"\] \d+\s+(\w+)\s.*= (-?\d+)$")
_PARAMETER_SET_IDS = (
    "pic_parameter_set_id",
    "pps_pic_parameter_set_id",
    "slice_pic_parameter_set_id",
)


#: What FFmpeg says of a packet whose headers it could not read to their ends.
_FAILURES = ("Failed to read", "Error applying bitstream filters")


def traced_quantizers(path: Path) -> list[list[int] | None]:
    """Return, per packet of the first video stream, the quantizers its headers code.

    None stands for a packet that FFmpeg could not read.

    Skips the test where no ffmpeg is installed beside Python.
    """
    pytest.importorskip("imageio_ffmpeg", reason="an ffmpeg comes with vqa2[vmaf]")
    log = run_ffmpeg(
        ["-i", str(path), "-map", "0:v:0", "-c", "copy", "-bsf:v", "trace_headers"]
        + ["-f", "null", "-"]
    )
    packets: list[list[int] | None] = []
    found: list[int] = []  # those of the extradata, none, until the first packet
    initial: dict[int, int] = {}
    current = 0
    for line in log.splitlines():
        if "Packet: " in line:
            found = []
            packets.append(found)
        elif packets and any(failure in line for failure in _FAILURES):
            packets[-1] = None
        elif field := _FIELD.search(line):
            name, value = field[1], int(field[2])
            if name in _PARAMETER_SET_IDS:
                current = value
            elif name in ("pic_init_qp_minus26", "init_qp_minus26"):
                initial[current] = 26 + value
            elif name == "slice_qp_delta":
                found.append(initial[current] + value)
            elif name == "base_q_idx":
                found.append(value)
    return packets
