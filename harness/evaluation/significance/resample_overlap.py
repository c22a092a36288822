"""What resamples that share training queries say too little of: luck with the draw.

u draws of n out of N queries share f = n / N of them in the mean. Their mean varies, over draws from new pools, by
S (f + (1 - f) / u) with S the variance of one, while what is seen of them differs by S (1 - f), which makes it
S (1 - f) / u of the mean. The ratio is what that variance is multiplied by; 1 for draws that share nothing.
"""

from __future__ import annotations

import math


def overlap_factor(part: float, runs: float) -> float:
    """By how much the variance between `runs` resamples is told too small when they share `part` of their queries;
    infinite where they share all. Where resamples weigh differently, `runs` is the number of equal ones that vary as
    much."""
    if part >= 1:
        return math.inf
    return (part + (1 - part) / runs) / ((1 - part) / runs)
