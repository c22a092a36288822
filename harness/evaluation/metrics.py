"""Metrics by name, per query, as trec_eval computes them.

Names are those of ir_measures (``nDCG@10``, ``AP(rel=2)``). All values come from trec_eval's own code (pytrec_eval), but for what it
lacks: RR with a cutoff follows from its reciprocal rank, Judged@k from its order (score as a 32-bit float descending, then document id
descending).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from harness.errors import UserError, did_you_mean
from harness.evaluation.order import top

Scores = dict[str, dict[str, float]]
"""metric -> query id -> value"""
Documents = Mapping[str, float]
Grades = Mapping[str, int]


@dataclass(frozen=True)
class Definition:
    """What a metric is made of; lists and help are made from these attributes.

    `whole` and `cut` name trec_eval's measure without and with a cutoff, None where the metric does not come that way.
    """

    summary: str
    source: str
    whole: str | None = None
    cut: str | None = None
    graded: bool = False
    """True where grades count as they are, so that a relevance level means nothing."""
    aliases: tuple[str, ...] = ()
    own: Callable[[Documents, Grades, int], float] | None = None
    """How to compute it where trec_eval cannot."""
    within: Callable[[float, int], float] | None = None
    """How its value without a cutoff becomes the value at a cutoff."""

    @property
    def takes_cutoff(self) -> bool:
        return bool(self.cut or self.own or self.within)


def _reciprocal_rank_within(value: float, cutoff: int) -> float:
    return value if value > 0 and round(1 / value) <= cutoff else 0.0


def _judged(documents: Documents, grades: Grades, cutoff: int) -> float:
    first = top(documents, cutoff)
    return sum(document in grades for document in first) / len(first) if first else 0.0


METRICS: dict[str, Definition] = {
    "nDCG": Definition(
        "gain discounted by log2 of the rank, relative to the best possible order",
        "Järvelin and Kekäläinen, TOIS 2002",
        whole="ndcg",
        cut="ndcg_cut",
        graded=True,
    ),
    "AP": Definition("mean of the precision at each relevant document", "Harman, TREC 1992", whole="map", cut="map_cut", aliases=("MAP",)),
    "RR": Definition(
        "one over the rank of the first relevant document",
        "Kantor and Voorhees, Information Retrieval 2000",
        whole="recip_rank",
        aliases=("MRR",),
        within=_reciprocal_rank_within,
    ),
    "R": Definition("share of the relevant documents among the first k", "trec_eval", cut="recall", aliases=("Recall",)),
    "P": Definition("share of relevant documents among the first k", "trec_eval", cut="P", aliases=("Precision",)),
    "Success": Definition(
        "1 if a relevant document is among the first k (hit rate)",
        "trec_eval",
        cut="success",
        aliases=("hit_rate", "HitRate", "Hit", "Hits"),
    ),
    "Rprec": Definition("precision at as many documents as are relevant", "Buckley and Voorhees 2005", whole="Rprec"),
    "Bpref": Definition("order of judged documents only", "Buckley and Voorhees, SIGIR 2004", whole="bpref"),
    "Judged": Definition("share of judged documents among the first k returned", "ir_measures", graded=True, own=_judged),
}

_FORM = re.compile(r"(?P<name>[A-Za-z_]+)(\(rel=(?P<rel>\d+)\))?(@(?P<cutoff>\d+))?")


@dataclass(frozen=True)
class Metric:
    """A metric with its parameters; its text is what ir_measures prints."""

    name: str
    cutoff: int | None = None
    rel: int = 1

    def __str__(self) -> str:
        level = f"(rel={self.rel})" if self.rel != 1 else ""
        return f"{self.name}{level}" + (f"@{self.cutoff}" if self.cutoff else "")

    @property
    def definition(self) -> Definition:
        return METRICS[self.name]

    @property
    def trec(self) -> tuple[str, str] | None:
        """What to ask pytrec_eval for, and the key it answers under."""
        whole, cut = self.definition.whole, self.definition.cut
        if self.cutoff and cut:
            return f"{cut}.{self.cutoff}", f"{cut}_{self.cutoff}"
        return (whole, whole) if whole else None

    def value(self, trec: Mapping[str, float], documents: Documents, grades: Grades) -> float:
        """The value for one query, from what trec_eval said of it (`trec`) or from the list itself."""
        definition, asked = self.definition, self.trec
        if asked is None:
            assert definition.own and self.cutoff
            return definition.own(documents, grades, self.cutoff)
        value = trec[asked[1]]
        return definition.within(value, self.cutoff) if definition.within and self.cutoff else value


@cache
def _known() -> dict[str, str]:
    return {alias.casefold(): name for name, definition in METRICS.items() for alias in (name, *definition.aliases)}


@cache
def metric(text: str) -> Metric:
    """The metric that `text` names; upper and lower case and the usual aliases (MRR, MAP, hit_rate) are accepted.

    Raises UserError with the nearest known name.
    """
    form = _FORM.fullmatch(text.replace(" ", ""))
    if form is None:
        raise UserError(f"'{text}' is no metric", remedy="write it as in nDCG@10, AP, or R(rel=2)@100")
    name = _known().get(form["name"].casefold())
    if name is None:
        known = [alias for entry in METRICS for alias in (entry, *METRICS[entry].aliases)]
        raise UserError(f"unknown metric '{form['name']}' in '{text}'", remedy=did_you_mean(form["name"], known))
    found = Metric(name, int(form["cutoff"]) if form["cutoff"] else None, int(form["rel"] or 1))
    _check(found, text)
    return found


def _check(found: Metric, text: str) -> None:
    definition = found.definition
    if found.cutoff is None and not definition.whole:
        raise UserError(f"'{text}' needs a cutoff", remedy=f"write {found.name}@10")
    if found.cutoff is not None and not (definition.takes_cutoff and found.cutoff > 0):
        reason = "the cutoff must be at least 1" if definition.takes_cutoff else f"{found.name} takes no cutoff"
        raise UserError(f"'{text}' is no metric: {reason}")
    if found.rel != 1 and (definition.graded or found.rel < 1):
        reason = f"{found.name} takes no relevance level" if definition.graded else "the relevance level must be at least 1"
        raise UserError(f"'{text}' is no metric: {reason}")


def evaluate(run: Mapping[str, Documents], qrels: Mapping[str, Grades], metrics: Iterable[str | Metric]) -> Scores:
    """Value of each metric for every query of `qrels`, in the order of their ids; a query that `run` misses counts 0.

    `run` maps query id to document id to score (finite; higher is better), `qrels` query id to document id to grade. Keys of the
    answer are the metrics' own names. Raises UserError on an unknown metric.
    """
    wanted = list(dict.fromkeys(metric(item) if isinstance(item, str) else item for item in metrics))
    queries = sorted(qrels)
    judged = {query: run[query] for query in queries if run.get(query) and qrels[query]}
    scores: Scores = {str(item): dict.fromkeys(queries, 0.0) for item in wanted}
    for rel, group in groupby(sorted(wanted, key=lambda item: item.rel), key=lambda item: item.rel):
        _fill(scores, list(group), rel, judged, qrels)
    return scores


def _fill(scores: Scores, metrics: list[Metric], rel: int, judged: Mapping[str, Documents], qrels: Mapping[str, Grades]) -> None:
    from pytrec_eval import RelevanceEvaluator

    # Without a relevant document, or without any document, every measure of trec_eval is 0. pytrec_eval 0.5.11 must not see such queries:
    # grades that are all negative crash it or hang it, and so does Rprec or Bpref of an empty list.
    scored = {query: judged[query] for query in judged if max(qrels[query].values()) > 0}
    asked = {item.trec[0] for item in metrics if item.trec}
    trec = RelevanceEvaluator({query: qrels[query] for query in scored}, asked, relevance_level=rel).evaluate(scored) if asked else {}
    for item in metrics:
        values = scores[str(item)]
        for query, documents in (scored if item.trec else judged).items():
            values[query] = item.value(trec.get(query, {}), documents, qrels[query])


def mean(values: Mapping[str, float]) -> float:
    """Mean over all queries, the same to the last digit in whatever order they come."""
    return math.fsum(values.values()) / len(values) if values else math.nan


def described_metrics() -> list[dict[str, Any]]:
    """``[{"name", "summary", "source", "needs"}]`` of all metrics; the name shows how one is written."""
    return [_described(name) for name in METRICS]


def describe_metric(text: str) -> dict[str, Any]:
    """One entry of `described_metrics` with its other spellings. Raises UserError when there is no such metric."""
    name = _known().get(text.partition("@")[0].casefold()) or metric(text).name
    return {**_described(name), "about": f"Also written {', '.join(METRICS[name].aliases)}." if METRICS[name].aliases else ""}


def _described(name: str) -> dict[str, Any]:
    found = METRICS[name]
    return {"name": _spelling(name), "summary": found.summary, "source": found.source, "needs": ["gold labels"]}


def _spelling(name: str) -> str:
    return f"{name}@k" if not METRICS[name].whole else f"{name}, {name}@k" if METRICS[name].takes_cutoff else name
