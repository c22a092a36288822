"""Fusion of runs by scores or ranks, after the fusion methods of ranx that need no training, as a stage of the graph.

Written anew rather than called: ranx compiles for up to a minute before its first query, refuses runs of which one misses a query, and
takes ranks from the order in which a run was written, so that ties fall as they happen to. Here a rank is trec_eval's (score, then id,
both falling) and a run without results for a query adds nothing. On runs without ties and gaps both agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import ClassVar, Literal

from harness.retrieval.run import FILE, Run
from harness.stage import Context, Stage

Norm = Literal["none", "min-max", "max", "sum", "zmuv", "rank", "borda"]
Combination = Literal["sum", "wsum", "mnz", "gmnz", "anz", "max", "min", "med", "isr", "log_isr", "logn_isr", "bordafuse", "rbc"]
Results = Mapping[str, float]
"""document -> score, best first"""

_SMALLEST = 1e-9
"""Least divisor of a norm: a run of equal scores."""


@dataclass(frozen=True)
class Numbers:
    """The numbers of some combinations: ranx's parameters of these names, and the weight of the first run (the rest share the rest)."""

    first_weight: float = 0.5
    gamma: float = 1.0
    sigma: float = 0.01
    phi: float = 0.8


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreFusion(Stage):
    """A run out of several, `combination` of their scores after `norm`; rank-based combinations read no scores."""

    kind: ClassVar[str] = "score-fusion"

    runs: tuple[Stage, ...]
    depth: int
    combination: Combination
    norm: Norm
    numbers: Numbers

    @property
    def label(self) -> str:
        return f"{self.combination}, {' + '.join(run.label for run in self.runs)}"

    def run(self, out: Path, context: Context) -> None:
        runs = [Run.read(context.path(run)) for run in self.runs]
        fused: dict[str, Results] = {}
        for query in dict.fromkeys(query for run in runs for query in run.scores):
            results = [{document: run.scores[query][document] for document in run.top(query)} for run in runs]
            scores = combined(results, self.combination, self.norm, self.numbers)
            fused[query] = {document: scores[document] for document in Run("", {query: scores}).top(query, self.depth)}
        Run("fusion", fused).write(out / FILE)


def combined(results: Sequence[Results], combination: Combination, norm: Norm, numbers: Numbers) -> dict[str, float]:
    """Fused score of every document of some results of one query."""
    documents = list(dict.fromkeys(document for one in results for document in one))
    if not documents:
        return {}
    if ranked := _RANKED.get(combination):
        given, combine = [ranked[0](one, documents, numbers) for one in results], ranked[1]
    else:
        given, combine = [_NORMS[norm](one, documents) for one in results], _COMBINED[combination]
    weights = [numbers.first_weight, *[(1 - numbers.first_weight) / max(len(results) - 1, 1)] * (len(results) - 1)]
    return {
        document: combine([(one[document], weight) for one, weight in zip(given, weights, strict=True) if document in one], numbers)
        for document in documents
    }


def _scaled(results: Results, away: float, divisor: float) -> Results:
    return {document: (score - away) / max(divisor, _SMALLEST) for document, score in results.items()}


def _min_max(results: Results, documents: Sequence[str]) -> Results:
    scores = results.values()
    return _scaled(results, min(scores, default=0), max(scores, default=0) - min(scores, default=0))


def _sum(results: Results, documents: Sequence[str]) -> Results:
    least = min(results.values(), default=0)
    return _scaled(results, least, sum(results.values()) - least * len(results))


def _zmuv(results: Results, documents: Sequence[str]) -> Results:
    return _scaled(results, fmean(results.values()), pstdev(results.values())) if results else {}


def _borda(results: Results, documents: Sequence[str]) -> Results:
    """Points by place among all `documents`; those that the run misses share what is left evenly. No results, no points."""
    if not results:
        return {}
    missed = 0.5 - (len(results) - 1) / (2 * len(documents))
    places = {document: 1 - place / len(documents) for place, document in enumerate(results)}
    return {document: places.get(document, missed) for document in documents}


_NORMS: Mapping[Norm, Callable[[Results, Sequence[str]], Results]] = {
    "none": lambda results, documents: results,
    "min-max": _min_max,
    "max": lambda results, documents: _scaled(results, 0, max(results.values(), default=0)),
    "sum": _sum,
    "zmuv": _zmuv,
    "rank": lambda results, documents: {document: 1 - place / len(results) for place, document in enumerate(results)},
    "borda": _borda,
}

Found = Sequence[tuple[float, float]]
"""Score and weight of each run that has the document."""
_Combine = Callable[[Found, Numbers], float]


def _total(found: Found) -> float:
    return math.fsum(score for score, _ in found)


_COMBINED: Mapping[Combination, _Combine] = {
    "sum": lambda found, numbers: _total(found),
    "wsum": lambda found, numbers: math.fsum(score * weight for score, weight in found),
    "mnz": lambda found, numbers: _total(found) * len(found),
    "gmnz": lambda found, numbers: _total(found) * len(found) ** numbers.gamma,
    "anz": lambda found, numbers: _total(found) / len(found),
    "max": lambda found, numbers: max(score for score, _ in found),
    "min": lambda found, numbers: min(score for score, _ in found),
    "med": lambda found, numbers: median(score for score, _ in found),
}


def _inverse_squares(results: Results, documents: Sequence[str], numbers: Numbers) -> Results:
    return {document: 1 / rank**2 for rank, document in enumerate(results, 1)}


def _points(results: Results, documents: Sequence[str], numbers: Numbers) -> Results:
    return {document: points * len(documents) for document, points in _borda(results, documents).items()}


def _biased(results: Results, documents: Sequence[str], numbers: Numbers) -> Results:
    return {document: (1 - numbers.phi) * numbers.phi**place for place, document in enumerate(results)}


_RANKED: Mapping[Combination, tuple[Callable[[Results, Sequence[str], Numbers], Results], _Combine]] = {
    "isr": (_inverse_squares, _COMBINED["mnz"]),
    "log_isr": (_inverse_squares, lambda found, numbers: _total(found) * math.log(len(found))),
    "logn_isr": (_inverse_squares, lambda found, numbers: _total(found) * math.log(len(found) + numbers.sigma)),
    "bordafuse": (_points, _COMBINED["sum"]),
    "rbc": (_biased, _COMBINED["sum"]),
}
