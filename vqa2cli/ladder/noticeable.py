"""The smallest step of the score that means something, as measured on the embedded model.

Not copied from another metric. `python -m train.ladder_step CORPUS` measures it on renditions
of contents that the model never saw: of same-source pairs of encodes that the model scores at
least this far apart, 95 % are in the order of their labels. Encodes closer than that may as
well be equal, or the other way round. Measure again whenever the model changes.
"""

from __future__ import annotations

from typing import Final

#: Points of 100.
NOTICEABLE_STEP: Final = 4.0
