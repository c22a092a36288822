"""Evaluations and comparisons as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.text import counted, plain

if TYPE_CHECKING:
    from harness.evaluation.significance.comparison_result import Comparison, ComparisonResult, Evaluated

VERDICTS = {"better": "better", "worse": "worse", "equivalent": "as good", "inconclusive": "not shown"}


def render_evaluation(answer: Evaluated) -> RenderableType:
    """Means by metric, with how many queries they stand for."""
    table = Table(title=Text(plain(answer["run"])), title_justify="left")
    table.add_column("metric")
    table.add_column("mean", justify="right")
    for name, value in answer["metrics"].items():
        table.add_row(name, f"{value:.4f}")
    missing = f", {answer['missing']} of them missing from the run and counted 0" if answer["missing"] else ""
    return Group(table, Text(f"{counted(answer['queries'], 'query')}{missing}"), *_notices(answer["notices"]))


def render_comparison(answer: ComparisonResult) -> RenderableType:
    """For each metric the means, the paired differences with their verdict, their size and power; then what was tested
    and how."""
    parts: list[RenderableType] = []
    for name in dict.fromkeys(row["metric"] for row in answer["comparisons"]):
        rows = [row for row in answer["comparisons"] if row["metric"] == name]
        parts += [_runs(name, answer), "", _differences(rows), "", _sizes(rows, answer["power"]), ""]
    return Group(*parts, Text(_how(answer)), *_notices(answer.get("notices", [])))


def _notices(notices: Sequence[str]) -> list[Text]:
    return [Text(f"notice: {plain(notice)}") for notice in notices]


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _runs(name: str, answer: ComparisonResult) -> Table:
    table = _table("run", name, "95 % interval", "missing")
    for row in answer["runs"]:
        if row["metric"] == name:
            table.add_row(
                Text(plain(row["name"])), f"{row['mean']:.4f}", _interval(row["interval"]), str(row["missing"] or "")
            )
    return table


def _compared_names(rows: list[Comparison]) -> tuple[str, list[Text]]:
    """Heading and names of the compared; the baseline is in the heading where it is always the same."""
    baselines = {row["a"] for row in rows}
    if len(baselines) == 1:
        return f"against {plain(baselines.pop())}", [Text(plain(row["b"])) for row in rows]
    return "b against a", [Text(f"{plain(row['b'])} against {plain(row['a'])}") for row in rows]


def _differences(rows: list[Comparison]) -> Table:
    heading, names = _compared_names(rows)
    alike = any("equivalence" in row for row in rows)
    table = _table(heading, "b - a", "95 % interval", "p", "p adj.", *(["p equiv."] if alike else []), "verdict")
    for name, row in zip(names, rows, strict=True):
        same = [p_text(row["equivalence"]["p_adjusted"])] if "equivalence" in row else []
        p = (p_text(row["p"]), p_text(row["p_adjusted"]))
        table.add_row(
            name, f"{row['difference']:+.4f}", _interval(row["interval"]), *p, *same, VERDICTS[row["verdict"]]
        )
    return table


def _sizes(rows: list[Comparison], power: float) -> Table:
    heading, names = _compared_names(rows)
    table = _table(heading, "d_z", "P(b > a)", "+/=/-", "detectable", f"queries, {power:.0%}")
    for name, row in zip(names, rows, strict=True):
        table.add_row(
            name,
            "" if row["effect_size"] is None else f"{row['effect_size']:+.2f}",
            f"{row['superiority']:.2f}",
            f"{row['wins']}/{row['ties']}/{row['losses']}",
            "" if row["detectable"] is None else f"{row['detectable']:.4f}",
            "" if row["queries_needed"] is None else f"{row['queries_needed']:,}",
        )
    return table


def _how(answer: ComparisonResult) -> str:
    how = "not adjusted" if answer["correction"] == "none" else f"adjusted by {answer['correction']}"
    sides = "two-sided" if answer["alternative"] == "two-sided" else f"one-sided (b {answer['alternative']})"
    margin = f"; as good: within {answer['margin']:g} either way (TOST)" if "margin" in answer else ""
    return (
        f"{answer['test']} test, {sides}, paired over {counted(answer['queries'], 'query')}, seed {answer['seed']}; "
        f"p {how}, over {plain(answer['family'])}.\n"
        f"Verdict by p adj. < {answer['alpha']:g}{margin}. Not shown does not mean equal.\n"
        f"Intervals ({answer['interval']}) and power are of each comparison alone. detectable: the least true "
        "difference "
        f"{counted(answer['queries'], 'query')} show with {answer['power']:.0%} power. queries: how many a true "
        "difference of this size "
        "needs."
    )


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"


def p_text(p: float) -> str:
    """A p value with as many digits as it deserves, never 0."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"
