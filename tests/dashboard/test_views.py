"""Each page shows the numbers of `harness.leaderboard` for what was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.charts.pair_charts import differences, scatter
from dashboard.launch import HOUR
from dashboard.text import literal
from harness.evaluation.significance.comparison_tables import p_words
from harness.evaluation.significance.test_spec import TestSpec
from harness.leaderboard.board import board_of, load_board
from harness.leaderboard.comparison import compare_rows
from harness.leaderboard.curves.against_series import series_pairs, usual_reference
from harness.leaderboard.curves.fitted import ALL, statistics_of
from harness.leaderboard.curves.frontier import LABELLED, frontier
from harness.leaderboard.curves.series import chart
from harness.leaderboard.curves.targets import amount_words, labels_needed
from harness.leaderboard.inspect.run_details import details
from harness.leaderboard.inspect.teacher_summary import teacher_summaries
from harness.leaderboard.load_results import load_results
from harness.leaderboard.row_query_values import changes, extremes, per_query
from harness.leaderboard.row_texts import titles
from harness.published.card_costs import Costs
from tests.dashboard.pages import methods, open_page
from tests.leaderboard.runs import make_card, make_run, put, teacher

pytestmark = pytest.mark.slow

ROWS = ["zero-shot", "no-llm", "intermediate · shuffled · 100 labels"]


def test_curves_and_what_a_target_needs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result_set = load_results(folder)
    (table,) = board_of(result_set).tables
    page = open_page(folder, monkeypatch, "curves", target="no-llm")
    found = statistics_of(result_set, table, chart(table))
    needed, curves, held = (element.value for element in page.dataframe)
    told = labels_needed(found, found.targets["no-llm"])
    assert needed["needed"].tolist() == [one.words for one in told]
    assert needed["labels"].dropna().tolist() == [
        round(one.amount.value) for one in told if one.amount.value < float("inf")
    ]
    assert curves["area"].dropna().tolist() == [one.area.value for one in found.fitted if one.area]
    assert curves["notes"].tolist() == ["; ".join(one.notes) for one in found.fitted]
    assert held["equals it with"].tolist() == [
        amount_words(pair.equal, found.chart.axis) for pair in series_pairs(found, usual_reference(found))
    ]
    page.selectbox(key="axis").select("usd").run()
    assert page.subheader[0].value == literal("nDCG@10 by USD for labels, each at its price")
    page.selectbox(key="axis").select("tokens").run()
    assert "no curve to draw" in page.info[0].value


def test_curves_change_with_fit_band_and_reference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "curves", fit="power-law", band=ALL, target="a value", value="0.9")
    assert f"over {literal(ALL)}" in page.caption[0].value
    assert "too few for power-law" in " ".join(page.dataframe[1].value["notes"])
    names = page.dataframe[1].value["series"].tolist()
    page.selectbox(key="reference").select(names[0]).run()
    assert page.dataframe[2].value["series"].tolist() == names[1:]
    assert not page.exception


def test_compare_shows_the_comparison_of_the_board(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result_set = load_results(folder)
    (table,) = board_of(result_set, metric="RR@10").tables
    values = per_query(result_set, table, [(name, titles(table)[name]) for name in ROWS])
    page = open_page(
        folder, monkeypatch, "compare", rows=ROWS, metric="RR@10", test="t", correction="bonferroni", against="no-llm"
    )
    answer = compare_rows(values, TestSpec(test="t", correction="bonferroni"), "no-llm")
    means, tests, wins, losses = (element.value for element in page.dataframe)
    assert means["RR@10"].tolist() == [row["mean"] for row in answer["runs"]]
    assert tests["difference"].tolist() == [row["difference"] for row in answer["comparisons"]]
    letters = dict(zip(ROWS, "ABC", strict=True))
    assert tests["row"].tolist() == [letters[row["b"]] for row in answer["comparisons"]]
    assert tests["queries needed"].tolist() == [row["queries_needed"] for row in answer["comparisons"]]
    gains, drops = extremes(changes(values, 0, 1))
    assert wins["query"].tolist() == [one.query for one in gains]
    assert losses["difference"].tolist() == [one.difference for one in drops]


def test_compare_has_a_matrix_of_all_pairs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result_set = load_results(folder)
    (table,) = board_of(result_set).tables
    values = per_query(result_set, table, [(name, titles(table)[name]) for name in ROWS])
    page = open_page(folder, monkeypatch, "compare", rows=ROWS)
    said = "".join(element.value for element in page.markdown)
    assert all(f"**{letter}** {literal(name)}" in said for letter, name in zip("ABC", ROWS, strict=True))
    means, matrix, tests = (element.value for element in page.dataframe[:3])
    assert means["letter"].tolist() == matrix["row"].tolist() == ["A", "B", "C"]
    assert list(tests)[:8] == ["row", "against", "difference", "95 %", "p", "p adj.", "verdict", "+/=/-"]
    for row, against, difference in zip(tests["row"], tests["against"], tests["difference"], strict=True):
        assert f"{difference:+.3f}" in matrix[against]["ABC".index(row)]
    for one in compare_rows(values, TestSpec())["comparisons"]:
        a, b = ROWS.index(one["a"]), ROWS.index(one["b"])
        mark, turned = {"better": "▲▼", "worse": "▼▲"}.get(one["verdict"], "··")
        assert matrix["ABC"[a]][b] == f"{mark} {one['difference']:+.3f} ({p_words(one['p_adjusted'])})"
        assert matrix["ABC"[b]][a] == f"{turned} {-one['difference']:+.3f} ({p_words(one['p_adjusted'])})"
    assert [matrix[letter][place] for place, letter in enumerate("ABC")] == ["", "", ""]


def test_the_same_address_compares_the_same_pair_query_by_query(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for choice in ({}, {"against": ROWS[1]}, {"against": ROWS[2], "test": "t"}):
        page = open_page(folder, monkeypatch, "compare", rows=ROWS, **choice)
        assert (page.selectbox(key="a").value, page.selectbox(key="b").value) == (ROWS[0], ROWS[1])
    page = open_page(folder, monkeypatch, "compare", rows=ROWS)
    page.selectbox(key="against").select(ROWS[1]).run()
    assert (page.selectbox(key="a").value, page.selectbox(key="b").value) == (ROWS[0], ROWS[1])
    page = open_page(folder, monkeypatch, "compare", rows=ROWS, a=ROWS[1])
    assert page.selectbox(key="b").value == ROWS[0]


def test_compare_says_what_to_choose(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "compare", rows=["zero-shot"])
    assert "Choose 2 to 6 rows" in page.info[0].value
    assert not page.dataframe
    page.multiselect(key="rows").set_value(ROWS).run()
    page.selectbox(key="test").select("tukey").run()
    assert not page.exception
    assert "correction" not in {box.key for box in page.selectbox}
    page.selectbox(key="collection")
    page.selectbox(key="a").select("no-llm").run()
    assert page.selectbox(key="b").value == "zero-shot"


def test_the_pair_charts_draw_every_query(folder: Path) -> None:
    result_set = load_results(folder)
    (table,) = board_of(result_set).tables
    found = changes(per_query(result_set, table, [(name, titles(table)[name]) for name in ROWS[:2]]), 0, 1)
    points = scatter(found, "nDCG@10", ("a", "b")).to_dict()["layer"][1]
    assert [value["b"] for value in points["data"]["values"]] == [one.b for one in found]
    assert points["encoding"]["shape"]["field"] == points["encoding"]["color"]["field"] == "winner"
    bars = differences(found, "nDCG@10", ("a", "b")).to_dict()
    assert [value["difference"] for value in bars["data"]["values"]] == [one.difference for one in found]
    assert {value["winner"] for value in bars["data"]["values"] if value["difference"] < 0} <= {"row worse"}


def test_run_shows_the_card(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "run", row="zero-shot")
    (run,) = [run for run in load_results(folder).runs if run.card.tag == "zero"]
    assert page.dataframe[0].value["value"].tolist() == list(details(run).about.values())
    assert page.code[0].value == "harness sweep budget.yaml"
    assert page.code[1].value == str(folder / "semanlink" / "zero")
    labels = [button.proto.label for button in page.get("download_button")]
    assert labels[-3:] == ["run.trec.gz", "metrics.parquet", "card.yaml"]


def test_query_shows_ranks_and_values(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "query", rows=ROWS, query="q007")
    result_set = load_results(folder)
    (table,) = board_of(result_set).tables
    values = per_query(result_set, table, [(name, titles(table)[name]) for name in ROWS])
    assert [shown.value for shown in page.metric] == [f"{value:.3f}" for value in values.values[7]]
    said = "".join(element.value for element in page.markdown)
    assert all(f"**{number}** {literal(name)}" in said for number, name in enumerate(ROWS, 1))
    shown = page.dataframe[0].value
    assert sorted(shown["rank 1"].dropna().tolist()) == list(range(1, 11))
    assert "text" not in shown
    assert "not on this machine" in page.caption[-1].value


def test_cost_shows_the_frontier(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result_set = load_results(folder)
    (table,) = board_of(result_set).tables
    rows = list(titles(table).items())
    page = open_page(folder, monkeypatch, "cost", price="training")
    found = frontier(result_set, table, rows, "training", among=LABELLED)
    assert page.dataframe[0].value["row"].tolist() == [one.title for one in found.rows]
    page = open_page(folder, monkeypatch, "cost", price="training", among="all rows")
    found = frontier(result_set, table, rows, "training")
    shown = page.dataframe[0].value
    assert shown["row"].tolist() == [one.title for one in found.rows]
    assert shown.iloc[:, 0].tolist() == [one.status for one in found.rows]
    assert shown["beaten by"].tolist() == [one.beaten_by or "" for one in found.rows]
    assert shown["p adjusted"].dropna().tolist() == [one.p_adjusted for one in found.rows if one.p_adjusted is not None]
    assert len(page.dataframe) == 1


def test_an_hour_of_the_machine_has_a_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, make_card("a", "own", budget=100, teacher=teacher(), costs=Costs(seconds=3600)), make_run(0.5))
    page = open_page(tmp_path, monkeypatch, "cost")
    page.number_input(key="hour").set_value(2.5).run()
    page.selectbox(key="price").select("usd").run()
    (row,) = load_board(tmp_path).tables[0].rows
    heading = "USD (a machine at 2.5 an hour)"
    assert page.dataframe[0].value[heading].tolist() == [2.5]
    assert (row.cost["usd"], row.cost["seconds"]) == (0, 3600)
    monkeypatch.setenv(HOUR, "4")
    assert open_page(tmp_path, monkeypatch, "cost").number_input(key="hour").value == 4


def test_cost_shows_where_the_time_went(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, make_card("a", "slow", durations={"train": 20.0, "embed": 5.0}), make_run(0.5))
    put(tmp_path, make_card("b", "fast", durations={"embed": 5.0}), make_run(0.4))
    page = open_page(tmp_path, monkeypatch, "cost")
    shown = page.dataframe[-1].value
    assert shown.to_dict("list") == {
        "row": ["slow", "fast"],
        "train": [20.0, 0],
        "embed": [5.0, 5.0],
        "sum": [25.0, 5.0],
    }


def test_teachers_shows_verdicts_and_prices(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_page(folder, monkeypatch, "teachers")
    found = teacher_summaries(load_results(folder).runs)
    assert page.dataframe[0].value["ok"].tolist() == [one.verdicts["ok"] for one in found]
    assert page.dataframe[0].value["USD per 1,000 queries"].tolist() == [one.usd_per_thousand for one in found]


@pytest.mark.parametrize("view", ["leaderboard", "curves", "compare", "cost", "teachers", "run", "query"])
def test_every_page_says_when_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    page = open_page(tmp_path, monkeypatch, view)
    assert "No published runs" in page.info[0].value


def test_choices_of_one_collection_do_not_break_another(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, make_card("a", "only-here"), make_run(0.5))
    put(tmp_path, make_card("b", "only-there", collection="scifact"), make_run(0.5), metrics=("R@100",))
    page = open_page(tmp_path, monkeypatch, "leaderboard")
    first, second = page.selectbox(key="collection").options
    page.multiselect(key="group").set_value(["baseline"]).run()
    page.selectbox(key="collection").select(second).run()
    assert not page.exception
    assert methods(page) == ["only-here"]
    page.switch_page("views/query.py").run()
    page.multiselect(key="rows").set_value(["only-here"]).run()
    page.selectbox(key="collection").select(first).run()
    assert not page.exception
    assert page.multiselect(key="rows").value == ["only-there"]
