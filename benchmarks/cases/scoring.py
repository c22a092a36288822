"""Scoring of a run."""

from __future__ import annotations

import os
from functools import partial
from typing import ClassVar

from benchmarks.case import Case, Peer, Timed, faster
from benchmarks.timing import fastest, timed

Values = dict[str, dict[str, float]]
Grades = dict[str, dict[str, int]]


class Scoring(Case):
    """Four metrics of a run in memory, against pytrec_eval and ranx; a value for every query.

    Without ranx in quick mode: its first compilation takes longer than all else there.
    """

    name: ClassVar[str] = "scoring"
    quality: ClassVar[str] = "mean nDCG@10"
    rounds: ClassVar[tuple[int, int]] = (1, 3)

    @property
    def sizes(self) -> tuple[int, int]:
        """Queries and documents of each."""
        return (1_000, 200) if self.quick else (6_980, 1_000)

    def work(self) -> str:
        queries, depth = self.sizes
        return f"{queries:,} queries x {depth:,}, nDCG@10, R@100, AP, P@10"

    def prepare(self) -> None:
        if self.quick:
            return
        # Behind this, one of ranx's peers finds its compiled functions on disk, as every process but the first does.
        os.environ["NUMBA_CACHE_DIR"] = str(self.folder / "warm")
        self._ranx(times=0, queries=10)

    def _run(self) -> tuple[Values, Grades]:
        import numpy as np

        queries, depth = self.sizes
        draw = np.random.default_rng(0)
        names = [f"d{number}" for number in range(100_000)]
        run: Values = {}
        qrels: Grades = {}
        for number in range(queries):
            first = int(draw.integers(len(names) - depth))
            documents = names[first : first + depth]
            run[f"q{number}"] = dict(zip(documents, np.sort(draw.random(depth))[::-1].tolist(), strict=True))
            qrels[f"q{number}"] = {documents[place]: 1 for place in draw.choice(min(depth, 50), 3, replace=False)}
        return run, qrels

    def ours(self) -> Timed:
        from harness.evaluation.metrics.lookup import evaluate, mean

        run, qrels = self._run()
        seconds, found = fastest(lambda: evaluate(run, qrels, ["nDCG@10", "R@100", "AP", "P@10"]), 2)
        return Timed(seconds, mean(found["nDCG@10"]))

    def peers(self) -> tuple[Peer, ...]:
        peer = Peer("pytrec_eval", self._pytrec_eval, faster(1.0))
        if self.quick:
            return (peer,)
        cold, warm = ({"NUMBA_CACHE_DIR": str(self.folder / name)} for name in ("cold", "warm"))
        return (
            peer,
            Peer(
                "ranx: Run() and evaluate(), first time ever", partial(self._ranx, times=0), environment=cold, rounds=1
            ),
            Peer(
                "ranx: Run() and evaluate(), compiled before", partial(self._ranx, times=2), environment=warm, rounds=2
            ),
        )

    def _pytrec_eval(self) -> Timed:
        import pytrec_eval

        run, qrels = self._run()
        measures = {"ndcg_cut.10", "recall.100", "map", "P.10"}
        seconds, found = fastest(lambda: pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run), 2)
        return Timed(seconds, sum(values["ndcg_cut_10"] for values in found.values()) / len(qrels))

    def _ranx(self, times: int, queries: int | None = None) -> Timed:
        """With `times` 0 the first use in this process, else the best of so many behind a small one."""
        import ranx

        run, qrels = self._run()

        def score(most: int) -> dict[str, float]:
            some = list(run)[:most]
            judged, found = (
                ranx.Qrels({query: qrels[query] for query in some}),
                ranx.Run({query: run[query] for query in some}),
            )
            scores: dict[str, float] = ranx.evaluate(judged, found, ["ndcg@10", "recall@100", "map", "precision@10"])
            return scores

        if not times:
            seconds, scores = timed(lambda: score(queries or len(run)))
        else:
            score(10)
            seconds, scores = fastest(lambda: score(len(run)), times)
        return Timed(seconds, float(scores["ndcg@10"]))
