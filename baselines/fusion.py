"""Reciprocal rank fusion (Cormack et al., SIGIR 2009) of BM25 and the untrained student: the strongest reference that trains nothing.

score(d) = sum over runs of 1 / (k + rank of d), k = 60 as in the paper.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from harness.method import Axis, Group, Kit, Method
from harness.models import resolve_model
from harness.plugins import Settings
from harness.stage import Stage


class FusionSettings(Settings):
    """What is fused, and how."""

    engine: str = Field("bm25s", description="lexical engine: bm25s, or lucene through pyserini (extra `lucene`)")
    model: str | None = Field(None, description="the encoder of the dense run; the sweep's student when left out")
    k: int = Field(60, ge=0, description="the larger, the less the first places count")


class Fusion(Method):
    """BM25 and dense search fused by rank."""

    name = "fusion"
    summary = "BM25 and the untrained student fused by reciprocal ranks"
    source = "Cormack et al., SIGIR 2009, doi:10.1145/1571941.1572114"
    standing: ClassVar[Group] = "reference"
    sees = ("nothing",)
    axes: ClassVar[frozenset[Axis]] = frozenset()
    Settings: ClassVar[type[Settings]] = FusionSettings
    settings: FusionSettings

    def run(self, kit: Kit) -> Stage:
        from harness.retrieval.fusion import ReciprocalRankFusion
        from harness.retrieval.stages import DenseSearch, Embed, lexical_search

        settings, corpus, queries = self.settings, kit.collection.corpus, kit.collection.queries(kit.split)
        model = resolve_model(settings.model, kit.base) if settings.model else kit.retriever
        embedded = Embed(model=model, texts=corpus, max_length=kit.max_length)
        dense = DenseSearch(model=model, corpus=embedded, queries=queries, ids=corpus, depth=kit.depth)
        lexical = lexical_search(settings.engine, {}, corpus, queries, kit.depth)
        return ReciprocalRankFusion(runs=(lexical, dense), depth=kit.depth, k=settings.k)
