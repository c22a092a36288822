"""The teacher as re-ranker of the evaluated queries: a ceiling for what can be distilled from it, and what it costs at
query time.

It labels the queries of the evaluated split, which no trained method may, so it is a reference and not a rival; its
calls, tokens and USD stand on the card like those of any labels and grow with the number of evaluated queries. It
re-ranks the first `shown` documents of one run of the evaluated queries, BM25's or the untrained student's (`first`);
those it leaves unplaced follow as they stood. With a teacher of kind `oracle` this is the oracle: the best order of
those documents. Training candidates may mix several engines, so a retriever that learnt from them, or searches by
itself, can find what this ceiling was never shown.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from baselines._shared.reranking import RerankSettings, first_stage
from harness.collections.collection import Judgments, Texts
from harness.collections.pool import Pool
from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_stage import GOLD, Labels
from harness.method import Axis, Method, MethodInputs
from harness.stage import Stage
from harness.students.rerank_stages import TeacherRerank


class TeacherRerankSettings(RerankSettings):
    """What is re-ranked."""

    shown: int = Field(10, ge=1, description="documents a query that the teacher is shown: each costs tokens")


class TeacherReranker(Method):
    """The first stage in the teacher's order."""

    name = "teacher-rerank"
    summary = "the teacher re-ranks the evaluated queries' candidates: a ceiling, paid at query time"
    source = "UPR, arXiv 2204.07496; RankGPT, arXiv 2304.09542"
    needs = ("order",)
    category = "reference"
    axes: ClassVar[frozenset[Axis]] = frozenset({"teacher"})
    settings: TeacherRerankSettings

    def run(self, inputs: MethodInputs) -> Stage:
        assert inputs.teacher is not None
        collection, first = inputs.collection, first_stage(inputs, self.settings.first)
        queries = collection.queries(inputs.split)
        # Only an oracle is told what is relevant.
        told = collection.judgments(inputs.split) if GOLD in inputs.teacher.needs else _unjudged(inputs.split, queries)
        pool = Pool(
            corpus=collection.corpus,
            queries=queries,
            judgments=told,
            held_out=(),
            sources=("train",),
            cap=len(queries),
        )
        labels = Labels(
            teacher=inputs.teacher,
            subset=QuerySubset(pool, 0, len(queries)),
            candidates=first,
            corpus=collection.corpus,
            depth=self.settings.shown,
        )
        return TeacherRerank(labels=labels, first=first)


def _unjudged(split: str, queries: Texts) -> Judgments:
    """Judgments that say nothing of any query."""
    return Judgments(split, "none", {query: {} for query in queries.ids})
