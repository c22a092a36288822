"""Quality against price, the frontier joined."""

from __future__ import annotations

import altair as alt

from harness.board.frontier import Priced

LOOKS = {"frontier": ("#0072B2", "diamond"), "dominated": ("#6E6E6E", "circle")}


def frontier_chart(found: list[Priced], metric: str, title: str, logarithmic: bool) -> alt.LayerChart:
    """Rows by price and mean; those on the frontier are blue diamonds joined by steps, dominated ones grey circles."""
    rows = [{**one._asdict(), "standing": "dominated" if one.beaten_by else "frontier"} for one in found]
    rows = [row for row in rows if not logarithmic or float(row["price"] or 0) > 0]
    scale = alt.Scale(type="log" if logarithmic else "linear")
    across = alt.X("price:Q", title=title + (" (log scale; rows that cost nothing are not drawn)" if logarithmic else ""), scale=scale)
    height = alt.Y("mean:Q", title=metric, scale=alt.Scale(zero=False))
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, y=height)
    legend = alt.Legend(title=None, orient="bottom", symbolOpacity=1)
    names, colours, shapes = list(LOOKS), [look[0] for look in LOOKS.values()], [look[1] for look in LOOKS.values()]
    points = base.mark_point(filled=True, size=90, opacity=0.9).encode(
        color=alt.Color("standing:N", sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend),
        shape=alt.Shape("standing:N", sort=names, scale=alt.Scale(domain=names, range=shapes), legend=legend),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("price:Q", format=",.4~g"), alt.Tooltip("mean:Q", format=".3f"), "beaten_by:N"],
    )
    steps = base.transform_filter("datum.standing == 'frontier'").mark_line(interpolate="step-after", color=LOOKS["frontier"][0])
    return alt.layer(steps, points).properties(height=460)
