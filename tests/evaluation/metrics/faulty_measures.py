"""A metric as somebody else may write one: a ratio that is 0 / 0 where a query has no list."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.measures._judged_run import JudgedRun
from harness.evaluation.measures.measure import Measure
from harness.plugins import Settings


class FoundRatio(Measure):
    """Relevant documents found, over documents found."""

    name: ClassVar[str] = "FoundRatio"
    summary: ClassVar[str] = "relevant documents found over documents found"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def values(self, ranked: JudgedRun) -> Array:
        with np.errstate(invalid="ignore"):
            return np.asarray(ranked.count(ranked.grade > 0) / ranked.returned)
