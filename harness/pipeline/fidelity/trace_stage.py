"""The parts of a cell's trace as one file, in the form in which it is published."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.evaluation.metrics.lookup import mean
from harness.evaluation.metrics.per_query_file import FILE as METRICS
from harness.evaluation.metrics.per_query_file import read_scores
from harness.pipeline.fidelity.fidelity_stages import FILE as FIDELITY
from harness.pipeline.fidelity.fidelity_stages import RankerFidelity, RetrieverFidelity
from harness.pipeline.fidelity.order_quality_stage import FILE as QUALITY
from harness.pipeline.fidelity.order_quality_stage import OrderQuality
from harness.published.result_folder import TRACE
from harness.published.run_trace import RunTrace
from harness.stage import Context, Stage
from harness.text import plain
from harness.validation import validated

LONGEST = 300
"""Characters of a ranker's label that are published: a sum of losses names all their settings."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RerankedQueries:
    """The evaluated queries in the ranker's order and in that of their candidates, by one metric."""

    reranked: Evaluate
    candidates: Evaluate
    depth: int
    """How many candidates of a query are re-ranked."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TransferTrace(Stage):
    """From a teacher to a retriever: ``trace.json`` (published/run_trace.py). What a method does not have is None."""

    kind: ClassVar[str] = "trace"

    quality: OrderQuality | None
    ranker: str | None
    """What the ranker is called; None where there is none."""
    fidelity: RankerFidelity | None
    evaluated: RerankedQueries | None
    student: RetrieverFidelity | None
    target: Literal["ranker", "teacher"]
    """Whom the student follows."""

    @property
    def label(self) -> str:
        return self.ranker or self.target

    def run(self, out: Path, context: Context) -> None:
        student = _parsed(self.student, FIDELITY, context)
        trace = {
            "teacher": (_parsed(self.quality, QUALITY, context) or {}).get("teacher"),
            "ranker": None if self.ranker is None else self._ranker(context),
            "student": student and {**student, "target": self.target},
        }
        (out / TRACE).write_bytes(validated(RunTrace, trace, what="the trace").to_json())

    def _ranker(self, context: Context) -> dict[str, Any]:
        return {
            "label": plain(self.ranker or "")[:LONGEST],
            "teacher": _parsed(self.fidelity, FIDELITY, context),
            "reranked": self.evaluated and _reranked(self.evaluated, context),
        }


def _parsed(stage: Stage | None, name: str, context: Context) -> dict[str, Any] | None:
    if stage is None:
        return None
    found: dict[str, Any] = json.loads((context.path(stage) / name).read_text(encoding="utf-8"))
    return found


def _reranked(evaluated: RerankedQueries, context: Context) -> dict[str, Any]:
    (name, values), *_ = read_scores(context.path(evaluated.reranked) / METRICS).items()
    before = read_scores(context.path(evaluated.candidates) / METRICS)[name]
    short = {query: float(f"{value:.6g}") for query, value in values.items()}
    return {
        "metric": name,
        "mean": mean(values),
        "candidates": mean(before),
        "depth": evaluated.depth,
        "queries": short,
    }
