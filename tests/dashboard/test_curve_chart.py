"""The charts of Budget curves and Cost draw what the board says, told apart by more than colour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dashboard.charts.cost_chart import LOOKS, frontier_chart, stage_chart
from harness.evaluation.curves.budget_curve import CurveTarget
from harness.leaderboard.board import board_of
from harness.leaderboard.board_model import Table
from harness.leaderboard.curves.budget_chart import budget_chart
from harness.leaderboard.curves.fitted import Statistics, statistics_of
from harness.leaderboard.curves.frontier import FRONTIER, STANDINGS, frontier
from harness.leaderboard.curves.series import ReferenceLevel, chart
from harness.leaderboard.curves.targets import labels_needed
from harness.leaderboard.inspect.stage_costs import Split
from harness.leaderboard.load_results import ResultSet, load_results
from harness.leaderboard.row_texts import titles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def result_set(folder: Path) -> ResultSet:
    return load_results(folder)


@pytest.fixture(scope="module")
def table(result_set: ResultSet) -> Table:
    (found,) = board_of(result_set).tables
    return found


@pytest.fixture(scope="module")
def statistics(result_set: ResultSet, table: Table) -> Statistics:
    found = statistics_of(result_set, table, chart(table))
    assert found is not None
    return found


def layers(drawn: Any, kind: str) -> list[dict[str, Any]]:
    return [layer for layer in drawn.to_dict()["layer"] if layer["mark"]["type"] == kind]


def test_every_point_and_every_fit_is_drawn(statistics: Statistics) -> None:
    drawn = budget_chart(statistics.chart, statistics)
    (points,), (line,), (area,) = (layers(drawn, kind) for kind in ("point", "line", "area"))
    assert {value["mean"] for value in points["data"]["values"]} == {
        p.mean for one in statistics.chart.series for p in one.points
    }
    fitted = [value for one in statistics.fitted if len(one.curve.amounts) > 1 for value in one.band.mean.tolist()]
    assert [value["mean"] for value in line["data"]["values"]] == fitted
    assert [value["low"] for value in area["data"]["values"]] == [
        value for one in statistics.fitted if len(one.curve.amounts) > 1 for value in one.band.low.tolist()
    ]
    assert {points["encoding"][channel]["field"] for channel in ("shape", "stroke", "fill")} == {"text"}
    assert {line["encoding"][channel]["field"] for channel in ("strokeDash", "color")} == {"series"}
    scales = {channel: points["encoding"][channel]["scale"] for channel in ("shape", "stroke", "fill")}
    (domain,) = {tuple(scale["domain"]) for scale in scales.values()}
    titles = [f"{letter}  {one.name}" for letter, one in zip("ABCDEFGH", statistics.chart.series, strict=False)]
    assert [text.replace("\n", " ") for text in domain] == titles
    assert scales["stroke"]["range"] == line["encoding"]["color"]["scale"]["range"]


def test_ten_series_have_ten_looks(statistics: Statistics) -> None:
    one = statistics.chart.series[0]
    many = replace(
        statistics.chart, series=tuple(replace(one, name=f"method, setting={number}") for number in range(10))
    )
    (points,), (line,) = (layers(budget_chart(many), kind) for kind in ("point", "line"))
    ranges = [points["encoding"][channel]["scale"]["range"] for channel in ("shape", "stroke", "fill")]
    assert len(set(zip(*ranges, strict=True))) == 10
    assert [fill == "transparent" for fill in ranges[2]] == [False] * 8 + [True] * 2
    assert len({str(dash) for dash in line["encoding"]["strokeDash"]["scale"]["range"][:8]}) == 8


def test_a_series_of_one_point_has_its_band_as_a_line(statistics: Statistics) -> None:
    alone = [one for one in statistics.chart.series if len(one.points) == 1]
    rules = [layer for layer in layers(budget_chart(statistics.chart, statistics), "rule") if "y2" in layer["encoding"]]
    assert [value["series"] for value in rules[0]["data"]["values"]] == [one.name for one in alone]


def test_hollow_markers_stand_where_a_target_is_reached_between_budgets(statistics: Statistics) -> None:
    ours = next(one for one in statistics.chart.series if len(one.points) == 2)
    goal = sum(point.mean for point in ours.points) / 2
    needed = labels_needed(statistics, CurveTarget(goal))
    drawn = budget_chart(statistics.chart, statistics, ("a value", goal), needed)
    hollow = [layer for layer in layers(drawn, "point") if "fill" not in layer["encoding"]]
    inside = {one.series: one for one in needed}[ours.name]
    assert [(value["x"], value["words"]) for value in hollow[0]["data"]["values"]] == [
        (inside.amount.value, inside.words)
    ]
    assert any(f"target a value {goal:.3f}" in str(layer["data"]) for layer in layers(drawn, "text"))


def test_without_statistics_lines_join_the_points(table: Table) -> None:
    found = chart(table)
    (line,) = layers(budget_chart(found), "line")
    assert len(line["data"]["values"]) == sum(len(one.points) for one in found.series)


def test_the_frontier_is_joined_and_standings_differ_in_shape(result_set: ResultSet, table: Table) -> None:
    found = frontier(result_set, table, list(titles(table).items()), "training")
    drawn = frontier_chart(found, "nDCG@10", "seconds", True).to_dict()
    steps, points, numbers = drawn["layer"]
    assert points["encoding"]["shape"]["field"] == points["encoding"]["color"]["field"] == "standing"
    assert steps["mark"]["interpolate"] == "step-after"
    assert set(LOOKS) == set(STANDINGS)
    assert len({shape for _, shape in LOOKS.values()}) == len(LOOKS)
    values = (points.get("data") or drawn["data"])["values"]
    assert [value["name"] for value in values] == [one.title for one in found.rows]
    ahead = [one for one in found.rows if one.status == FRONTIER]
    assert [(value["number"], value["mean"]) for value in numbers["data"]["values"]] == [
        (str(number), one.mean) for number, one in enumerate(ahead, 1)
    ]
    named = " ".join(line.strip() for line in drawn["title"]["text"])
    assert named == " ".join(["Frontier:", *(f"{number}  {one.title}" for number, one in enumerate(ahead, 1))])
    assert min(one.price for one in found.rows) > 0
    assert points["encoding"]["x"]["scale"]["constant"] == min(one.price for one in found.rows)


def test_stages_are_stacked_in_the_order_of_the_legend() -> None:
    drawn = stage_chart([Split("a", {"train": 2.0, "embed": 1.0}), Split("b", {"train": 0.0, "embed": 1.0})])
    (bars,), (words, names) = (layers(drawn, kind) for kind in ("bar", "text"))
    assert bars["encoding"]["color"]["scale"]["domain"] == ["train", "embed"]
    assert [(value["name"], value["stage"], value["seconds"]) for value in bars["data"]["values"]] == [
        ("a", "train", 2.0),
        ("a", "embed", 1.0),
        ("b", "train", 0.0),
        ("b", "embed", 1.0),
    ]
    assert bars["encoding"]["order"]["field"] == "order"
    assert [value["name"] for value in names["data"]["values"]] == ["a", "b"]
    assert words["encoding"]["x"]["stack"] == bars["encoding"]["x"]["stack"]
    assert words["encoding"]["order"] == bars["encoding"]["order"]


def test_only_wide_segments_say_their_stage_and_long_names_keep_their_ends() -> None:
    row = "intermediate · smollm2 · listmle → kl · 1,000 labels · distil_queries="
    drawn = stage_chart(
        [Split(f"{row}1000", {"train": 99.0, "embed": 1.0}), Split(f"{row}none", {"train": 3.0, "embed": 50.0})]
    )
    words, names = layers(drawn, "text")
    assert [value["word"] for value in words["data"]["values"]] == ["train", "", "", "embed"]
    assert [value["text"].splitlines()[-1].rsplit(" ", 1)[-1] for value in names["data"]["values"]] == [
        "distil_queries=1000",
        "distil_queries=none",
    ]
    assert max(len(line) for value in names["data"]["values"] for line in value["text"].splitlines()) <= 46


def test_a_level_far_from_all_curves_is_named_and_does_not_press_them_flat(statistics: Statistics) -> None:
    found = statistics.chart
    low, high = found.span
    far = ReferenceLevel("bm25", high + 2 * (high - low), ("far",))
    drawn = replace(found, levels=(*found.levels, far))
    (axis,) = {tuple(layer["encoding"]["y"]["scale"]["domain"]) for layer in layers(budget_chart(drawn), "line")}
    assert axis[1] < far.mean and drawn.outside == f"above the plot: bm25 {far.mean:.3f}"
    assert any(drawn.outside in str(layer.get("data")) for layer in layers(budget_chart(drawn), "text"))
    (asked,) = layers(budget_chart(drawn, None, (far.name, far.mean)), "line")
    assert asked["encoding"]["y"]["scale"]["domain"][1] > far.mean


def test_the_legend_singles_out_a_series_and_a_letter_stands_at_its_end(statistics: Statistics) -> None:
    drawn = budget_chart(statistics.chart, statistics)
    (points,), (letters,) = layers(drawn, "point"), [one for one in layers(drawn, "text") if "letter" in str(one)]
    assert drawn.to_dict()["params"][0]["bind"] == "legend"
    values = letters["data"]["values"]
    assert [f"{value['letter']}  {value['series']}" for value in sorted(values, key=lambda value: value["letter"])] == [
        text.replace("\n", " ") for text in points["encoding"]["shape"]["scale"]["domain"]
    ]
    ends = [value["mean"] for value in values if value["x"] == statistics.chart.places[-1]]
    assert len(set(ends)) == len(ends)


def test_what_no_real_teacher_taught_is_marked_in_its_name(statistics: Statistics) -> None:
    marks = {one.teacher_type: one.name for one in statistics.chart.series}
    assert marks["placebo"].endswith("(placebo)") and marks["oracle"].endswith("(oracle)")
    assert not marks["real"].endswith(")")
    assert "no-llm (control)" in {level.title for level in statistics.chart.levels}
