"""A forest plot as SVG: a panel for each hypothesis, a line for each collection and rival, a diamond for all together.

Filled markers are shown by the adjusted p, hollow ones are not, a cross stands where a check failed; the grey band is
the margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from harness.claims.claim_report import ClaimReport
from harness.claims.claim_verdict import ClaimVerdict
from harness.claims.collection_result import NOT_REACHED, SHOWN
from harness.evaluation.significance.bootstrap import Interval

_LINE, _TOP, _LABEL, _PANEL, _GAP = 20, 58, 190, 260, 24
_WIDE, _ACROSS = _LABEL + _PANEL + _GAP, 2
PANEL_WIDTH = _WIDE + _GAP
"""Pixels of a panel on its own."""
MARKERS = (
    "A line is a difference with its 95 % interval: right of 0 the first named is better. Filled circle: shown by the "
    "adjusted p; hollow: not shown; cross: not reached, since what comes before it is not shown there; diamond: all "
    "collections together; grey band: the margin."
)


class ForestLine(NamedTuple):
    """One difference with its interval."""

    label: str
    mean: float
    interval: Interval
    marker: str
    """filled, hollow, cross or diamond."""


def forest_plot(report: ClaimReport) -> str:
    """The claims (checks left out) that runs say something of, as an SVG document with two panels beside each other; of
    exploratory runs where nothing else is there."""
    panels = _measured(report)
    parts: list[str] = []
    top = 0
    for start in range(0, len(panels), _ACROSS):
        row = panels[start : start + _ACROSS]
        for number, (one, lines) in enumerate(row):
            parts += _panel(one, lines, _GAP + number * _WIDE, top)
        top += max(_height(lines) for _, lines in row)
    return _document(_GAP + _WIDE * max(min(len(panels), _ACROSS), 1), top or _TOP, parts)


def forest_panels(report: ClaimReport) -> list[str]:
    """The panels of `forest_plot`, a document each, `PANEL_WIDTH` wide: a page sets as many beside each other as it has
    room for."""
    return [_document(PANEL_WIDTH, _height(lines), _panel(one, lines, _GAP, 0)) for one, lines in _measured(report)]


def _measured(report: ClaimReport) -> list[tuple[ClaimVerdict, list[ForestLine]]]:
    verdicts = [one for one in report.verdicts if one.results] or report.exploratory
    panels = [(one, list(forest_lines(one))) for one in verdicts if not one.hypothesis.check]
    return [(one, lines) for one, lines in panels if lines]


def _height(lines: Sequence[ForestLine]) -> int:
    return _TOP + _LINE * (len(lines) + 2)


def _document(width: int, height: int, parts: Iterable[str]) -> str:
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">'
    )
    return "\n".join([opening, f'<rect width="{width}" height="{height}" fill="#ffffff"/>', *parts, "</svg>\n"])


def forest_lines(one: ClaimVerdict) -> Iterator[ForestLine]:
    """A line for each collection and rival, then the pooled ones."""
    for result in one.results:
        marker = "filled" if result.outcome == SHOWN else "cross" if result.outcome == NOT_REACHED else "hollow"
        for comparison in result.comparisons:
            label = f"{result.collection} - {comparison.rival}"
            yield ForestLine(label, comparison.difference.difference, comparison.interval, marker)
    for line in one.pooled:
        if len(line.collections) > 1:
            yield ForestLine(f"pooled - {line.rival}", line.mean, line.interval, "diamond")


def _panel(one: ClaimVerdict, lines: Sequence[ForestLine], left: int, top: int) -> Iterator[str]:
    finite = [end for line in lines for end in line.interval if abs(end) < float("inf")]
    reach = 1.1 * max([one.margin * 1.5, *map(abs, finite)])
    start, first, bottom = left + _LABEL, top + _TOP, top + _height(lines) - _LINE

    def x(value: float) -> float:
        return start + (min(max(value, -reach), reach) + reach) / (2 * reach) * _PANEL

    yield _text(left, top + 20, f"{one.name}: {one.verdict}", "start", bold=True)
    yield _text(left, top + 38, f"{one.hypothesis.run} minus rival", "start")
    edge, band = x(-one.margin), x(one.margin) - x(-one.margin)
    yield f'<rect x="{edge:.1f}" y="{first - 10}" width="{band:.1f}" height="{bottom - first}" fill="#e8e8e8"/>'
    yield f'<path d="M{x(0):.1f} {first - 10}V{bottom - 10}" stroke="#777777"/>'
    for value in (-reach / 1.1, 0.0, reach / 1.1):
        yield _text(x(value), bottom + 8, f"{value:+.3f}" if value else "0", "middle")
    for number, line in enumerate(lines):
        y = first + number * _LINE
        yield _text(start - 8, y + 4, line.label, "end")
        low, high = x(line.interval.low), x(line.interval.high)
        yield f'<path d="M{low:.1f} {y}H{high:.1f}" stroke="#1f4e79" stroke-width="1.5"/>'
        yield _marker(line.marker, x(line.mean), y)


def _marker(kind: str, x: float, y: float) -> str:
    if kind == "cross":
        lines = f"M{x - 4:.1f} {y - 4}L{x + 4:.1f} {y + 4}M{x - 4:.1f} {y + 4}L{x + 4:.1f} {y - 4}"
        return f'<path d="{lines}" stroke="#b03030"/>'
    if kind == "diamond":
        return f'<path d="M{x - 7:.1f} {y}L{x:.1f} {y - 6}L{x + 7:.1f} {y}L{x:.1f} {y + 6}Z" fill="#1f4e79"/>'
    fill = "#1f4e79" if kind == "filled" else "#ffffff"
    return f'<circle cx="{x:.1f}" cy="{y}" r="4.5" fill="{fill}" stroke="#1f4e79" stroke-width="1.5"/>'


def _text(x: float, y: float, text: str, anchor: str, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    shown = text if len(text) <= 34 or anchor != "end" else f"{text[:33]}…"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}>{escape(shown)}</text>'
