"""Charts of what teachers said: how they agree, and where their first picks stood."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from harness.leaderboard.curves.short_names import shortened
from harness.leaderboard.inspect.label_quality import Agreement, Picks

_SCALES = {
    "Kendall's tau": alt.Scale(domain=[-1, 0, 1], range=["#D55E00", "#F4F4F4", "#0072B2"]),
    "rank-biased overlap": alt.Scale(domain=[0, 1], range=["#F4F4F4", "#0072B2"]),
    "same first pick": alt.Scale(domain=[0, 1], range=["#F4F4F4", "#0072B2"]),
}
"""Colours of each measure: vermilion to blue through grey, both told apart by every common kind of colour vision."""
_CHANCE = "#D55E00"
_ROW = 46
_LONGEST = 30
"""Characters of a name beside the cells."""
_DARK = 0.6
"""How far from the grey a cell is so dark that white letters read better."""


def heatmap(found: Sequence[Agreement], measure: str) -> alt.LayerChart:
    """Every teacher against every other by `measure`: the number stands in each cell, the colour only repeats it."""
    names = list(dict.fromkeys(name for one in found for name in (one.a, one.b)))
    said = dict(zip(names, shortened(names, _LONGEST), strict=True))
    cells = {(a, b): one for one in found for a, b in ((one.a, one.b), (one.b, one.a))}
    values = [
        {
            "a": a,
            "b": b,
            "row": said[a],
            "column": said[b],
            "value": one.values[measure],
            "queries": one.queries,
            "text": _digits(one.values[measure]),
        }
        for (a, b), one in cells.items()
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X(
            "column:N", sort=list(said.values()), title=None, axis=alt.Axis(labelAngle=-30, labelLimit=0, orient="top")
        ),
        y=alt.Y("row:N", sort=list(said.values()), title=None, axis=alt.Axis(labelLimit=0)),
    )
    tooltip = [
        alt.Tooltip("a:N"),
        alt.Tooltip("b:N"),
        alt.Tooltip("value:Q", format=".3f", title=measure),
        alt.Tooltip("queries:Q"),
    ]
    squares = base.mark_rect(stroke="white").encode(
        color=alt.Color("value:Q", scale=_SCALES[measure], legend=None), tooltip=tooltip
    )
    letters = base.mark_text(fontSize=13).encode(
        text="text:N",
        tooltip=tooltip,
        color=alt.condition(f"abs(datum.value) > {_DARK}", alt.value("white"), alt.value("black")),
    )
    return alt.layer(squares, letters).properties(height=_ROW * len(names) + 90)


def _digits(value: float | None) -> str:
    return "–" if value is None else f"{value:z.2f}"


def picks_chart(found: Picks) -> alt.LayerChart:
    """The share of first picks at each place with its interval, and the share by chance as a dash."""
    values = [
        {
            **place._asdict(),
            "low": place.interval.low,
            "high": place.interval.high,
            "by chance": "expected of a choice by chance",
        }
        for place in found.places
    ]
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("position:O", title="place in the input order", axis=alt.Axis(labelAngle=0))
    )
    height = alt.Y("share:Q", title="share of first picks", axis=alt.Axis(format="%"))
    tooltip = [
        alt.Tooltip("position:O"),
        alt.Tooltip("picked:Q", format=",d"),
        alt.Tooltip("share:Q", format=".1%"),
        alt.Tooltip("expected:Q", format=".1%"),
    ]
    bars = base.mark_bar(color="#56B4E9").encode(y=height, tooltip=tooltip)
    ends = base.mark_rule(color="#707070", strokeWidth=2).encode(y="low:Q", y2="high:Q")
    legend = alt.Legend(
        title=None, orient="bottom", symbolType="square", symbolFillColor=_CHANCE, symbolOpacity=1, labelLimit=400
    )
    chance = base.mark_tick(thickness=3, width=40, orient="horizontal", opacity=1).encode(
        y="expected:Q", color=alt.Color("by chance:N", scale=alt.Scale(range=[_CHANCE]), legend=legend)
    )
    return alt.layer(bars, ends, chance).properties(height=420)
