"""Published traces of made-up runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.evaluation.metrics.lookup import evaluate, mean
from harness.published.result_folder import TRACE
from harness.published.run_trace import (
    FidelityTrace,
    ModelAgreement,
    OrderAgreement,
    RankerTrace,
    Reranked,
    RunTrace,
    StudentTrace,
    TeacherTrace,
)
from tests.leaderboard.runs import QRELS, make_run, our_card, put


def agreement(ndcg: float, lists: int = 10) -> ModelAgreement:
    return ModelAgreement(ndcg=ndcg, tau=2 * ndcg - 1, lists=lists, chance=0.7, sources={"train": lists})


def trace_of(quality: float, seed: int = 0, held_out: bool = True) -> RunTrace:
    """The trace of a run whose ranker re-ranks as well as `quality` says."""
    values = evaluate(make_run(quality, seed).scores, QRELS, ["nDCG@10"])["nDCG@10"]
    reranked = Reranked(metric="nDCG@10", mean=mean(values), candidates=0.25, depth=10, queries=values)
    fidelity = FidelityTrace(
        own=agreement(0.9), held_out=agreement(0.8) if held_out else None, reason="" if held_out else "all were learnt"
    )
    return RunTrace(
        teacher=TeacherTrace(ndcg=0.75, tau=0.5, lists=20, candidates=OrderAgreement(ndcg=0.5, tau=None)),
        ranker=RankerTrace(label="cross-encoder", teacher=fidelity, reranked=reranked),
        student=StudentTrace(target="ranker", own=agreement(0.85), held_out=agreement(0.75)),
    )


def put_traced(results: Path, budget: int, resample: int, quality: float, trace: RunTrace | None, **more: Any) -> Path:
    """A run of our method with its trace, or without one."""
    settings = {"distil_queries": more.pop("queries", 1000), "ranker": {"epochs": 1}, "ranker_loss": "listmle"}
    card = our_card(more.pop("tag", "ours"), budget, resample, ranker="minilm", settings=settings, **more)
    beside = {} if trace is None else {TRACE: trace.to_json()}
    return put(results, card, make_run(quality, budget + resample), beside=beside)
