"""A published table as `ranx.Report`, for code that works with ranx: our numbers, our tests, its form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.errors import UserError
from harness.evaluation.significance.comparison_result import ComparisonResult
from harness.evaluation.significance.score_matrix import compare_matrix
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import board_of
from harness.leaderboard.board_model import Table
from harness.leaderboard.load_results import load_results
from harness.leaderboard.row_query_values import per_query
from harness.leaderboard.row_texts import titles

if TYPE_CHECKING:
    from ranx.data_structures.report import Report


frozenset_dict = lazy("ranx.data_structures.frozenset_dict")
report = lazy("ranx.data_structures.report")

MOST = 26
"""ranx marks rows by single letters."""
TESTS = {"randomisation": "fisher", "t": "student", "tukey": "tukey"}
"""Our names of tests and ranx's: a Report can name no other."""
_METRICS = {
    "nDCG": "ndcg",
    "R": "recall",
    "P": "precision",
    "RR": "mrr",
    "AP": "map",
    "F1": "f1",
    "Success": "hit_rate",
    "Rprec": "r-precision",
    "Bpref": "bpref",
}


def ranx_report(
    results: Path,
    *,
    collection: str | None = None,
    split: str | None = None,
    metrics: Sequence[str] = (),
    question: TestSpec | None = None,
) -> Report:
    """The first MOST rows of the one table of `results` that is chosen, as a ``ranx.Report``: means, adjusted p, wins,
    ties and losses.

    `metrics` are names of ours, by default all that ranx has a name for. The family that p is adjusted over (Holm) is
    all pairs on one metric, as in ranx each metric is looked at by itself. Raises UserError when several tables fit,
    for a test that ranx cannot name, and for a metric that the table or ranx does not have.
    """
    asked = question or TestSpec()
    if asked.test not in TESTS:
        raise UserError(f"a ranx.Report cannot name the test '{asked.test}'", remedy=f"take one of {', '.join(TESTS)}")
    result_set = load_results(results)
    tables = board_of(result_set, collection=collection, split=split).tables
    if len(tables) != 1:
        known = ", ".join(f"{table.collection} ({table.split})" for table in tables)
        raise UserError(
            f"{len(tables)} tables in {results}", remedy=f"name collection and split: {known}" if known else None
        )
    (table,) = tables
    wanted = _wanted(table, metrics)
    rows = [(name, row) for name, row in titles(table).items() if all(metric in row.metrics for metric in wanted)][
        :MOST
    ]
    answers = {}
    for metric, name in wanted.items():
        values = per_query(result_set, replace(table, metric=metric), rows)
        answers[name] = compare_matrix(values.matrix(), asked)
    return _report([name for name, _ in rows], answers, asked)


def _wanted(table: Table, metrics: Sequence[str]) -> dict[str, str]:
    """Our names and ranx's, of those asked for or of all that both have."""
    named = {metric: name for metric in metrics or table.metrics if (name := ranx_metric(metric)) is not None}
    faulty = [metric for metric in metrics if metric not in named or metric not in table.metrics]
    if faulty or not named:
        what = ", ".join(faulty) or "any metric of this table"
        raise UserError(f"ranx or the table does not have {what}", remedy=f"the table has {', '.join(table.metrics)}")
    return named


def ranx_metric(name: str) -> str | None:
    """What ranx calls a metric of ours; None where it has none, or one that is computed otherwise."""
    found = re.fullmatch(r"(\w+)(@\d+)?", name)
    if found is None or found[1] not in _METRICS:
        return None
    return _METRICS[found[1]] + (found[2] or "")


def _report(names: list[str], answers: dict[str, ComparisonResult], asked: TestSpec) -> Report:

    results: dict[str, dict[str, float]] = {name: {} for name in names}
    p: Any = frozenset_dict.FrozensetDict()
    counts: dict[tuple[str, str], dict[str, dict[str, int]]] = {}
    for metric, answer in answers.items():
        for run in answer["runs"]:
            results[run["name"]][metric] = run["mean"]
        for one in answer["comparisons"]:
            a, b = one["a"], one["b"]
            found = 1.0 if one["p_adjusted"] is None else one["p_adjusted"]
            p.setdefault({a, b}, {})[metric] = {"p_value": found, "significant": found < asked.alpha}
            counts.setdefault((b, a), {})[metric] = {"W": one["wins"], "T": one["ties"], "L": one["losses"]}
            counts.setdefault((a, b), {})[metric] = {"W": one["losses"], "T": one["ties"], "L": one["wins"]}
    return report.Report(
        model_names=names,
        results=results,
        comparisons=p,
        metrics=list(answers),
        max_p=asked.alpha,
        win_tie_loss=counts,
        stat_test=TESTS[asked.test],
    )
