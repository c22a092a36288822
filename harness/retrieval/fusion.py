"""Fusion of runs by reciprocal ranks, as a stage of the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.retrieval.run import FILE, Run
from harness.stage import Context, Stage


@dataclass(frozen=True, eq=False)
class ReciprocalRankFusion(Stage):
    """A run out of several (Cormack et al., SIGIR 2009): a document's score is the sum over runs of 1 / (k + its rank there)."""

    runs: tuple[Stage, ...]
    depth: int
    k: int = 60
    kind: ClassVar[str] = "fusion"

    @property
    def label(self) -> str:
        return " + ".join(run.label for run in self.runs)

    def run(self, out: Path, context: Context) -> None:
        runs = [Run.read(context.path(run)) for run in self.runs]
        queries = dict.fromkeys(query for run in runs for query in run.scores)
        fused = Run("fusion", {query: fuse([run.top(query) for run in runs], self.k) for query in queries})
        kept = {query: {document: fused.scores[query][document] for document in fused.top(query, self.depth)} for query in queries}
        Run("fusion", kept).write(out / FILE)


def fuse(lists: Sequence[Sequence[str]], k: int) -> dict[str, float]:
    """Fused score of every document of some ranked lists; one that a list misses gets nothing from it."""
    scores: dict[str, float] = {}
    for documents in lists:
        for rank, document in enumerate(documents, 1):
            scores[document] = scores.get(document, 0.0) + 1 / (k + rank)
    return scores
