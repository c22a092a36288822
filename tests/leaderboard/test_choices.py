"""Rows by name, filters, axes, targets, the frontier."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harness.evaluation.curves.budget_curve import CurveTarget
from harness.leaderboard.board import load_board
from harness.leaderboard.board_model import Table
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.fitted import statistics_of
from harness.leaderboard.curves.frontier import frontier
from harness.leaderboard.curves.series import chart
from harness.leaderboard.curves.targets import labels_needed
from harness.leaderboard.filters import Filter, choices, passing_rows
from harness.leaderboard.inspect.stage_costs import split_by_stage
from harness.leaderboard.inspect.teacher_summary import teacher_summaries
from harness.leaderboard.load_results import load_results
from harness.leaderboard.row_query_values import per_query
from harness.leaderboard.row_texts import titles
from harness.published.card_costs import Costs, Verdicts
from tests.leaderboard.runs import make_card, make_run, put, teacher


@pytest.fixture
def table(results: Path) -> Table:
    (found,) = load_board(results).tables
    return found


def test_every_row_has_a_name_of_its_own(table: Table, tmp_path: Path) -> None:
    assert list(titles(table).values()) == list(table.rows)
    assert "zero-shot" in titles(table)
    for tag, group in (("a", "baseline"), ("b", "control")):
        put(tmp_path / "twins", make_card(tag, "twin", category=group), make_run(0.5))
    (twins,) = load_board(tmp_path / "twins").tables
    assert set(titles(twins)) == {"twin [a]", "twin [b]"}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(), 6),
        (Filter(group=frozenset({"baseline"})), 1),
        (Filter(teacher=frozenset({"none"})), 2),
        (Filter(budget=frozenset({"300"})), 1),
        (Filter(budget=frozenset({"100", "300"}), teacher=frozenset({"smollm2"})), 2),
        (Filter(loss=frozenset({"kl"})), 2),
        (Filter(sees=frozenset({"gold"})), 0),
        (Filter(sees=frozenset({"gold", "order"})), 6),
        (Filter(without=frozenset({"one seed"})), 3),
    ],
)
def test_a_filter_lets_through_what_has_the_chosen_values(table: Table, chosen: Filter, expected: int) -> None:
    rows = passing_rows(table, chosen)
    assert len(rows) == expected
    assert [row for row in table.rows if row in rows] == list(rows)


def test_the_choices_are_what_the_rows_have(table: Table) -> None:
    assert choices(table, "budget") == ["none", "100", "300"]
    assert set(choices(table, "teacher")) == {"smollm2", "shuffled", "oracle", "none"}
    assert "one seed" in choices(table, "without")


def test_curves_can_be_drawn_against_money_and_tokens(table: Table) -> None:
    money = chart(table, "usd")
    assert {point.x for one in money.series for point in one.points} == {0.25}
    assert money.axis is AXES["usd"]
    assert chart(table, "tokens") is None
    assert [point.x for point in chart(table).series[1].points] == [100, 300]


def test_a_target_is_read_off_between_the_budgets(results: Path, table: Table) -> None:
    drawn = chart(table)
    found = statistics_of(load_results(results), table, drawn)
    low, high = (point.mean for point in drawn.series[1].points)
    needed = [
        labels_needed(found, CurveTarget(target))[1].amount for target in (low, (low + high) / 2, high, high + 0.001)
    ]
    assert [one.value for one in needed] == pytest.approx([100, math.sqrt(100 * 300), 300, math.inf])


def test_the_frontier_is_what_no_cheaper_row_equals(tmp_path: Path) -> None:
    for tag, usd, quality in (("a", 0.0, 0.2), ("b", 1.0, 0.1), ("c", 2.0, 0.9), ("d", 3.0, 0.5), ("e", 2.0, 0.4)):
        put(tmp_path, make_card(tag, f"method-{tag}", costs=Costs(usd_standalone=usd)), make_run(quality, 1))
    (table,) = load_board(tmp_path).tables
    found = frontier(load_results(tmp_path), table, list(titles(table).items()), "usd").rows
    assert [one.price for one in found] == [0, 1, 2, 2, 3]
    # By definition: dominated where any other is at least as cheap and as good and in one of both better.
    for one in found:
        beaten = any(
            o.price <= one.price and o.mean >= one.mean and (o.price, o.mean) != (one.price, one.mean) for o in found
        )
        assert (one.beaten_by is not None) == beaten
    best = [one.mean for one in found if one.beaten_by is None]
    assert all(left < right for left, right in pairwise(best))
    assert {one.name: one.beaten_by for one in found}["method-d"] == "method-c"


def test_equal_rows_do_not_dominate_each_other_and_oracles_do_not_count(tmp_path: Path) -> None:
    for tag in ("a", "b"):
        put(tmp_path, make_card(tag, f"method-{tag}"), make_run(0.5, 1))
    put(tmp_path, make_card("o", "oracle", teacher=teacher("oracle", teacher_type="oracle")), make_run(3.0, 1))
    (table,) = load_board(tmp_path).tables
    found = frontier(load_results(tmp_path), table, list(titles(table).items()), "usd").rows
    assert [(one.name, one.beaten_by, one.status) for one in found] == [
        ("method-a", None, "frontier"),
        ("method-b", None, "frontier"),
    ]


def test_surely_dominated_is_what_max_t_over_all_pairs_shows(tmp_path: Path) -> None:
    for tag, usd, quality, seed in (("cheap", 0.0, 0.9, 1), ("near", 1.0, 0.85, 2), ("far", 2.0, 0.1, 3)):
        put(tmp_path, make_card(tag, tag, costs=Costs(usd_standalone=usd)), make_run(quality, seed))
    result_set = load_results(tmp_path)
    (table,) = load_board(tmp_path).tables
    found = frontier(result_set, table, list(titles(table).items()), "usd")
    assert [(one.name, one.beaten_by, one.status) for one in found.rows] == [
        ("cheap", None, "frontier"),
        ("near", "cheap", "dominated"),
        ("far", "cheap", "surely dominated"),
    ]
    values = per_query(result_set, table, [(one.name, titles(table)[one.name]) for one in found.rows]).values
    # By hand: each row against every one that is no dearer, flipped together; the first step of maxT is the largest of
    # all.
    differences = np.column_stack(
        [values[:, 0] - values[:, 1], values[:, 0] - values[:, 2], values[:, 1] - values[:, 2]]
    )
    scale = np.sqrt((differences**2).sum(axis=0))
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (20_000, len(values)))
    largest = (signs @ differences / scale).max(axis=1)
    observed = differences.sum(axis=0) / scale
    assert found.rows[2].p_adjusted == pytest.approx((largest >= observed[1]).mean(), abs=0.01)
    assert found.rows[1].p_adjusted == pytest.approx(
        (signs @ differences[:, 0] / scale[0] >= observed[0]).mean(), abs=0.06
    )
    assert "3 pairs of a row and one no dearer" in found.family
    assert frontier(result_set, table, [("far", titles(table)["far"])], "usd").family == "nothing tested"


def test_seconds_by_stage_are_means_over_runs_and_the_rest_is_other(tmp_path: Path) -> None:
    for seed, seconds in ((0, 10.0), (1, 30.0)):
        durations = {"train": seconds, "embed": 5.0, "pool": 1.0}
        put(tmp_path, make_card(f"a{seed}", "slow", seed=seed, durations=durations), make_run(0.5, seed))
    put(tmp_path, make_card("b", "fast", durations={"search": 2.0}), make_run(0.5))
    (table,) = load_board(tmp_path).tables
    found = {
        one.name: one.seconds for one in split_by_stage(load_results(tmp_path), table, list(titles(table).items()), 2)
    }
    assert found == {
        "slow": {"train": 20.0, "embed": 5.0, "other": 1.0},
        "fast": {"train": 0, "embed": 0, "other": 2.0},
    }
    whole = split_by_stage(load_results(tmp_path), table, list(titles(table).items()))
    assert [list(one.seconds) for one in whole] == [["train", "embed", "search", "pool"]] * 2


def test_teachers_count_each_set_of_labels_once(results: Path) -> None:
    labels, costs = (
        Verdicts(ok=50, failed=50, reasons={"no list": 50}),
        Costs(usd_standalone=0.5, input_tokens=900, output_tokens=100),
    )
    for tag, method in (("g1", "direct"), ("g2", "other")):
        put(
            results,
            make_card(tag, method, budget=100, resample=0, teacher=teacher("gpt"), labels=labels, costs=costs),
            make_run(0.5),
        )
    found = {one.name: one for one in teacher_summaries(load_results(results).runs)}
    gpt, ours = found["gpt"], found["smollm2"]
    assert (gpt.runs, gpt.sets, gpt.labels, gpt.reasons) == (2, 1, 100, {"no list": 50})
    assert (gpt.usd_per_thousand, gpt.tokens_per_query) == (5.0, 10.0)
    assert gpt.verdicts == {"ok": 0.5, "partial": 0.0, "repaired": 0.0, "failed": 0.5}
    assert (ours.runs, ours.sets, ours.labels) == (6, 6, 1200)
    assert ours.verdicts["partial"] == pytest.approx(120 / 1200)
    assert "shuffled" not in found


def test_labelling_counts_as_if_nothing_had_been_paid_before_where_cards_know_that(tmp_path: Path) -> None:
    durations, alone = {"labels": 0.5, "train": 2.0}, {"labels": 40.0}
    known = Costs(calls=100, seconds=2.5, seconds_standalone=42.0)
    put(
        tmp_path,
        make_card("new", "told", costs=known, durations=durations, durations_standalone=alone),
        make_run(0.9, 1),
    )
    put(
        tmp_path, make_card("old", "untold", costs=Costs(calls=100, seconds=2.5), durations=durations), make_run(0.2, 2)
    )
    (table,) = load_board(tmp_path).tables
    rows, result_set = list(titles(table).items()), load_results(tmp_path)
    split = {one.name: one.seconds for one in split_by_stage(result_set, table, rows)}
    assert (split["told"]["labels"], split["untold"]["labels"]) == (40.0, 0.5)
    found = frontier(result_set, table, rows, "seconds")
    assert {row.name: row.price for row in found.rows} == {"told": 42.0, "untold": 2.5}
    assert "1 row with labelling as it went here" in found.family
    assert "as it went here" not in frontier(result_set, table, rows, "usd").family
    cost = {row.method: row.cost for row in table.rows}
    assert cost["told"]["seconds_here"] == 2.5 and "labels_used" not in cost["told"]
