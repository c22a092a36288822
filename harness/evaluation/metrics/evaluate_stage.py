"""Evaluation as a stage of the graph."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Corpus, Judgments
from harness.errors import UserError
from harness.evaluation.metrics.lookup import evaluate, mean, metric
from harness.evaluation.metrics.per_query_file import FILE, write_scores
from harness.retrieval.run import Run
from harness.stage import Context, Stage, transport


@dataclass(frozen=True, eq=False)
class Evaluate(Stage):
    """Per-query values of a run, without the queries' own documents where these are left out: ``metrics.parquet``
    (query, metric, value) and ``means.json`` (queries, missing, metrics)."""

    source: Stage
    """The stage whose artefact holds ``run.trec.gz``."""
    judgments: Judgments
    metrics: tuple[str, ...]
    corpus: Corpus | None = transport(default=None)
    """Given where the run may be of anything, to refuse one that shares no document with it."""
    kind: ClassVar[str] = "evaluate"

    @property
    def source_classes(self) -> tuple[type, ...]:

        return tuple(metric(name).kind for name in self.metrics)

    def run(self, out: Path, context: Context) -> None:

        run = Run.read(context.path(self.source) / "run.trec.gz")
        if self.judgments.drop_identical:
            run = run.without_identical()
        if self.corpus is not None:
            _check_known(run, self.judgments, self.corpus)
        scores = evaluate(run.scores, self.judgments.qrels, self.metrics)
        write_scores(out / FILE, scores)
        means = {
            "queries": len(self.judgments.qrels),
            "missing": sum(not run.scores.get(query) for query in self.judgments.qrels),
            "metrics": {name: mean(values) for name, values in scores.items()},
        }
        (out / "means.json").write_text(json.dumps(means, indent=1) + "\n", encoding="utf-8")


def _check_known(run: Run, judgments: Judgments, corpus: Corpus) -> None:
    """Raises UserError where a run holds no judged query, or no document of the collection: it would score 0, and the
    reason be taken for a bad method."""
    if not (queries := [query for query in run.scores if query in judgments.qrels]):
        given, right = next(iter(run.scores)), next(iter(judgments.qrels))
        raise UserError(
            f"the run holds none of the judged queries; it has '{given}', where the collection has '{right}'",
            remedy="rank documents for inputs.collection.queries(inputs.split).ids",
        )
    documents = list({document: None for query in queries for document in run.scores[query]})
    if documents and (corpus.find(documents) < 0).all():
        raise UserError(
            f"the run holds no document of the collection; it has '{documents[0]}', where the collection has "
            f"'{corpus.ids[0]}'",
            remedy="name documents as inputs.collection.corpus.ids does",
        )
