"""Fusion of runs against ranx, where ranx can be asked, and by hand on ties and missing queries."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from baselines.fusion import FusionSettings
from baselines.score_fusion import Combination, Norm, Numbers, Results, combined
from harness.pipeline.observer import Silent
from harness.pipeline.sweep import run_sweep
from harness.retrieval.run import Run
from tests.baselines.small import Swept

NUMBERS = Numbers(first_weight=0.3, gamma=0.7, sigma=0.2, phi=0.6)
PARAMETERS = {"wsum": {"weights": [0.3, 0.7]}, "gmnz": {"gamma": 0.7}, "logn_isr": {"sigma": 0.2}, "rbc": {"phi": 0.6}}
RANX = """
import json, sys
from ranx import Run, fuse
runs, asked = json.load(sys.stdin)
runs = [Run(run) for run in runs]
told = lambda fused: {query: {id: float(score) for id, score in found.items()} for query, found in fused.run.items()}
print(json.dumps([told(fuse(runs, norm=norm, method=method, params=params)) for method, norm, params in asked]))
"""


def falling(count: int, seed: int) -> dict[str, float]:
    """Documents with scores of their own, best first."""
    choose = random.Random(seed)
    chosen = choose.sample([f"d{number}" for number in range(9)], count)
    return dict(zip(chosen, sorted((choose.uniform(-1, 9) for _ in chosen), reverse=True), strict=True))


RUNS = [{"q1": falling(6, 1), "q2": falling(3, 2)}, {"q1": falling(4, 3), "q2": falling(5, 4)}]
CASES: list[tuple[Combination, Norm]] = [
    *[(combination, "min-max") for combination in get_args(Combination)],
    *[("sum", norm) for norm in get_args(Norm)],
    *[(combination, "zmuv") for combination in ("mnz", "anz", "max", "min", "med")],  # type: ignore[list-item]
]


@pytest.fixture(scope="module")
def ranx() -> list[dict[str, Results]]:
    # Compiled, ranx takes a minute before its first answer.
    asked = [(combination, None if norm == "none" else norm, PARAMETERS.get(combination, {})) for combination, norm in CASES]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RANX],
        input=json.dumps([RUNS, asked]),
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[dict[str, Results]] = json.loads(done.stdout)
    return found


def test_fusions_are_those_of_ranx(ranx: list[dict[str, Results]]) -> None:
    for (combination, norm), wanted in zip(CASES, ranx, strict=True):
        for query in ("q1", "q2"):
            found = combined([run[query] for run in RUNS], combination, norm, NUMBERS)
            assert found == pytest.approx(wanted[query]), (combination, norm, query)


@pytest.mark.parametrize("combination", get_args(Combination))
@pytest.mark.parametrize("norm", get_args(Norm))
def test_a_run_that_misses_a_query_leaves_the_order_of_the_other(combination: Combination, norm: Norm) -> None:
    only = {"b": 3.0, "a": 2.0, "c": 0.5}
    found = combined([{}, only], combination, norm, Numbers())
    assert set(found) == set(only)
    if combination != "log_isr":
        assert Run("", {"q": found}).top("q") == ["b", "a", "c"]
    assert combined([{}, {}], combination, norm, Numbers()) == {}


def test_ties_fall_by_document_id_and_ranks_are_those_of_trec_eval() -> None:
    tied = Run("", {"q": {"a": 1.0, "b": 1.0}})
    results = {document: tied.scores["q"][document] for document in tied.top("q")}
    assert combined([results, {}], "isr", "none", Numbers()) == {"b": 1.0, "a": 0.25}
    equal = combined([{"a": 1.0}, {"b": 1.0}], "sum", "none", Numbers())
    assert Run("", {"q": equal}).top("q") == ["b", "a"]


@pytest.mark.models
def test_a_sweep_may_fuse_by_scores(all_methods: Swept, tmp_path: Path) -> None:
    file, workspace = all_methods.home / "sweep.yaml", all_methods.home / "workspace"
    overrides = ["methods=[{method: fusion, by: wsum, norm: max, lexical_weight: 0.25}]"]
    outcome = run_sweep(file, overrides, workspace, tmp_path / "results", observer=Silent())
    found = Run.read(outcome.published[0])
    lexical, dense = (Run.read(all_methods.store.read(all_methods.cell(label).run)).scores for label in ("bm25", "zero-shot"))
    for query, scores in found.scores.items():
        one, two = lexical.get(query, {}), dense[query]
        best = max(one.values(), default=1.0), max(two.values())
        by_hand = {id: one.get(id, 0) / best[0] * 0.25 + two.get(id, 0) / best[1] * 0.75 for id in one.keys() | two.keys()}
        assert scores == pytest.approx(by_hand, rel=1e-5)


def test_unknown_fusions_are_refused_and_reciprocal_ranks_stay_the_default() -> None:
    assert FusionSettings().by == "rrf" and FusionSettings().k == 60
    for wrong in ({"by": "condorcet"}, {"norm": "minmax"}, {"lexical_weight": 1.5}, {"phi": 1.0}):
        with pytest.raises(ValidationError):
            FusionSettings.model_validate(wrong)
