"""How good a teacher is by the judgments, from its traces, each query once; and what it taught."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.leaderboard.board import load_board
from harness.leaderboard.inspect.teacher_quality import JudgedOrders, judged_orders, taught
from harness.leaderboard.load_results import load_results
from harness.leaderboard.row_texts import titles
from harness.published.card_costs import Verdicts
from harness.published.result_folder import TRACE
from harness.published.run_trace import OrderAgreement, RunTrace, TeacherTrace
from tests.leaderboard.runs import make_card, make_run, put
from tests.leaderboard.traces import put_traced


def _trace(ndcg: float, lists: int) -> RunTrace:
    return RunTrace(teacher=TeacherTrace(ndcg=ndcg, lists=lists, candidates=OrderAgreement(ndcg=0.5)))


def _put(results: Path, budget: int, resample: int, trace: RunTrace | None) -> Path:
    return put_traced(results, budget, resample, 0.5, trace, labels=Verdicts(ok=budget))


def test_of_nested_budgets_the_largest_counts_and_draws_weigh_by_their_lists(tmp_path: Path) -> None:
    _put(tmp_path, 100, 0, _trace(0.1, 10))
    _put(tmp_path, 300, 0, _trace(0.9, 30))
    _put(tmp_path, 100, 1, _trace(0.5, 10))
    (found,) = judged_orders(load_results(tmp_path).runs).values()
    assert found == JudgedOrders(pytest.approx((0.9 * 30 + 0.5 * 10) / 40), pytest.approx(0.5), 40)


def test_without_a_trace_nothing_is_said_and_a_bad_one_is_none(tmp_path: Path) -> None:
    folder = _put(tmp_path, 100, 0, None)
    assert judged_orders(load_results(tmp_path).runs) == {}
    (folder / TRACE).write_text("{")
    assert judged_orders(load_results(tmp_path).runs) == {}


def test_what_a_teacher_taught_are_the_rows_of_its_labels(tmp_path: Path) -> None:
    put(tmp_path, make_card("zero"), make_run(0.2))
    for budget in (300, 100):
        _put(tmp_path, budget, 0, None)
    (table,) = load_board(tmp_path).tables
    found = taught(table, titles(table), load_results(tmp_path).runs)
    assert [(teacher, row.budget) for teacher, _, row in found] == [("smollm2", 100), ("smollm2", 300)]
