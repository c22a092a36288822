"""How many of the first k, or of all returned documents, are relevant."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from harness.evaluation.exact_sums import Array
from harness.evaluation.measures._judged_run import JudgedRun, share
from harness.evaluation.measures.measure import JUDGED_ONLY, REL, UNIT, Binary, BinaryAt, Measure
from harness.plugins import Settings


class _AtCutoff(Measure):
    bounds: ClassVar[tuple[float, float]] = UNIT
    cutoff_needed: ClassVar[bool] = True
    Settings: ClassVar[type[Settings]] = BinaryAt

    def __init__(self, settings: BinaryAt) -> None:
        assert settings.cutoff is not None
        self.cutoff, self.rel = settings.cutoff, settings.rel

    def found(self, ranked: JudgedRun) -> Array:
        """Relevant documents (n,) among the first k."""
        return ranked.count((ranked.grade >= self.rel) & (ranked.rank <= self.cutoff))


class Precision(_AtCutoff):
    name = "P"
    summary = "share of relevant documents among the first k"
    source = "trec_eval"
    aliases = ("Precision",)

    def values(self, ranked: JudgedRun) -> Array:
        return self.found(ranked) / self.cutoff


class Recall(_AtCutoff):
    name = "R"
    summary = "share of the relevant documents among the first k"
    source = "trec_eval"
    aliases = ("Recall",)

    def values(self, ranked: JudgedRun) -> Array:
        return share(self.found(ranked), ranked.relevant(self.rel))


class F1(_AtCutoff):
    """2 P R / (P + R) at k, which is 2 hits / (k + relevant)."""

    name = "F1"
    summary = "harmonic mean of P@k and R@k"
    source = "van Rijsbergen 1979"

    def values(self, ranked: JudgedRun) -> Array:
        return 2 * self.found(ranked) / (self.cutoff + ranked.relevant(self.rel))


class Success(_AtCutoff):
    name = "Success"
    summary = "1 if a relevant document is among the first k (hit rate)"
    source = "trec_eval"
    aliases = ("hit_rate", "HitRate", "Hit", "Hits")

    def values(self, ranked: JudgedRun) -> Array:
        return np.minimum(self.found(ranked), 1.0)


class _OfAll(Measure):
    bounds: ClassVar[tuple[float, float]] = UNIT
    Settings: ClassVar[type[Settings]] = Binary

    def __init__(self, settings: Binary) -> None:
        self.rel = settings.rel

    def found(self, ranked: JudgedRun) -> Array:
        """Relevant documents (n,) in the whole list."""
        return ranked.count(ranked.grade >= self.rel)


class RPrecision(_OfAll):
    name = "Rprec"
    summary = "precision at as many documents as are relevant"
    source = "Buckley and Voorhees 2005"
    aliases = ("RPrec",)

    def values(self, ranked: JudgedRun) -> Array:
        relevant = ranked.relevant(self.rel)
        return share(ranked.count((ranked.grade >= self.rel) & (ranked.rank <= relevant[ranked.query])), relevant)


class SetPrecision(_OfAll):
    name = "SetP"
    summary = "share of relevant documents among all returned"
    source = "trec_eval"

    def values(self, ranked: JudgedRun) -> Array:
        return share(self.found(ranked), ranked.returned.astype(np.float64))


class SetRecall(_OfAll):
    name = "SetR"
    summary = "share of the relevant documents among all returned"
    source = "trec_eval"

    def values(self, ranked: JudgedRun) -> Array:
        return share(self.found(ranked), ranked.relevant(self.rel))


class SetFSettings(Settings):
    """Parameters of SetF."""

    rel: int = REL
    beta: float = Field(default=1.0, gt=0, description="weight of precision against recall, as trec_eval has it")
    judged_only: bool = JUDGED_ONLY


class SetF(_OfAll):
    """(x + 1) P R / (x P + R) with x = beta: trec_eval's form, which does not square it."""

    name = "SetF"
    summary = "weighted harmonic mean of precision and recall of all returned documents (F1 at beta 1)"
    source = "van Rijsbergen 1979; trec_eval"
    Settings: ClassVar[type[Settings]] = SetFSettings

    def __init__(self, settings: SetFSettings) -> None:
        self.rel, self.beta = settings.rel, settings.beta

    def values(self, ranked: JudgedRun) -> Array:
        found, relevant = self.found(ranked), ranked.relevant(self.rel)
        precision, recall = share(found, ranked.returned.astype(np.float64)), share(found, relevant)
        return share((self.beta + 1) * precision * recall, self.beta * precision + recall)
