"""Metrics of gain that fades with the rank."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from harness.evaluation.exact_sums import Array
from harness.evaluation.measures._judged_run import Ints, JudgedRun, share, sums
from harness.evaluation.measures.measure import CUTOFF, JUDGED_ONLY, REL, UNIT, Measure
from harness.plugins import Settings


class NDCGSettings(Settings):
    """Parameters of nDCG."""

    dcg: Literal["log2", "exp-log2"] = Field(
        default="log2", description="gain is the grade (log2) or 2^grade - 1 (exp-log2)"
    )
    judged_only: bool = JUDGED_ONLY
    cutoff: int | None = CUTOFF


class NDCG(Measure):
    """Gain over log2(rank + 1), summed, over that of the best order of all judged documents; negative grades gain
    nothing."""

    name = "nDCG"
    summary = "gain discounted by log2 of the rank, relative to the best possible order"
    source = "Järvelin and Kekäläinen, TOIS 2002; Burges et al., ICML 2005 (exp-log2)"
    bounds: ClassVar[tuple[float, float]] = UNIT
    Settings: ClassVar[type[Settings]] = NDCGSettings

    def __init__(self, settings: NDCGSettings) -> None:
        self.exponential, self.cutoff = settings.dcg == "exp-log2", settings.cutoff

    def values(self, ranked: JudgedRun) -> Array:
        order = np.lexsort((-ranked.judged_grade, ranked.judged_query))
        query, grade = ranked.judged_query[order], ranked.judged_grade[order]
        best = self._gained(ranked.queries, query, np.arange(len(query)) - np.searchsorted(query, query) + 1, grade)
        return share(self._gained(ranked.queries, ranked.query, ranked.rank, ranked.grade), best)

    def _gained(self, queries: int, query: Ints, rank: Ints, grade: Ints) -> Array:
        counted = (grade > 0) & (rank <= (self.cutoff or np.inf))
        grades = grade[counted].astype(np.float64)
        # Grades above 1,000 gain no more: 2^1024 is no number any more.
        gains = np.exp2(np.minimum(grades, 1000)) - 1 if self.exponential else grades
        return sums(query[counted], gains / np.log2(rank[counted] + 1.0), queries)


class RBPSettings(Settings):
    """Parameters of RBP."""

    p: float = Field(default=0.8, gt=0, lt=1, description="persistence: how likely a user goes on to the next document")
    rel: int = REL
    cutoff: int | None = CUTOFF


class RBP(Measure):
    """(1 - p) times the sum of p^(rank - 1) over relevant documents; what follows the list counts as not relevant."""

    name = "RBP"
    summary = "what a user gains who goes on to the next document with probability p"
    source = "Moffat and Zobel, TOIS 2008"
    always = ("rel",)
    bounds: ClassVar[tuple[float, float]] = UNIT
    Settings: ClassVar[type[Settings]] = RBPSettings

    def __init__(self, settings: RBPSettings) -> None:
        self.p, self.rel, self.cutoff = settings.p, settings.rel, settings.cutoff

    def values(self, ranked: JudgedRun) -> Array:
        chosen = (ranked.grade >= self.rel) & (ranked.rank <= (self.cutoff or np.inf))
        return (1 - self.p) * ranked.per_query(np.power(self.p, ranked.rank - 1.0), chosen)
