"""The smallest step of the score that means something, as measured on the embedded model.

Not copied from another metric. `python -m train.ladder_step CORPUS` measures it on renditions of
contents that the model never saw; measure again whenever the model changes.

The values are that command's for revision 13 of the embedded model, on contents by makers none of
whom made what it learned from (`--split test`; 50 contents, 2160 pairs of encodes of one source
and codec): a pair of scores a step apart is in the order of its labels 19 times of 20. Over
resampled contents the step is from 5.3 to 12.0 points, so what is to fail a ladder lies beyond all
of that. By the same curve a pair is in order three times of four, halfway from guessing, at 3.18
points: what is closer cannot be told.
"""

from __future__ import annotations

from typing import Final

#: Points of 100.
NOTICEABLE_STEP: Final = 8.5

#: Where a pair of scores is just told apart, points: right three times of four.
JUST_NOTICEABLE_STEP: Final = 3.2

#: The upper end of the step over resampled contents, points.
CERTAIN_STEP: Final = 12.0
