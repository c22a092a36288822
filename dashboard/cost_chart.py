"""Quality against price with the frontier joined, and where the time went."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt

from harness.board.figure import COLOURS
from harness.board.frontier import DOMINATED, FRONTIER, SURELY, Frontier
from harness.board.stage_costs import Split

LOOKS = {FRONTIER: ("#0072B2", "diamond"), DOMINATED: ("#6E6E6E", "circle"), SURELY: ("#D55E00", "triangle-down")}
"""Colour and shape of each standing."""
_THICK, _BAR, _REST = 9, 28, 130
"""Pixels of a bar, of a row with its name, and of axis and legend, which count as part of the chart's height."""


def frontier_chart(found: Frontier, metric: str, title: str, logarithmic: bool) -> alt.LayerChart:
    """Rows by price and mean; those on the frontier are blue diamonds joined by steps, dominated ones circles, surely so triangles."""
    rows = [{**one._asdict(), "standing": one.standing} for one in found.rows]
    across = _logarithmic(found, title) if logarithmic else alt.X("price:Q", title=title)
    height = alt.Y("mean:Q", title=metric, scale=alt.Scale(zero=False))
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, y=height)
    legend = alt.Legend(title=None, orient="bottom", columns=1, symbolOpacity=1)
    names, colours, shapes = list(LOOKS), [look[0] for look in LOOKS.values()], [look[1] for look in LOOKS.values()]
    numbers = [alt.Tooltip("price:Q", format=",.4~g"), alt.Tooltip("mean:Q", format=".3f"), alt.Tooltip("p_adjusted:Q", format=".2~g")]
    points = base.mark_point(filled=True, size=90, opacity=0.9).encode(
        color=alt.Color("standing:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend),
        shape=alt.Shape("standing:N", sort=names, scale=alt.Scale(domain=names, range=shapes), legend=legend),
        tooltip=[alt.Tooltip("name:N"), *numbers, alt.Tooltip("standing:N"), alt.Tooltip("beaten_by:N")],
    )
    steps = base.transform_filter(f"datum.standing == '{FRONTIER}'").mark_line(interpolate="step-after", color=LOOKS[FRONTIER][0])
    return alt.layer(steps, points).properties(height=500)


def _logarithmic(found: Frontier, title: str) -> alt.X:
    """Logarithmic from the least price above 0 on; what costs nothing stands at the left."""
    prices = [one.price for one in found.rows if one.price > 0]
    least, most = min(prices, default=1.0), max(prices, default=1.0)
    ticks = [0.0, *(10.0**power for power in range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1))]
    scale = alt.Scale(type="symlog", constant=least, nice=False)
    return alt.X(
        "price:Q", title=f"{title} (log scale, from 0)", scale=scale, axis=alt.Axis(values=ticks, format=",.12~g", labelOverlap="greedy")
    )


def stage_chart(found: Sequence[Split]) -> alt.LayerChart:
    """Seconds of each row by kind of stage, stacked in the order of the legend; its name stands above, so that phones have room."""
    kinds, names = list(found[0].seconds), [one.name for one in found]
    values = [
        {"name": one.name, "stage": kind, "seconds": seconds, "order": order}
        for one in found
        for order, (kind, seconds) in enumerate(one.seconds.items())
    ]
    rows = alt.Y("name:N", sort=names, axis=None)
    legend = alt.Legend(title=None, orient="bottom", columns=4)
    bars = alt.Chart(alt.Data(values=values)).mark_bar(stroke="white", strokeWidth=0.5, size=_THICK, yOffset=_THICK / 2)
    bars = bars.encode(
        x=alt.X("seconds:Q", title="seconds", stack="zero"),
        y=rows,
        color=alt.Color("stage:N", sort=kinds, scale=alt.Scale(domain=kinds, range=COLOURS), legend=legend),
        order=alt.Order("order:Q"),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("stage:N"), alt.Tooltip("seconds:Q", format=",.1f")],
    )
    labels = alt.Chart(alt.Data(values=[{"name": name} for name in names])).mark_text(align="left", dx=2, dy=-_THICK, color="gray")
    return alt.layer(bars, labels.encode(x=alt.value(0), y=rows, text="name:N")).properties(height=_BAR * len(names) + _REST)
