"""A metric by bins of queries."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from harness.leaderboard.curves import chart_legends
from harness.leaderboard.curves.series_style import series_styles
from harness.leaderboard.inspect.strata import Stratum

_PLOT = 320
"""Pixels of the plot."""


def strata_chart(found: Sequence[Stratum], metric: str, size: str) -> alt.LayerChart:
    """Each row's mean in each bin with its interval: rows side by side, told apart by colour and marker."""
    names = list(dict.fromkeys(one.name for one in found))
    said = chart_legends.texts(names)
    values = [
        {
            "bin": _title(one),
            "queries": one.queries,
            "row": one.name,
            "text": said[one.name],
            "mean": one.mean,
            "low": one.interval.low if one.interval else None,
            "high": one.interval.high if one.interval else None,
        }
        for one in found
    ]
    bins = list(dict.fromkeys(value["bin"] for value in values))
    height = alt.Y("mean:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(format=".4~f"))
    shown = series_styles(len(names))
    base = alt.Chart(alt.Data(values=values)).encode(
        x=alt.X("bin:N", sort=bins, title=f"{size} (number of queries)", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("row:N", sort=names, scale=alt.Scale(domain=names)),
        color=alt.Color(
            "row:N", sort=names, scale=alt.Scale(domain=names, range=[look.colour for look in shown]), legend=None
        ),
    )
    ends = base.mark_rule(strokeWidth=2).encode(
        y=alt.Y("low:Q", title=metric, scale=alt.Scale(zero=False)), y2="high:Q"
    )
    numbers = [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("mean", "low", "high")]
    points = base.mark_point(size=90, opacity=1, strokeWidth=chart_legends.EDGE).encode(
        y=height,
        **chart_legends.marked("text", names, shown),
        tooltip=[alt.Tooltip("row:N"), alt.Tooltip("bin:N", title=size), alt.Tooltip("queries:Q"), *numbers],
    )
    return alt.layer(ends, points).properties(height=_PLOT + chart_legends.height(names))


def _title(one: Stratum) -> str:
    return f"{one.bin} (n = {one.queries:,})"
