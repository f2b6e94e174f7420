"""What becomes of memory that was freed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

#: What arithmetic on a few pictures holds at once, bytes, and more.
_BLOCK = 16 << 20


@lru_cache(maxsize=1)
def keep_freed() -> None:
    """Let this process keep what it frees of small arrays for those that come next.

    The C library of Linux gives freed memory back to the system, which hands it out again page by
    page: a quarter of what measures take. It keeps blocks of a size that was freed before, and
    twice that in all (`M_MMAP_THRESHOLD` in mallopt(3)); no page of the one here is touched.
    Elsewhere this does nothing.
    """
    np.empty(_BLOCK, np.uint8)
