"""Budget curves and the frontier in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from string import ascii_uppercase

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from harness.evaluation.curves.budget_curve import CurveValue
from harness.evaluation.significance.comparison_tables import p_text
from harness.leaderboard import row_texts
from harness.leaderboard.curves.against_series import ahead_words
from harness.leaderboard.curves.ascii import plot
from harness.leaderboard.curves.curve_answer import CurveAnswer
from harness.leaderboard.curves.fitted import Statistics
from harness.leaderboard.curves.frontier import DOMINATED, FRONTIER, SURELY, Frontier
from harness.leaderboard.curves.series import amount_text as amount_text
from harness.leaderboard.curves.targets import amount_words
from harness.leaderboard.render.board_terminal import figure
from harness.text import counted

_ROW = 14
"""Least columns for the names of rows."""
MARKS = {FRONTIER: "◆", DOMINATED: "○", SURELY: "▼"}
"""How a standing is shown, with its name beside it."""


def render(answers: Sequence[CurveAnswer], folder: str) -> RenderableType:
    """Each table's curves, what a target takes, every series against one of them, and the frontier."""
    parts: list[RenderableType] = [part for one in answers for part in _table(one)]
    return Group(*parts) if parts else Text(f"no published runs in {folder}")


def _table(one: CurveAnswer) -> list[RenderableType]:
    about = f"{one.table.collection} · {one.table.split} · {counted(one.table.queries, 'query')}"
    parts: list[RenderableType] = [Text(about, style="bold")]
    if one.drawn is None:
        parts.append(Text("no row has a budget, so there is no curve"))
    else:
        parts += [Text(f"{one.drawn.metric} by {one.drawn.axis.title}"), figure(plot(one.drawn)), Text()]
    if one.statistics is not None:
        letters = _letters(one.statistics)
        parts += [_curves(one, letters), *_pairs(one, letters)]
        parts += [Text(f"That is: {one.conclusion}.\n")] if one.conclusion else []
        parts.append(_notes(one.statistics, letters))
    if one.frontier is not None:
        parts += [_frontier(one.frontier, one.table.metric), Text(frontier_notes(one.frontier) + "\n", style="dim")]
    return parts


def _headed(title: str, *headings: str, whole: tuple[str, ...] = ("fit", "measured", "area", "95 %")) -> RichTable:
    """An empty table; the columns `whole` are not broken into lines."""
    shown = RichTable(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), expand=False)
    for number, heading in enumerate(headings):
        shown.add_column(
            Text(heading),
            overflow="fold",
            justify="left" if number == 0 else "right",
            no_wrap=heading in whole,
            min_width=_ROW if heading == "row" else None,
        )
    return shown


def _curves(one: CurveAnswer, letters: dict[str, str]) -> RichTable:
    assert one.statistics is not None
    axis = one.statistics.chart.axis
    wanted = [f"{axis.unit} for {one.goal[0]} ({one.table.metric} {row_texts.number(one.goal[1])})"] if one.goal else []
    shown = _headed("Curves", "", "fit", "measured", "area", "95 %", *wanted)
    needed = {item.series: item.words for item in one.needed}
    for fitted in one.statistics.fitted:
        name = fitted.series.name
        measured = " – ".join(dict.fromkeys(amount_text(end, axis) for end in (fitted.curve.first, fitted.curve.last)))
        cells_ = [letters[name], fitted.curve.fit.name, measured, *_value(fitted.area)]
        shown.add_row(*cells_, *([Text(needed[name])] if needed else []))
    return shown


def _value(value: CurveValue | None, sign: str = "") -> tuple[str, str]:
    if value is None:
        return "", ""
    return f"{value.value:{sign}.3f}", f"[{value.interval.low:{sign}.3f}, {value.interval.high:{sign}.3f}]"


def _pairs(one: CurveAnswer, letters: dict[str, str]) -> list[RenderableType]:
    if not one.pairs or one.statistics is None or one.reference is None:
        return []
    axis = one.statistics.chart.axis
    reference = letters[one.reference]
    shown = _headed(
        f"Against {reference}",
        "",
        "area difference",
        "95 %",
        f"reaches {reference} at its largest with",
        f"at or above {reference}",
    )
    for pair in one.pairs:
        shown.add_row(
            letters[pair.series], *_value(pair.area, "+"), amount_words(pair.equal, axis), ahead_words(pair.ahead, axis)
        )
    return [shown, *([Text(f"! {one.choice}.\n", style="dim")] if one.choice else [])]


def _letters(statistics: Statistics) -> dict[str, str]:
    """Series by the letters of the plot; those beyond its letters by their names."""
    names = [one.series.name for one in statistics.fitted]
    return {name: letter or name for name, letter in zip_longest(names, ascii_uppercase[: len(names)])}


def _notes(statistics: Statistics, letters: dict[str, str]) -> Text:
    left_out = (
        f"\n{statistics.chart.left_out} series not shown; --every shows them" if statistics.chart.left_out else ""
    )
    everyone = len(statistics.fitted)
    doubts = "".join(
        f"\n! {'every series' if len(names) == everyone > 1 else ', '.join(letters[name] for name in names)}: {note}"
        for note, names in statistics.doubts.items()
    )
    return Text(f"{statistics.note}; nothing is said beyond the measured amounts.{left_out}{doubts}\n", style="dim")


def frontier_notes(one: Frontier) -> str:
    """What was compared and tested, and what was not."""
    rest = ", ".join(f"{name} {mean:.3f}" for name, mean in one.left_out)
    return one.family + (f"; without labels, and not compared: {rest}" if rest else "")


def _frontier(one: Frontier, metric: str) -> RichTable:
    heading = one.title
    columns = ("row", heading, metric, "standing", "beaten by", "p adj.")
    shown = _headed(f"Quality against {heading}", *columns, whole=(metric, "standing", "p adj."))
    for row in one.rows:
        p = "" if row.p_adjusted is None else p_text(row.p_adjusted)
        standing = f"{MARKS[row.status]} {row.status}"
        price = f"{row.price:,.0f}" if row.price >= 100 else f"{row.price:.4g}"
        shown.add_row(Text(row.title), price, row_texts.number(row.mean), standing, Text(row.beaten_by or ""), p)
    return shown
