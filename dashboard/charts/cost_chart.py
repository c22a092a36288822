"""Quality against price with the frontier joined, and where the time went."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt

from harness.leaderboard.curves.frontier import DOMINATED, FRONTIER, SURELY, Frontier
from harness.leaderboard.curves.series_style import COLOURS, ink
from harness.leaderboard.curves.short_names import shortened, wrapped
from harness.leaderboard.inspect.stage_costs import Split

LOOKS = {FRONTIER: ("#0072B2", "diamond"), DOMINATED: ("#6E6E6E", "circle"), SURELY: ("#D55E00", "triangle-down")}
"""Colour and shape of each standing."""
_THICK, _ROW, _LINE, _REST = 14, 24, 13, 150
"""Pixels of a bar, of its row, of a line of its name, and of axis and legend, which count as part of the chart's
height."""
_WIDTH = 46
"""Characters of a line of a name that a phone has room for."""
_PLOT, _LETTER, _INK = 300, 6, 10
"""Pixels of the narrowest plot, of a letter in a segment, and of what is free beside its word."""


def frontier_chart(found: Frontier, metric: str, title: str, logarithmic: bool) -> alt.LayerChart:
    """Rows by price and mean; those on the frontier are blue diamonds joined by steps, dominated ones circles, surely
    so triangles.

    The frontier's points are numbered, cheapest first, and named below the chart.
    """
    rows = [{**one._asdict(), "name": one.title, "standing": one.status} for one in found.rows]
    across = (
        _logarithmic(found, title) if logarithmic else alt.X("price:Q", title=title, axis=alt.Axis(format=",.12~g"))
    )
    height = alt.Y("mean:Q", title=metric, scale=alt.Scale(zero=False), axis=alt.Axis(format=".4~f"))
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, y=height)
    legend = alt.Legend(title=None, orient="bottom", columns=1, symbolOpacity=1)
    names, colours, shapes = list(LOOKS), [look[0] for look in LOOKS.values()], [look[1] for look in LOOKS.values()]
    numbers = [
        alt.Tooltip("price:Q", format=",.4~g"),
        alt.Tooltip("mean:Q", format=".3f"),
        alt.Tooltip("p_adjusted:Q", format=".2~g"),
    ]
    points = base.mark_point(filled=True, size=90, opacity=0.9).encode(
        color=alt.Color("standing:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend),
        shape=alt.Shape("standing:N", sort=names, scale=alt.Scale(domain=names, range=shapes), legend=legend),
        tooltip=[alt.Tooltip("name:N"), *numbers, alt.Tooltip("standing:N"), alt.Tooltip("beaten_by:N")],
    )
    steps = base.transform_filter(f"datum.standing == '{FRONTIER}'").mark_line(
        interpolate="step-after", color=LOOKS[FRONTIER][0]
    )
    ahead = [one for one in found.rows if one.status == FRONTIER]
    numbered = [{"price": one.price, "mean": one.mean, "number": str(number)} for number, one in enumerate(ahead, 1)]
    marks = alt.Chart(alt.Data(values=numbered)).mark_text(
        dx=9, dy=-11, fontSize=13, fontWeight="bold", color=LOOKS[FRONTIER][0]
    )
    key = _key([one.title for one in ahead])
    named = alt.TitleParams(key, orient="bottom", anchor="start", fontSize=11, fontWeight="normal", offset=10)
    drawn = alt.layer(steps, points, marks.encode(x=across, y=height, text="number:N"))
    return drawn.properties(height=500 + _LINE * len(key), title=named)


def _key(names: Sequence[str]) -> list[str]:
    """Which row each number is, on lines that phones have room for."""
    found = ["Frontier:"]
    for number, name in enumerate(shortened(names, _WIDTH * 3), 1):
        first, *rest = wrapped(name, _WIDTH)
        found += [f"{number}  {first}", *(f"    {line}" for line in rest)]
    return found


def _logarithmic(found: Frontier, title: str) -> alt.X:
    """Logarithmic from the least price above 0 on; what costs nothing stands at the left."""
    prices = [one.price for one in found.rows if one.price > 0]
    least, most = min(prices, default=1.0), max(prices, default=1.0)
    ticks = [0.0, *(10.0**power for power in range(math.ceil(math.log10(least)), math.floor(math.log10(most)) + 1))]
    scale = alt.Scale(type="symlog", constant=least, nice=False)
    return alt.X(
        "price:Q",
        title=f"{title} (log scale, from 0)",
        scale=scale,
        axis=alt.Axis(values=ticks, format=",.12~g", labelOverlap="greedy"),
    )


def stage_chart(found: Sequence[Split]) -> alt.LayerChart:
    """Seconds of each row by kind of stage, stacked in the order of the legend; its name stands above, so that phones
    have room.

    Segments wide enough for it say what stage they are.
    """
    kinds, names = list(found[0].seconds), [one.name for one in found]
    inks = {kind: ink(colour) for kind, colour in zip(kinds, COLOURS, strict=False)}
    longest = max((one.total for one in found), default=0.0) or 1.0
    values = [
        {
            "name": one.name,
            "stage": kind,
            "seconds": seconds,
            "order": order,
            "word": _word(kind, seconds / longest),
            "ink": inks[kind],
        }
        for one in found
        for order, (kind, seconds) in enumerate(one.seconds.items())
    ]
    said = {name: wrapped(text, _WIDTH) for name, text in zip(names, shortened(names, _WIDTH * 2), strict=True)}
    lines = max(map(len, said.values()))
    rows = alt.Y("name:N", sort=names, axis=None)
    down = _LINE * lines / 2
    legend = alt.Legend(
        title=None, orient="bottom", columns=2, labelLimit=0, symbolType="square", symbolSize=120, symbolStrokeWidth=0
    )
    base = alt.Chart(alt.Data(values=values)).encode(y=rows, order=alt.Order("order:Q"))
    bars = base.mark_bar(stroke="white", strokeWidth=0.5, size=_THICK, yOffset=down).encode(
        x=alt.X("seconds:Q", title="seconds", stack="zero", axis=alt.Axis(format=",.12~g")),
        color=alt.Color("stage:N", sort=kinds, scale=alt.Scale(domain=kinds, range=COLOURS), legend=legend),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("stage:N"), alt.Tooltip("seconds:Q", format=",.1f")],
    )
    words = base.mark_text(fontSize=10, baseline="middle", dy=down).encode(
        x=alt.X("seconds:Q", stack="zero", bandPosition=0.5),
        detail="stage:N",
        text="word:N",
        color=alt.Color("ink:N", scale=None),
    )
    titles = [{"name": name, "text": "\n".join([""] * (lines - len(text)) + text)} for name, text in said.items()]
    labels = alt.Chart(alt.Data(values=titles)).mark_text(
        align="left",
        baseline="middle",
        lineBreak="\n",
        lineHeight=_LINE,
        dx=2,
        dy=-_THICK / 2 - _LINE * (lines - 1) / 2,
        color="gray",
    )
    drawn = alt.layer(bars, words, labels.encode(x=alt.value(0), y=rows, text="text:N"))
    return drawn.properties(height=(_ROW + _LINE * lines) * len(names) + _REST)


def _word(kind: str, share: float) -> str:
    """The name of a stage where its segment, a `share` of the longest bar, has room for it on the narrowest plot."""
    return kind if share * _PLOT >= _LETTER * len(kind) + _INK else ""
