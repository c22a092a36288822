"""Rankers as series beside the methods that they are part of."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.leaderboard.board import board_of
from harness.leaderboard.curves.reranked_runs import SUFFIX, check_metrics, with_reranked
from harness.leaderboard.curves.series import chart
from harness.leaderboard.load_results import load_results
from tests.leaderboard.runs import make_card, make_run, put
from tests.leaderboard.traces import put_traced, trace_of


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    put(folder, make_card("zero", budget=None), make_run(0.2, 1))
    for budget, quality in ((100, 1.0), (300, 2.0)):
        for resample in range(2):
            trace = trace_of(quality, resample)
            put_traced(folder, budget, resample, 0.5, trace)
            put_traced(folder, budget, resample, 0.6, trace, tag="few", queries=None)
    return folder


def test_a_ranker_that_methods_share_is_one_series_of_its_own_values(results: Path) -> None:
    plain, found = load_results(results), with_reranked(load_results(results))
    assert len(found.runs) == len(plain.runs) + 4
    (table,) = board_of(found).tables
    drawn = chart(table)
    assert drawn is not None
    (series,) = (one for one in drawn.series if one.method == f"intermediate{SUFFIX}")
    for point, quality in zip(series.points, (1.0, 2.0), strict=True):
        means = [trace_of(quality, seed).ranker.reranked.mean for seed in range(2)]  # type: ignore[union-attr]
        assert point.mean == pytest.approx(sum(means) / 2) and point.runs == 2
    methods = [one for one in drawn.series if one.method == "intermediate"]
    before = chart(board_of(plain).tables[0])
    assert before is not None
    assert [[point.mean for point in one.points] for one in methods] == [
        [point.mean for point in one.points] for one in before.series
    ]


def test_rankers_that_differ_in_other_settings_stay_apart(results: Path) -> None:
    put_traced(results, 100, 0, 0.6, trace_of(1.5, 9), tag="other", queries=7)
    (table,) = board_of(with_reranked(load_results(results))).tables
    rankers = [row for row in table.rows if row.method.endswith(SUFFIX) and row.budget == 100]
    assert len(rankers) > 1 and all(row.variant for row in rankers)


def test_without_traces_or_with_another_metric_it_says_so(results: Path, tmp_path: Path) -> None:
    put_traced(tmp_path / "old", 100, 0, 0.5, None)
    with pytest.raises(UserError, match=r"no run says what its ranker re-ranks\n.*run its sweep again"):
        with_reranked(load_results(tmp_path / "old"))
    found = with_reranked(load_results(results))
    check_metrics(found, ["RR@10", "nDCG@10"])
    with pytest.raises(UserError, match=r"no ranker was evaluated by RR@10\n.*--metric nDCG@10"):
        check_metrics(found, ["RR@10"])
