"""Legends that phones have room for: long names stand on several lines, and are never cut to the same text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness._lazy import lazy
from harness.leaderboard.curves.series_style import SeriesStyle
from harness.leaderboard.curves.short_names import shortened, wrapped

if TYPE_CHECKING:
    import altair as alt
else:
    alt = lazy("altair")

WIDTH = 44
"""Characters of a line."""
EDGE = 1.5
"""Pixels of a marker's edge, the inside of which is empty for some."""
_MOST = 3
"""Lines of a name."""
_LINE, _BETWEEN = 16, 8
"""Pixels of a line, and of the gap between names."""


def texts(names: Sequence[str]) -> dict[str, str]:
    """Each name as its legend shows it, its lines joined by line breaks; different names stay different."""
    cut = shortened(names, WIDTH * _MOST)
    return {name: "\n".join(wrapped(text, WIDTH)) for name, text in zip(names, cut, strict=True)}


def height(names: Sequence[str]) -> int:
    """Pixels of the legend of `names`, one below the other, which count as part of a chart's height."""
    return sum(_LINE * (text.count("\n") + 1) + _BETWEEN for text in texts(names).values())


def legend() -> alt.Legend:
    """One column below the chart, of what `texts` made."""
    lines = "split(datum.label, '\\n')"
    looks = {"symbolOpacity": 1, "symbolStrokeWidth": EDGE, "rowPadding": _BETWEEN}
    return alt.Legend(title=None, orient="bottom", columns=1, labelLimit=0, labelExpr=lines, **looks)


def marked(field: str, names: Sequence[str], styles: Sequence[SeriesStyle]) -> dict[str, Any]:
    """Channels of point marks whose `field` is one of `texts(names)`: shape, colour of the edge and of the inside, in
    one legend."""
    said = texts(names)
    domain, shared = [said[name] for name in names], legend()
    ranges: dict[Any, list[str]] = {
        alt.Shape: [look.shape for look in styles],
        alt.Stroke: [look.colour for look in styles],
        alt.Fill: [look.colour if look.filled else "transparent" for look in styles],
    }
    return {
        channel.__name__.lower(): channel(
            f"{field}:N", sort=domain, scale=alt.Scale(domain=domain, range=found), legend=shared
        )
        for channel, found in ranges.items()
    }
