"""What becomes of memory that was freed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

#: Frees a few arrays at once, again and again, and prints the pages that the system handed out.
ROUNDS = """
import resource
import sys

import numpy as np

from vqa2cli.video.memory import keep_freed


def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [np.ones(1 << 20, np.uint8) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


faults()
if sys.argv[1] == "keep":
    keep_freed()
    faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps it so")
def test_what_is_freed_is_handed_out_again_without_asking_the_system() -> None:
    usual = {name: value for name, value in os.environ.items() if "MALLOC" not in name.upper()}
    usual.pop("GLIBC_TUNABLES", None)
    pages = {}
    for how in ("keep", "leave"):
        done = subprocess.run(
            [sys.executable, "-c", ROUNDS, how],
            capture_output=True, text=True, check=True, env=usual,
        )  # fmt: skip
        pages[how] = int(done.stdout)
    assert pages["keep"] < pages["leave"] / 10
