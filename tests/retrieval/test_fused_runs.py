"""Every fusion against its formula in plain Python, on ties and on queries that a run lacks too."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median, pstdev
from typing import get_args

import pytest

from harness.retrieval.fused_runs import PLACES, Combination, Norm
from harness.retrieval.run import Run

K, WEIGHTS, GAMMA, SIGMA, PHI = 60, (0.3, 0.7), 0.7, 0.2, 0.6
PARAMETERS = {
    "rrf": {"k": K},
    "wsum": {"weights": WEIGHTS},
    "gmnz": {"gamma": GAMMA},
    "logn_isr": {"sigma": SIGMA},
    "rbc": {"phi": PHI},
}
Results = Mapping[str, float]
"""document -> score, in trec_eval's order"""
OURS = """
import json, sys
from harness.retrieval.fused_runs import fuse
from harness.retrieval.run import Run
runs, asked = json.load(sys.stdin)
print(json.dumps([fuse([Run("", run) for run in runs], *one) for one in asked]))
"""


def drawn(count: int, seed: int) -> dict[str, float]:
    """Documents with scores, some of them equal."""
    choose = random.Random(seed)
    return {f"d{number}": choose.choice((-0.5, 1.0, 2.5, 4.0, 7.0)) for number in choose.sample(range(12), count)}


RUNS = [
    {"q1": drawn(9, 1), "q2": drawn(3, 2), "only": {"b": 3.0, "a": 2.0, "c": 0.5}},
    {"q1": drawn(6, 3), "q2": drawn(7, 4)},
]
CASES: list[tuple[Combination, Norm]] = [
    *((combination, "none" if combination in PLACES else "min-max") for combination in get_args(Combination)),
    *(("sum", norm) for norm in get_args(Norm)),
    *((combination, "zmuv") for combination in ("mnz", "anz", "max", "min", "med")),  # type: ignore[misc]
]


@pytest.fixture(scope="module")
def ours() -> list[dict[str, dict[str, float]]]:
    asked = [(combination, norm, PARAMETERS.get(combination, {})) for combination, norm in CASES]
    # Compiled, ranx takes a minute for all of them; compiled or not, it is the same code.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OURS],
        input=json.dumps([RUNS, asked]),
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, dict[str, float]]] = json.loads(done.stdout)
    return found


def scaled(results: Results, away: float, divisor: float) -> Results:
    return {document: (score - away) / max(divisor, 1e-9) for document, score in results.items()}


def borda(results: Results, documents: Sequence[str]) -> Results:
    """Points by place among all documents; those that the run lacks share what is left, all of them where it has no
    results."""
    left = 0.5 - (len(results) - 1) / (2 * len(documents))
    return dict.fromkeys(documents, left) | {
        document: 1 - place / len(documents) for place, document in enumerate(results)
    }


NORMS: Mapping[Norm, Callable[[Results, Sequence[str]], Results]] = {
    "none": lambda results, documents: results,
    "min-max": lambda results, documents: scaled(
        results, min(results.values()), max(results.values()) - min(results.values())
    ),
    "max": lambda results, documents: scaled(results, 0, max(results.values())),
    "sum": lambda results, documents: scaled(
        results, low := min(results.values()), sum(score - low for score in results.values())
    ),
    "zmuv": lambda results, documents: scaled(results, fmean(results.values()), pstdev(results.values())),
    "rank": lambda results, documents: {document: 1 - place / len(results) for place, document in enumerate(results)},
    "borda": borda,
}
PLACED: Mapping[str, Callable[[Results, Sequence[str]], Results]] = {
    "rrf": lambda results, documents: {document: 1 / (K + rank) for rank, document in enumerate(results, 1)},
    "rbc": lambda results, documents: {document: (1 - PHI) * PHI**place for place, document in enumerate(results)},
    "bordafuse": lambda results, documents: {
        document: points * len(documents) for document, points in borda(results, documents).items()
    },
    **dict.fromkeys(
        ("isr", "log_isr", "logn_isr"),
        lambda results, documents: {document: 1 / rank**2 for rank, document in enumerate(results, 1)},
    ),
}
COMBINED: Mapping[str, Callable[[list[float], list[float]], float]] = {
    **dict.fromkeys(("sum", "rrf", "rbc", "bordafuse"), lambda found, weights: sum(found)),
    **dict.fromkeys(("mnz", "isr"), lambda found, weights: sum(found) * len(found)),
    "wsum": lambda found, weights: sum(score * weight for score, weight in zip(found, weights, strict=True)),
    "gmnz": lambda found, weights: sum(found) * len(found) ** GAMMA,
    "anz": lambda found, weights: sum(found) / len(found),
    "max": lambda found, weights: max(found),
    "min": lambda found, weights: min(found),
    "med": lambda found, weights: median(found),
    "log_isr": lambda found, weights: sum(found) * math.log(len(found)),
    "logn_isr": lambda found, weights: sum(found) * math.log(len(found) + SIGMA),
}


def by_hand(
    runs: Sequence[Mapping[str, Results]], query: str, combination: Combination, norm: Norm
) -> dict[str, float]:
    results = [
        {document: run[query][document] for document in Run("", run).top(query)} if query in run else {} for run in runs
    ]
    documents = sorted({document for one in results for document in one})
    points = PLACED.get(combination, NORMS[norm])
    given = [points(one, documents) if one or "borda" in {combination[:5], norm} else {} for one in results]
    found = {document: [number for number, one in enumerate(given) if document in one] for document in documents}
    return {
        document: COMBINED[combination](
            [given[number][document] for number in there], [WEIGHTS[number] for number in there]
        )
        for document, there in found.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=["-".join(case) for case in CASES])
def test_a_fusion_is_its_formula(ours: list[dict[str, dict[str, float]]], number: int) -> None:
    for query in ("q1", "q2", "only"):
        assert ours[number][query] == pytest.approx(by_hand(RUNS, query, *CASES[number]), abs=1e-9), query


@pytest.mark.slow
def test_a_run_that_lacks_a_query_leaves_the_order_of_the_other(ours: list[dict[str, dict[str, float]]]) -> None:
    for case, found in zip(CASES, ours, strict=True):
        # Of what a single run found nothing is left there, as published.
        if case[0] != "log_isr":
            assert Run("", found).top("only") == ["b", "a", "c"], case
