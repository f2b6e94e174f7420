"""The smallest step of the score that means something, as measured on the embedded model.

Not copied from another metric. `python -m train.ladder_step CORPUS` measures it on renditions of
contents that the model never saw; measure again whenever the model changes.

The value is that command's `step` for revision 4 of the embedded model: over 1480 pairs of
encodes of one source and codec (26 contents), a pair of scores this far apart is in the order of
its labels 19 times of 20; 2.9 to 8.9 over resampled contents.
"""

from __future__ import annotations

from typing import Final

#: Points of 100.
NOTICEABLE_STEP: Final = 6.1
