"""What an engine leaves behind for the signals of its process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.engines.toys import available_here

CHECK = """
import ctypes, sys, threading
from engines.registry import create_engine
from tests.engines.toys import GRAPH, feeds

class Stack(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

def is_mapped(address):
    spans = (line.split()[0].split("-") for line in open("/proc/self/maps"))
    return any(int(start, 16) <= address < int(end, 16) for start, end in spans)

engines = [create_engine(sys.argv[1], GRAPH, device="cpu", precision="fp32")]
engines[0].run(feeds(5))
closing = threading.Thread(target=lambda: engines.pop().close())
closing.start()
closing.join()
stack = Stack()
assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(stack)) == 0
assert not stack.start or is_mapped(stack.start), hex(stack.start)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory map of Linux")
@pytest.mark.parametrize("name", available_here())
def test_a_signal_still_has_its_stack_after_another_thread_closed_the_engine(name):
    run = subprocess.run([sys.executable, "-c", CHECK, name], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-500:]
