"""Curves of the board as statistics: the same numbers as its rows, said in amount_words, one document for people and
programs."""

from __future__ import annotations

import io
import json
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from harness.errors import UserError
from harness.evaluation.curves.budget_curve import Amount, CurveTarget
from harness.evaluation.significance.bootstrap import Interval, percentile
from harness.leaderboard.board import board_of
from harness.leaderboard.board_model import Table
from harness.leaderboard.configuration import configurations
from harness.leaderboard.curves.against_series import ahead_words, series_named, series_pairs, usual_reference
from harness.leaderboard.curves.cost_axes import AXES
from harness.leaderboard.curves.curve_answer import CurveQuestion, answer, as_json
from harness.leaderboard.curves.fitted import ALL, Statistics, statistics_of
from harness.leaderboard.curves.series import RUNS, chart
from harness.leaderboard.curves.svg import svg
from harness.leaderboard.curves.targets import amount_words, labels_needed, target_of
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.render.curve_terminal import render
from harness.leaderboard.row_statistics import measure, queries_of
from tests.leaderboard.runs import make_card, make_run, put, put_board, teacher

LABELS = AXES["labels"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def result_set(tmp_path_factory: pytest.TempPathFactory) -> ResultSet:
    """The small board, with a second method over the same budgets."""
    results = tmp_path_factory.mktemp("curves") / "results"
    put_board(results)
    for budget, quality in ((100, 0.6), (300, 0.7), (1000, 0.8)):
        for resample in range(2):
            card = make_card(
                f"direct-{budget}-{resample}", "direct", budget=budget, resample=resample, seed=0, teacher=teacher()
            )
            put(results, card, make_run(quality, budget + resample))
    return load_results(results)


@pytest.fixture(scope="module")
def table(result_set: ResultSet) -> Table:
    (found,) = board_of(result_set).tables
    return found


@pytest.fixture(scope="module")
def statistics(result_set: ResultSet, table: Table) -> Statistics:
    found = statistics_of(result_set, table, chart(table))
    assert found is not None
    return found


def one_of(statistics: Statistics, method: str, amounts: int) -> int:
    return next(
        n for n, one in enumerate(statistics.fitted) if (one.series.method, len(one.curve.amounts)) == (method, amounts)
    )


def test_at_measured_budgets_fit_and_band_are_those_of_the_rows(result_set: ResultSet, table: Table) -> None:
    """Those over queries are of the same draws; of so few queries the rows themselves have intervals of t."""
    found_rows, _ = configurations(result_set.runs)
    measured = measure(found_rows, "nDCG@10", queries_of(result_set.runs))
    drawn = {tuple(run.card.tag for run in one.runs): measured.samples[n] for n, one in enumerate(found_rows)}
    rows = {row.run_ids: row for row in table.rows}
    for over in (RUNS, ALL):
        found = statistics_of(result_set, table, chart(table), over=over)
        fitted = found.fitted[one_of(found, "intermediate", 2)]
        for point in fitted.series.points:
            place = int(np.nonzero(fitted.band.amounts == point.x)[0][0])
            estimate = rows[point.run_ids].metrics["nDCG@10"]
            assert fitted.band.mean[place] == pytest.approx(estimate.mean, abs=1e-9)
            (of_draws,) = percentile(drawn[point.run_ids][:, None])
            expected = estimate.runs_interval if over == RUNS else of_draws
            assert (fitted.band.low[place], fitted.band.high[place]) == pytest.approx(expected, abs=1e-9)
        assert over in found.note


def test_a_row_as_target_is_uncertain_too_and_a_number_is_not(statistics: Statistics) -> None:
    name, row = target_of(statistics, "no-llm")
    same, number = target_of(statistics, str(row.mean))
    assert (name, row.samples is None) == ("no-llm", False)
    assert number == CurveTarget(pytest.approx(row.mean))
    assert float(same) == pytest.approx(row.mean, rel=1e-5)
    for of_row, of_number in zip(labels_needed(statistics, row), labels_needed(statistics, number), strict=True):
        assert of_row.amount.value == pytest.approx(of_number.amount.value)
    assert [one.series for one in labels_needed(statistics, row)] == [one.series.name for one in statistics.fitted]


@pytest.mark.parametrize(
    ("text", "message"), [("no-lm", "unknown target 'no-lm'"), ("nan", "target is nan"), ("inf", "target is inf")]
)
def test_other_targets_are_errors(statistics: Statistics, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        target_of(statistics, text)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (Amount(314.2, Interval(141.3, 623.0), 100, 1000), "about 310 labels (95 %: 140 to 620)"),
        (Amount(314.2, Interval(100, math.inf), 100, 1000), "cannot be told between 100 and 1,000 labels"),
        (
            Amount(math.inf, Interval(623, math.inf), 100, 1000),
            "not reached with 1,000 labels (95 %: 620 to more than 1,000)",
        ),
        (
            Amount(math.inf, Interval(math.inf, math.inf), 100, 1000),
            "not reached with 1,000 labels (95 %: more than 1,000)",
        ),
        (Amount(100, Interval(100, 100), 100, 1000), "at most 100 labels (95 %: at most 100)"),
    ],
)
def test_amounts_in_words(amount: Amount, expected: str) -> None:
    assert amount_words(amount, LABELS) == expected


def test_money_has_cents_and_tokens_have_none() -> None:
    amount = Amount(1.234, Interval(0.5, math.inf), 0.25, 2.5)
    assert amount_words(amount, AXES["usd"]) == "about 1.20 USD (95 %: 0.50 to more than 2.50)"
    assert (
        amount_words(Amount(0.0123, Interval(0.01, 0.02), 0.01, 0.05), AXES["usd"])
        == "about 0.012 USD (95 %: at most 0.01 to 0.02)"
    )
    assert (
        amount_words(Amount(123_456, Interval(1e5, 2e5), 1e4, 1e6), AXES["tokens"])
        == "about 120,000 tokens (95 %: 100,000 to 200,000)"
    )


def test_pairs_against_the_best_that_is_not_ours(statistics: Statistics) -> None:
    reference = usual_reference(statistics)
    assert reference.startswith("direct")
    found = {pair.series: pair for pair in series_pairs(statistics, reference)}
    ours = statistics.fitted[one_of(statistics, "intermediate", 2)].series.name
    assert len(found) == len(statistics.fitted) - 1
    assert found[ours].words == (
        f"how much {ours} takes for the mean of {reference} with 1,000 cannot be told between 100 and 300 labels"
    )
    assert (found[ours].ahead.first, found[ours].ahead.last) == (100, 300)
    point = statistics.fitted[one_of(statistics, "intermediate", 1)].series.name
    assert found[point].ahead is found[point].area is None
    assert ahead_words(None, LABELS) == ""
    assert ahead_words(Amount(100, Interval(100, 300), 100, 1000), LABELS) == "from 100 on (95 %: at most 100 to 300)"
    assert (
        ahead_words(Amount(math.inf, Interval(500, math.inf), 100, 1000), LABELS)
        == "not at 1,000 (95 %: 500 to more than 1,000)"
    )


def test_a_series_goes_by_its_name_or_how_that_begins(statistics: Statistics) -> None:
    names = [one.series.name for one in statistics.fitted]
    assert [series_named(statistics, name) for name in names] == names
    assert series_named(statistics, "direct") == usual_reference(statistics)
    with pytest.raises(UserError, match="no series 'nobody'"):
        series_pairs(statistics, "nobody")
    with pytest.raises(UserError, match="more than one series begins with 'intermediate'"):
        series_pairs(statistics, "intermediate")


def test_doubts_are_said(result_set: ResultSet, table: Table) -> None:
    found = statistics_of(result_set, table, chart(table), "power-law")
    doubts = found.doubts
    assert set(doubts["one amount: a point, no curve"]) == {
        "intermediate, oracle (oracle)",
        "intermediate, shuffled (placebo)",
    }
    assert len(doubts["3 amounts, too few for power-law: monotone"]) == 1
    assert (
        doubts["one run at a point: luck with the draw of labels is not in its intervals"]
        == doubts["one amount: a point, no curve"]
    )
    assert {one.curve.fit.name for one in found.fitted} == {"monotone"}


def test_a_curve_that_falls_is_named(tmp_path: Path) -> None:
    for budget, quality in ((100, 1.5), (300, 0.1)):
        for seed in range(2):
            put(tmp_path, make_card(f"x-{budget}-{seed}", "worse", budget=budget, seed=seed), make_run(quality, seed))
    result_set = load_results(tmp_path)
    (table,) = board_of(result_set).tables
    found = statistics_of(result_set, table, chart(table))
    assert "falls from 100 to 300, which a rising fit cannot follow" in found.fitted[0].notes
    assert found.fitted[0].band.mean.max() == pytest.approx(found.fitted[0].band.mean.min())


def test_with_one_query_nothing_is_said(result_set: ResultSet, table: Table) -> None:
    assert statistics_of(result_set, replace(table, queries=1), chart(table)) is None


def test_the_answer_is_one_document(result_set: ResultSet, table: Table) -> None:
    question = CurveQuestion(target="no-llm", price="usd", every=True)
    made = answer(result_set, table, question)
    found = json.loads(json.dumps(as_json(made), allow_nan=False))
    assert {
        "collection",
        "metric",
        "target",
        "against",
        "curves",
        "frontier",
        "band",
        "intervals",
        "samples",
        "seed",
    } <= found.keys()
    assert found["target"]["name"] == "no-llm"
    by_name = {one["series"]: one for one in found["curves"]}
    for one in made.statistics.fitted:
        said = by_name[one.series.name]
        assert [point["mean"] for point in said["points"]] == [point.mean for point in one.series.points]
        assert (said["against"] is None) == (one.series.name == found["against"])
        assert said["needed"]["measured"] == [one.curve.first, one.curve.last]
    unreached = [one["needed"] for one in found["curves"] if one["needed"]["words"].startswith("not reached")]
    assert unreached
    assert all(one["value"] is one["interval"][1] is None for one in unreached)
    assert {row["standing"] for row in found["frontier"]["rows"]} <= set(found["frontier"]["standings"])


def test_the_terminal_shows_curves_targets_pairs_and_frontier(result_set: ResultSet, table: Table) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    made = answer(result_set, table, CurveQuestion(target="no-llm", price="usd"))
    console.print(render([made], "results"))
    text = console.export_text()
    assert "labels for no-llm" in text
    ours = next(one.series for one in made.needed if one.series.startswith("intermediate, smollm2"))
    assert f"That is: {ours} for no-llm (nDCG@10 " in " ".join(text.split())
    unasked = answer(result_set, table, CurveQuestion())
    assert made.goal is not None and made.conclusion.endswith({one.series: one.words for one in made.needed}[ours])
    assert unasked.conclusion in [pair.words for pair in unasked.pairs] and "for no-llm" not in unasked.conclusion
    assert "◆ frontier" in text
    assert "nothing is said beyond the measured amounts" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    console.print(render([], "nowhere"))
    assert "no published runs in nowhere" in console.export_text()


def test_a_frontier_keeps_its_last_column_in_80_columns(result_set: ResultSet, table: Table) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(render([answer(result_set, table, CurveQuestion(price="usd", hour=2.5))], "results"))
    lines = console.export_text().partition("Quality against")[2].splitlines()
    assert any(line.rstrip().endswith("p adj.") for line in lines)
    assert any("surely dominated" in line or "◆ frontier" in line for line in lines)


def test_the_figure_draws_the_fits(statistics: Statistics) -> None:
    drawn = ET.fromstring(svg(statistics.chart, statistics))
    lines = [line.attrib["points"].split() for line in drawn.iter(f"{SVG}polyline")]
    fitted = {one.series.name: one for one in statistics.fitted}
    expected = [len(fitted[one.name].band.amounts) if len(one.points) > 1 else 1 for one in statistics.chart.series]
    assert [len(line) for line in lines] == expected
    assert any("curves: monotone fit; bands" in (text.text or "") for text in drawn.iter(f"{SVG}text"))
