"""Charts of two rows, query by query."""

from __future__ import annotations

from typing import Any

import altair as alt

from harness.board.per_query import Change

WINS = {"b better": ("#0072B2", "triangle-up"), "equal": ("#6E6E6E", "circle"), "a better": ("#D55E00", "triangle-down")}
"""Colour and marker of a query by who wins it: blue and vermilion of Okabe and Ito's palette, and never by colour alone."""


def scatter(changes: list[Change], metric: str) -> alt.LayerChart:
    """Each query at what a (across) and b (up) give it; above the diagonal b is better. Queries at one place make a larger mark."""
    base = alt.Chart(alt.Data(values=_points(changes)))
    axis = {"scale": alt.Scale(domain=[0, 1]) if all(0 <= end <= 1 for one in changes for end in (one.a, one.b)) else alt.Scale(zero=False)}
    points = base.mark_point(filled=True, opacity=0.7, size=60).encode(
        x=alt.X("a:Q", title=f"{metric} of a", **axis),
        y=alt.Y("b:Q", title=f"{metric} of b", **axis),
        tooltip=[alt.Tooltip("query:N"), *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("a", "b", "difference"))],
        **_winner(),
    )
    ends = [min(min(one.a, one.b) for one in changes), max(1.0, max(max(one.a, one.b) for one in changes))]
    diagonal = alt.Chart(alt.Data(values=[{"a": end, "b": end} for end in ends])).mark_line(color="gray", strokeDash=[4, 4])
    return alt.layer(diagonal.encode(x="a:Q", y="b:Q"), points).properties(height=420)


def differences(changes: list[Change], metric: str) -> alt.Chart:
    """The difference b - a of every query, largest gain first."""
    values = [{**point, "place": place} for place, point in enumerate(_points(changes), 1)]
    return (
        alt.Chart(alt.Data(values=values))
        .mark_bar()
        .encode(
            x=alt.X("place:O", title="queries, largest gain of b first", axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y("difference:Q", title=f"{metric}, b - a"),
            color=_winner()["color"],
            tooltip=[alt.Tooltip("query:N"), alt.Tooltip("difference:Q", format="+.3f")],
        )
        .properties(height=420)
    )


def _points(changes: list[Change]) -> list[dict[str, Any]]:
    return [
        {**one._asdict(), "winner": "b better" if one.difference > 0 else "a better" if one.difference < 0 else "equal"} for one in changes
    ]


def _winner() -> dict[str, Any]:
    names = list(WINS)
    legend = alt.Legend(title=None, orient="bottom", symbolOpacity=1)
    colours, shapes = [look[0] for look in WINS.values()], [look[1] for look in WINS.values()]
    return {
        "color": alt.Color("winner:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend),
        "shape": alt.Shape("winner:N", sort=names, scale=alt.Scale(domain=names, range=shapes), legend=legend),
    }
