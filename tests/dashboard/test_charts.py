"""Charts that can be read by themselves: names on axes and in legends, marks that count, axes with sensible numbers."""

from __future__ import annotations

from typing import Any

import altair as alt
import pytest

from dashboard.charts.pair_charts import Names, differences, scatter
from dashboard.charts.strata_chart import strata_chart
from dashboard.charts.teacher_charts import heatmap
from harness.evaluation.significance.bootstrap import Interval
from harness.leaderboard.curves import chart_legends
from harness.leaderboard.curves.series_style import series_styles
from harness.leaderboard.inspect.label_quality import MEASURES, Agreement
from harness.leaderboard.inspect.strata import Stratum
from harness.leaderboard.row_query_values import QueryChange

LONG = "intermediate · smollm2 · listmle → kl · 1,000 labels · distil_queries="
NAMES: Names = (f"{LONG}1000", f"{LONG}none")


def change(query: str, a: float, b: float) -> QueryChange:
    return QueryChange(query, a, b, b - a)


CHANGES = [
    change("up", 0.2, 0.6),
    change("one", 0.5, 0.5),
    change("two", 0.5, 0.5),
    change("three", 0.5, 0.5),
    change("down", 0.9, 0.8),
]


def encodings(drawn: Any) -> list[dict[str, Any]]:
    found = drawn.to_dict()
    return [layer["encoding"] for layer in found.get("layer", [found])]


def test_the_axes_of_a_pair_name_the_rows_by_what_tells_them_apart() -> None:
    points = encodings(scatter(CHANGES, "nDCG@10", NAMES))[1]
    across, up = (" ".join(points[side]["title"]) for side in "xy")
    assert across == f"nDCG@10, against: {NAMES[0]}"
    assert up == f"nDCG@10, row: {NAMES[1]}"
    (bars,) = encodings(differences(CHANGES, "nDCG@10", NAMES))
    said = " ".join(bars["x"]["title"])
    assert said == f"queries, largest gain first against: {NAMES[0]} row: {NAMES[1]}"
    assert all(len(line) <= 32 for side in "xy" for line in points[side]["title"])


def test_queries_at_one_place_make_a_larger_mark() -> None:
    drawn = scatter(CHANGES, "nDCG@10", NAMES).to_dict()["layer"][1]
    assert {value["query"]: value["here"] for value in drawn["data"]["values"]} == {
        "up": 1,
        "one": 3,
        "two": 3,
        "three": 3,
        "down": 1,
    }
    size = drawn["encoding"]["size"]
    assert (size["field"], size["scale"]["domain"]) == ("here", [1, 3])
    assert size["scale"]["range"][0] < size["scale"]["range"][1]
    assert "size" not in drawn["mark"]
    assert encodings(scatter(CHANGES[:2], "nDCG@10", NAMES))[1]["size"]["legend"] is None


@pytest.mark.parametrize("changes", [CHANGES, [change("far", 0.4, 7.0)], [change("below", -0.5, 0.25)]])
def test_the_diagonal_crosses_the_whole_chart(changes: list[QueryChange]) -> None:
    diagonal, points = scatter(changes, "metric", NAMES).to_dict()["layer"]
    (domain,) = {tuple(points["encoding"][side]["scale"]["domain"]) for side in "xy"}
    assert [(value["a"], value["b"]) for value in diagonal["data"]["values"]] == [(end, end) for end in domain]
    assert all(domain[0] <= end <= domain[1] for one in changes for end in (one.a, one.b))


def test_rows_of_bins_keep_their_names_apart_in_one_legend() -> None:
    found = [Stratum("1–3", 9, name, 0.5, Interval(0.4, 0.6)) for name in NAMES]
    ends, points = encodings(strata_chart(found, "nDCG@10", "words"))
    domain = points["shape"]["scale"]["domain"]
    assert [text.replace("\n", " ") for text in domain] == list(NAMES)
    assert ends["color"]["legend"] is None
    assert points["shape"]["legend"] == points["stroke"]["legend"] == points["fill"]["legend"]


def test_axes_of_means_have_a_format() -> None:
    """Left alone, an axis of one value reads 0.250000."""
    found = [Stratum("all", 9, "row", 0.25, None)]
    for one in (
        encodings(strata_chart(found, "nDCG@10", "words"))[1],
        encodings(scatter(CHANGES, "nDCG@10", NAMES))[1],
    ):
        assert one["y"]["axis"]["format"] == ".4~f"


def test_the_heatmap_writes_different_teachers_differently() -> None:
    teachers = [f"a-very-long-name-of-a-teacher-with-a-prompt-{number}" for number in range(3)]
    found = [Agreement(a, b, 4, dict.fromkeys(MEASURES, 0.5)) for a in teachers for b in teachers]
    values = heatmap(found, next(iter(MEASURES))).to_dict()["data"]["values"]
    assert len({value["row"] for value in values}) == len({value["column"] for value in values}) == 3
    assert max(len(value["row"]) for value in values) <= 30


def test_a_legend_has_room_for_its_lines_and_its_lines_fit_a_phone() -> None:
    said = chart_legends.texts(NAMES)
    assert max(len(line) for text in said.values() for line in text.splitlines()) <= chart_legends.WIDTH
    assert chart_legends.height(NAMES) > chart_legends.height(["short", "names"]) > 0
    marked = chart_legends.marked("text", NAMES, series_styles(2))
    assert set(marked) == {"shape", "stroke", "fill"}
    assert isinstance(marked["fill"], alt.Fill)
