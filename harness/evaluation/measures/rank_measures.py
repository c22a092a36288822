"""Metrics of where the relevant documents stand."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.measures._judged_run import JudgedRun, share
from harness.evaluation.measures.measure import CUTOFF, REL, UNIT, BinaryAt, Measure
from harness.plugins import Settings

_EPSILON = 0.00001
"""trec_eval's INFAP_EPSILON: what keeps an estimate from judged documents defined where there are none."""


class _Within(Measure):
    bounds: ClassVar[tuple[float, float]] = UNIT
    Settings: ClassVar[type[Settings]] = BinaryAt

    def __init__(self, settings: BinaryAt) -> None:
        self.rel, self.cutoff = settings.rel, settings.cutoff or np.inf


class AP(_Within):
    name = "AP"
    summary = "mean of the precision at each relevant document"
    source = "Harman, TREC 1992"
    aliases = ("MAP",)

    def values(self, ranked: JudgedRun) -> Array:
        relevant = ranked.grade >= self.rel
        precision = (ranked.before(relevant) + 1) / ranked.rank
        return share(ranked.per_query(precision, relevant & (ranked.rank <= self.cutoff)), ranked.relevant(self.rel))


class RR(_Within):
    name = "RR"
    summary = "one over the rank of the first relevant document"
    source = "Kantor and Voorhees, Information Retrieval 2000"
    aliases = ("MRR",)

    def values(self, ranked: JudgedRun) -> Array:
        relevant = ranked.grade >= self.rel
        first = relevant & (ranked.before(relevant) == 0) & (ranked.rank <= self.cutoff)
        return ranked.per_query(1 / ranked.rank, first)


class RelevanceLevel(Settings):
    """Parameters of metrics that look past unjudged documents anyway."""

    rel: int = REL


class _Judged(Measure):
    bounds: ClassVar[tuple[float, float]] = UNIT
    Settings: ClassVar[type[Settings]] = RelevanceLevel

    def __init__(self, settings: RelevanceLevel) -> None:
        self.rel = settings.rel


class Bpref(_Judged):
    """Of relevant documents, the share of the first R judged not relevant ones that they stand before; negative grades
    are unjudged."""

    name = "Bpref"
    summary = "order of judged documents only"
    source = "Buckley and Voorhees, SIGIR 2004"
    aliases = ("BPref",)

    def values(self, ranked: JudgedRun) -> Array:
        relevant, refused = ranked.grade >= self.rel, (ranked.grade >= 0) & (ranked.grade < self.rel)
        wanted = ranked.relevant(self.rel)
        others = ranked.judged((ranked.judged_grade >= 0) & (ranked.judged_grade < self.rel))
        worse = np.minimum(ranked.before(refused), wanted[ranked.query])
        lost = share(worse, np.minimum(others, wanted)[ranked.query])
        return share(ranked.per_query(1 - lost, relevant), wanted)


class InfAP(_Judged):
    """AP from a judged sample of the pool; a grade below 0 says that a document is in the pool and not judged."""

    name = "infAP"
    summary = "AP inferred where only a part of the pool was judged"
    source = "Yilmaz and Aslam, CIKM 2006"

    def values(self, ranked: JudgedRun) -> Array:
        relevant = ranked.grade >= self.rel
        good, bad = ranked.before(relevant), ranked.before((ranked.grade >= 0) & (ranked.grade < self.rel))
        pooled = good + bad + ranked.before(ranked.grade < 0)
        expected = (good + _EPSILON) / (good + bad + 2 * _EPSILON)
        return share(ranked.per_query((1 + pooled * expected) / ranked.rank, relevant), ranked.relevant(self.rel))


class JudgedSettings(Settings):
    """Parameters of Judged."""

    cutoff: int | None = CUTOFF


class Judged(Measure):
    name = "Judged"
    summary = "share of judged documents among the first k returned"
    source = "ir_measures"
    bounds: ClassVar[tuple[float, float]] = UNIT
    Settings: ClassVar[type[Settings]] = JudgedSettings

    def __init__(self, settings: JudgedSettings) -> None:
        self.cutoff = settings.cutoff or np.inf

    def values(self, ranked: JudgedRun) -> Array:
        return share(
            ranked.count(ranked.rank <= self.cutoff), np.minimum(ranked.returned, self.cutoff).astype(np.float64)
        )
