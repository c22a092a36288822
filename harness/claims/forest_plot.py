"""A forest plot as SVG: a panel for each hypothesis, a line for each collection and rival, a diamond for all together.

Filled markers are shown by the adjusted p, hollow ones are not, a cross stands where a check failed; the grey band is
the margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from harness.claims.claim_report import ClaimReport
from harness.claims.claim_verdict import ClaimVerdict
from harness.claims.collection_result import NOT_REACHED, SHOWN
from harness.evaluation.significance.bootstrap import Interval

_LINE, _TOP, _LABEL, _PANEL, _GAP = 20, 58, 190, 260, 24


class ForestLine(NamedTuple):
    """One difference with its interval."""

    label: str
    mean: float
    interval: Interval
    marker: str
    """filled, hollow, cross or diamond."""


def forest_plot(report: ClaimReport) -> str:
    """The claims (checks left out) as an SVG document; of exploratory runs where nothing else is there."""
    verdicts = [one for one in report.verdicts if one.results] or report.exploratory
    panels = [(one, list(forest_lines(one))) for one in verdicts if not one.hypothesis.check]
    height = _TOP + _LINE * (max((len(lines) for _, lines in panels), default=0) + 2)
    width = max(len(panels), 1) * (_LABEL + _PANEL + _GAP) + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, (one, lines) in enumerate(panels):
        parts += _panel(one, lines, _GAP + number * (_LABEL + _PANEL + _GAP), height)
    return "\n".join([*parts, "</svg>\n"])


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


def _panel(one: ClaimVerdict, lines: Sequence[ForestLine], left: int, height: int) -> Iterator[str]:
    finite = [end for line in lines for end in line.interval if abs(end) < float("inf")]
    reach = 1.1 * max([one.margin * 1.5, *map(abs, finite)])
    start, bottom = left + _LABEL, height - _LINE

    def x(value: float) -> float:
        return start + (min(max(value, -reach), reach) + reach) / (2 * reach) * _PANEL

    yield _text(left, 20, f"{one.name}: {one.verdict}", "start", bold=True)
    yield _text(left, 38, f"{one.hypothesis.run} minus rival", "start")
    band = x(one.margin) - x(-one.margin)
    yield f'<rect x="{x(-one.margin):.1f}" y="{_TOP - 10}" width="{band:.1f}" height="{bottom - _TOP}" fill="#e8e8e8"/>'
    yield f'<path d="M{x(0):.1f} {_TOP - 10}V{bottom - 10}" stroke="#777777"/>'
    for value in (-reach / 1.1, 0.0, reach / 1.1):
        yield _text(x(value), bottom + 8, f"{value:+.3f}" if value else "0", "middle")
    for number, line in enumerate(lines):
        y = _TOP + number * _LINE
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
