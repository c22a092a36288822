"""A board as a data frame and as a chart, for notebooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.leaderboard.board import load_board
from tests.leaderboard.runs import make_card, make_run, put


def test_a_row_of_the_frame_is_a_row_of_the_board(results: Path) -> None:
    board = load_board(str(results))
    rows = [row for table in board.tables for row in table.rows]
    frame = board.to_frame()
    metric = board.tables[0].metric
    assert list(frame["method"]) == [row.method for row in rows]
    assert list(frame[metric]) == [row.metrics[metric].mean for row in rows]
    assert list(frame["cost.usd"]) == [row.cost["usd"] for row in rows]
    bounds = [row.metrics[metric].interval for row in rows]
    assert list(zip(frame[f"{metric}.low"], frame[f"{metric}.high"], strict=True)) == bounds
    compared = frame[frame["against.with_these_runs.p_adjusted"].notna()]
    assert list(compared["against.baseline"]) == [row.against.baseline for row in rows if row.against]
    assert not {"against", "group", "tags"} & set(frame.columns)


def test_the_chart_draws_the_leading_metric_with_its_intervals(results: Path) -> None:
    board = load_board(results)
    drawn = board.plot().to_dict()
    band = next(layer for layer in drawn["layer"] if layer["mark"]["type"] == "area")
    assert band["encoding"]["y"]["title"] == board.tables[0].metric
    assert band["data"]["values"] and all(
        point["low"] < point["mean"] < point["high"] for point in band["data"]["values"]
    )


def test_what_cannot_be_drawn_is_said(tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, make_card("bm25"), make_run(0.5))
    with pytest.raises(UserError, match="no run has a budget"):
        load_board(tmp_path).plot()
    with pytest.raises(UserError, match="no table is of 'nowhere'"):
        load_board(results).plot("nowhere")
    with pytest.raises(UserError, match="unknown axis 'label'\n  did you mean 'labels'"):
        load_board(results).plot(axis="label")
    monkeypatch.setattr("harness.leaderboard.curves.budget_chart.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'distil-harness\[dashboard\]'"):
        load_board(results).plot()
