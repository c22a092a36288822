"""Fusion of BM25 and the untrained student: the strongest reference that trains nothing.

By default reciprocal rank fusion (Cormack et al., SIGIR 2009): score(d) = sum over runs of 1 / (k + rank of d), k = 60
as in the paper. `by` takes any fusion of ranx (Bassani & Romelli, CIKM 2022) that needs no training: CombSUM, its
weighted form, CombMNZ, GMNZ, ANZ, MAX, MIN and MED of normalised scores (Fox & Shaw, TREC-2; Lee, SIGIR 1997); ISR,
Log_ISR and LogN_ISR (Mourao et al. 2015), Borda (Aslam & Montague, SIGIR 2001) and rank-biased centroids (Bailey et
al., SIGIR 2017) of ranks.

Left out of ranx's list: those that learn from judged queries (bayesfuse, mapfuse, posfuse, probfuse, segfuse,
slidefuse, and weights by run: wmnz, w_bordafuse, w_condorcet, mixed), since a reference that trains nothing has none;
and condorcet, for two runs decide no pair that they do not agree on, and ranx takes a document that both miss, or any
tie, for a win of whichever it was asked about first. Log_ISR gives 0 to whatever a single run found, as published.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from harness.method import Method, MethodInputs
from harness.models import resolve_model
from harness.plugins import Settings
from harness.retrieval.fused_runs import PLACES, Combination, FusedRuns, Norm
from harness.retrieval.search_stages import lexical_search
from harness.stage import Stage


class FusionSettings(Settings):
    """What is fused, and how."""

    engine: str = Field("bm25s", description="lexical engine: bm25s, or lucene through pyserini (extra `lucene`)")
    model: str | None = Field(None, description="the encoder of the dense run; the sweep's student when left out")
    by: Combination = Field("rrf", description="the fusion, by ranx's name")
    k: int = Field(60, ge=0, description="rrf: the larger, the less the first places count")
    norm: Norm = Field("min-max", description="of the scores, for sum, wsum, mnz, gmnz, anz, max, min and med")
    lexical_weight: float = Field(0.5, ge=0, le=1, description="wsum: the weight of BM25; the dense run has the rest")
    gamma: float = Field(1.0, ge=0, description="gmnz: the power of the number of runs that found a document")
    sigma: float = Field(0.01, ge=0, le=1, description="logn_isr: what a document of a single run keeps")
    phi: float = Field(0.8, gt=0, lt=1, description="rbc: how patiently a run is read")


class Fusion(Method):
    """BM25 and dense search fused by rank, or by score."""

    name = "fusion"
    summary = "BM25 and the untrained student fused, by reciprocal ranks or any other fusion of ranx without training"
    source = "Cormack et al., SIGIR 2009, doi:10.1145/1571941.1572114; ranx, doi:10.1145/3511808.3557207"
    category = "reference"
    settings: FusionSettings

    def run(self, inputs: MethodInputs) -> Stage:
        settings, corpus, queries = self.settings, inputs.collection.corpus, inputs.collection.queries(inputs.split)
        model = resolve_model(settings.model, inputs.base) if settings.model else inputs.retriever
        dense = inputs.search(model, queries, inputs.depth)
        lexical = lexical_search(settings.engine, {}, corpus, queries, inputs.depth)
        norm: Norm = "none" if settings.by in PLACES else settings.norm
        return FusedRuns(
            runs=(lexical, dense), depth=inputs.depth, combination=settings.by, norm=norm, parameters=self._parameters()
        )

    def _parameters(self) -> dict[str, Any]:
        """Those that the fusion has, by ranx's names."""
        settings = self.settings
        known: dict[str, dict[str, Any]] = {
            "rrf": {"k": settings.k},
            "wsum": {"weights": (settings.lexical_weight, 1 - settings.lexical_weight)},
            "gmnz": {"gamma": settings.gamma},
            "logn_isr": {"sigma": settings.sigma},
            "rbc": {"phi": settings.phi},
        }
        return known.get(settings.by, {})
