"""Fusion of runs, as a stage of the graph: the methods of ranx that need no training.

ranx sorts a run anew and lets ties fall as they happen to. What counts places is therefore given the places of
trec_eval (score, then id, both falling) as scores that fall strictly; what counts scores does not care about their
order. A query that a run lacks is an empty list there. It compiles for up to a minute before its first answer on a
machine, and keeps most of that.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness._lazy import lazy
from harness.retrieval.run import FILE, Run
from harness.stage import Context, Stage

ranx = lazy("ranx")

Norm = Literal["none", "min-max", "max", "sum", "zmuv", "rank", "borda"]
Combination = Literal[
    "rrf", "sum", "wsum", "mnz", "gmnz", "anz", "max", "min", "med", "isr", "log_isr", "logn_isr", "bordafuse", "rbc"
]
PLACES = frozenset({"rrf", "isr", "log_isr", "logn_isr", "bordafuse", "rbc", "rank", "borda"})
"""Combinations and norms that count places, not scores."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FusedRuns(Stage):
    """A run out of several: `combination` of their scores after `norm`, both by ranx's names, as are the `parameters`.

    Combinations that count places read no scores, and so no norm.
    """

    kind: ClassVar[str] = "fusion"
    version: ClassVar[int] = 2

    runs: tuple[Stage, ...]
    depth: int
    combination: Combination
    norm: Norm = "none"
    parameters: Mapping[str, Any]

    @property
    def label(self) -> str:
        return f"{self.combination}, {' + '.join(run.label for run in self.runs)}"

    def run(self, out: Path, context: Context) -> None:
        runs = [Run.read(context.path(run)) for run in self.runs]
        fused = Run("fusion", fuse(runs, self.combination, self.norm, self.parameters))
        kept = {
            query: {document: fused.scores[query][document] for document in fused.top(query, self.depth)}
            for query in fused.scores
        }
        Run("fusion", kept).write(out / FILE)


def fuse(
    runs: list[Run], combination: Combination, norm: Norm, parameters: Mapping[str, Any]
) -> dict[str, dict[str, float]]:
    """Fused scores by query and document; one that a run lacks gets nothing from it. Each run must have results for
    some query."""
    from numba.core.errors import NumbaTypeSafetyWarning

    queries = dict.fromkeys(query for run in runs for query in run.scores)
    scored = not PLACES & {combination, norm}
    given = [
        ranx.Run({query: dict(run.scores.get(query, {})) if scored else _places(run, query) for query in queries})
        for run in runs
    ]
    with warnings.catch_warnings():
        # Places in a list, which no integer type is too small for.
        warnings.simplefilter("ignore", NumbaTypeSafetyWarning)
        found = ranx.fuse(
            runs=given, norm=None if norm == "none" else norm, method=combination, params=dict(parameters)
        )
    return {query: {document: float(score) for document, score in found.run[query].items()} for query in queries}


def _places(run: Run, query: str) -> dict[str, float]:
    """The documents with scores that fall by one from place to place."""
    return {document: -float(place) for place, document in enumerate(run.top(query))}
