"""Charts of two rows, query by query."""

from __future__ import annotations

from collections import Counter
from typing import Any

import altair as alt

from harness.leaderboard.curves.short_names import shortened, wrapped
from harness.leaderboard.row_query_values import QueryChange

WINS = {
    "row better": ("#0072B2", "triangle-up"),
    "equal": ("#6E6E6E", "circle"),
    "row worse": ("#D55E00", "triangle-down"),
}
"""Colour and marker of a query by who wins it: blue and vermilion of Okabe and Ito's palette, and never by colour
alone."""
_TIE = WINS["equal"][0]
_LINE, _LINES = 32, 3
"""Characters of a line of an axis title, and lines of a name there."""
_SMALL, _LARGE = 50, 500
"""Square pixels of the mark of one query, and of the largest mark."""
Names = tuple[str, str]


def scatter(changes: list[QueryChange], metric: str, names: Names) -> alt.LayerChart:
    """Each query at what the row (b, up) gives it, and what it is held against (a, across); above the diagonal the row
    is better. Queries at one place make a larger mark.

    `names` are those of a and b, for the titles of the axes.
    """
    low, high = _ends(changes)
    scale = alt.Scale(domain=[low, high], nice=False)
    across, up = _pair_summary(f"{metric}, ", names)
    axis = alt.Axis(format=".4~f")
    points = alt.Chart(alt.Data(values=_points(changes))).mark_point(filled=True, opacity=0.7)
    points = points.encode(
        x=alt.X("a:Q", title=across, scale=scale, axis=axis),
        y=alt.Y("b:Q", title=up, scale=scale, axis=axis),
        size=_size(changes),
        tooltip=[
            alt.Tooltip("query:N"),
            *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("a", "b", "difference")),
            alt.Tooltip("here:Q", title="queries here"),
        ],
        **_winner(),
    )
    ends = [{"a": end, "b": end} for end in (low, high)]
    diagonal = alt.Chart(alt.Data(values=ends)).mark_line(color="gray", strokeDash=[4, 4]).encode(x="a:Q", y="b:Q")
    return alt.layer(diagonal, points).properties(height=460 + _room(names))


def differences(changes: list[QueryChange], metric: str, names: Names) -> alt.Chart:
    """The difference of every query, row minus what it is held against, largest gain first; `names` are a and b as in
    `scatter`."""
    values = [{**point, "place": place} for place, point in enumerate(_points(changes), 1)]
    across = ["queries, largest gain first", *(line for lines in _pair_summary("", names) for line in lines)]
    return (
        alt.Chart(alt.Data(values=values))
        .mark_bar()
        .encode(
            x=alt.X("place:O", title=across, axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("difference:Q", title=f"{metric}, row - against", axis=alt.Axis(format=".4~f")),
            color=_winner()["color"],
            tooltip=[alt.Tooltip("query:N"), alt.Tooltip("difference:Q", format="+.3f")],
        )
        .properties(height=460 + _room(names))
    )


def _ends(changes: list[QueryChange]) -> tuple[float, float]:
    """Where both axes begin and end: from 0 to 1 for metrics that lie between."""
    values = [end for one in changes for end in (one.a, one.b)]
    return min(0.0, *values), max(1.0, *values)


def _points(changes: list[QueryChange]) -> list[dict[str, Any]]:
    places = Counter((one.a, one.b) for one in changes)
    return [
        {
            **one._asdict(),
            "here": places[one.a, one.b],
            "winner": "row better" if one.difference > 0 else "row worse" if one.difference < 0 else "equal",
        }
        for one in changes
    ]


def _size(changes: list[QueryChange]) -> alt.Size:
    """Marks as large as the number of queries at their place; a legend only where any place has several."""
    most = max(Counter((one.a, one.b) for one in changes).values())
    values = sorted({1, (1 + most) // 2, most})
    # Named, for on a dark page a legend of sizes alone is drawn black.
    ink = {"symbolFillColor": _TIE, "symbolStrokeColor": _TIE}
    legend = alt.Legend(
        title="queries at one place", orient="top", titleOrient="left", values=values, format="d", **ink
    )
    scale = alt.Scale(type="linear", domain=[1, max(most, 2)], range=[_SMALL, _LARGE])
    return alt.Size("here:Q", scale=scale, legend=legend if most > 1 else None)


def _pair_summary(before: str, names: Names) -> list[list[str]]:
    """`before` with each name and what it is, on few lines."""
    return [
        wrapped(f"{before}{side}: {name}", _LINE)
        for side, name in zip(("against", "row"), shortened(names, _LINE * _LINES), strict=True)
    ]


def _room(names: Names) -> int:
    """Pixels that names take below the plot."""
    return 15 * sum(map(len, _pair_summary("", names)))


def _winner() -> dict[str, Any]:
    names = list(WINS)
    legend = alt.Legend(title=None, orient="bottom", columns=1, symbolOpacity=1, symbolSize=90)
    colours, shapes = [look[0] for look in WINS.values()], [look[1] for look in WINS.values()]
    return {
        "color": alt.Color("winner:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend),
        "shape": alt.Shape("winner:N", sort=names, scale=alt.Scale(domain=names, range=shapes), legend=legend),
    }
