"""Evaluation as a stage of the graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Judgments
from harness.evaluation.metrics.lookup import evaluate, mean, metric
from harness.evaluation.metrics.per_query_file import FILE, write_scores
from harness.retrieval.run import Run
from harness.stage import Context, Stage


@dataclass(frozen=True, eq=False)
class Evaluate(Stage):
    """Per-query values of a run, without the queries' own documents where these are left out: ``metrics.parquet``
    (query, metric, value) and ``means.json`` (queries, missing, metrics)."""

    source: Stage
    """The stage whose artefact holds ``run.trec.gz``."""
    judgments: Judgments
    metrics: tuple[str, ...]
    kind: ClassVar[str] = "evaluate"

    @property
    def source_classes(self) -> tuple[type, ...]:

        return tuple(metric(name).kind for name in self.metrics)

    def run(self, out: Path, context: Context) -> None:

        run = Run.read(context.path(self.source) / "run.trec.gz")
        if self.judgments.drop_identical:
            run = run.without_identical()
        scores = evaluate(run.scores, self.judgments.qrels, self.metrics)
        write_scores(out / FILE, scores)
        means = {
            "queries": len(self.judgments.qrels),
            "missing": sum(not run.scores.get(query) for query in self.judgments.qrels),
            "metrics": {name: mean(values) for name, values in scores.items()},
        }
        (out / "means.json").write_text(json.dumps(means, indent=1) + "\n", encoding="utf-8")
