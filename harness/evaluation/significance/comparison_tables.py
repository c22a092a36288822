"""Evaluations and comparisons as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.text import counted, plain

if TYPE_CHECKING:
    from harness.evaluation.significance.comparison_result import (
        AgainstAll,
        Comparison,
        ComparisonResult,
        Evaluated,
    )

VERDICTS: dict[str, str] = {
    "better": "better",
    "worse": "worse",
    "equivalent": "as good",
    "noninferior": "not worse by the margin",
    "superior": "better by the margin",
    "inconclusive": "not shown",
}


def verdict_words(row: Comparison) -> str:
    """All that is shown, in few words: 'better, as good'; what holds for these runs only is marked so."""
    shown = [VERDICTS[one] for one in row["verdicts"]]
    if not shown and "with_these_runs" in row and row["with_these_runs"]["verdict"] != "inconclusive":
        return f"{VERDICTS[row['with_these_runs']['verdict']]} with these runs only"
    of_runs = " with these runs" if shown and "with_these_runs" in row and row["scope"] == "runs" else ""
    return (", ".join(shown) or VERDICTS["inconclusive"]) + of_runs


def level_text(level: float) -> str:
    """'95 %', as intervals are headed."""
    return f"{100 * level:.4g} %"


def render_evaluation(answer: Evaluated) -> RenderableType:
    """Means by metric, with how many queries they stand for."""
    table = Table(title=Text(plain(answer["run"])), title_justify="left")
    table.add_column("metric")
    table.add_column("mean", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, value in answer["metrics"].items():
        table.add_row(name, f"{value:.4f}", _interval(answer["intervals"][name]))
    missing = f", {answer['missing']} of them missing from the run and counted 0" if answer["missing"] else ""
    clusters = f" in {counted(answer['clusters'], 'cluster')}" if "clusters" in answer else ""
    return Group(table, Text(f"{counted(answer['queries'], 'query')}{clusters}{missing}"), *_notices(answer["notices"]))


def render_comparison(answer: ComparisonResult) -> RenderableType:
    """For each metric the means, the paired differences with their verdict, their size and power; then what was tested
    and how."""
    parts: list[RenderableType] = []
    for name in dict.fromkeys(row["metric"] for row in answer["comparisons"]):
        rows = [row for row in answer["comparisons"] if row["metric"] == name]
        parts += [_runs(name, answer), "", _differences(rows, answer["level"]), "", _sizes(rows, answer["power"]), ""]
    if "against_all" in answer:
        parts += [_against_all(answer["against_all"]), ""]
    notices = [*answer["notes"], *answer.get("notices", [])]
    return Group(*parts, Text(_how(answer)), *_notices(notices))


def _against_all(rows: Sequence[AgainstAll]) -> Table:
    """Intersection-union and union-intersection, a row a run."""
    table = _table("against all baselines", "metric", "p of all", "p of any", "verdict on all")
    for row in rows:
        p = (p_text(row["p_all"]), p_text(row["p_any"]))
        table.add_row(Text(plain(row["b"])), row["metric"], *p, VERDICTS[row["verdict"]])
    return table


def _notices(notices: Sequence[str]) -> list[Text]:
    return [Text(f"notice: {plain(notice)}") for notice in notices]


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _runs(name: str, answer: ComparisonResult) -> Table:
    table = _table("run", name, f"{level_text(1 - answer['alpha'])} interval", "missing")
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


_MARGINS: dict[Literal["equivalence", "noninferiority", "superiority_by_margin"], str] = {
    "equivalence": "p equiv.",
    "noninferiority": "p not worse",
    "superiority_by_margin": "p by margin",
}


def _differences(rows: list[Comparison], level: float) -> Table:
    heading, names = _compared_names(rows)
    asked = [name for name in _MARGINS if any(name in row for row in rows)]
    runs = ["p runs"] if any("with_these_runs" in row for row in rows) else []
    headings = ("b - a", f"{level_text(level)} interval", "p", "p adj.", *runs, *(_MARGINS[name] for name in asked))
    table = _table(heading, *headings, "verdict")
    for name, row in zip(names, rows, strict=True):
        same = [p_text(row[one]["p_adjusted"]) if one in row else "" for one in asked]
        p = [p_text(row["p"]), p_text(row["p_adjusted"])]
        p += [p_text(row["with_these_runs"]["p_adjusted"]) if "with_these_runs" in row else ""] if runs else []
        table.add_row(name, f"{row['difference']:+.4f}", _interval(row["interval"]), *p, *same, verdict_words(row))
    return table


def _sizes(rows: list[Comparison], power: float) -> Table:
    heading, names = _compared_names(rows)
    table = _table(heading, "d_z", "P(b > a)", "+/=/-", "detectable", "in family", f"queries, {power:.0%}")
    for name, row in zip(names, rows, strict=True):
        table.add_row(
            name,
            "" if row["effect_size"] is None else f"{row['effect_size']:+.2f}",
            f"{row['superiority']:.2f}",
            f"{row['wins']}/{row['ties']}/{row['losses']}",
            "" if row["detectable"] is None else f"{row['detectable']:.4f}",
            "" if row["detectable_family"] is None else f"{row['detectable_family']:.4f}",
            "" if row["queries_needed"] is None else f"{row['queries_needed']:,}",
        )
    return table


def _how(answer: ComparisonResult) -> str:
    how = "not adjusted" if answer["correction"] == "none" else f"adjusted by {answer['correction']}"
    sides = "two-sided" if answer["alternative"] == "two-sided" else f"one-sided (b {answer['alternative']})"
    queries = counted(answer["queries"], "query")
    if "clusters" in answer:
        queries = f"{queries} in {counted(answer['clusters'], 'cluster')}"
    methods = any(row["scope"] == "methods" for row in answer["comparisons"])
    over = f"queries and runs ({queries})" if methods else queries
    return (
        f"{answer['test']} test, {sides}, paired over {over}, seed {answer['seed']}; "
        f"p {how}, over {plain(answer['family'])}.\n"
        f"Verdict by p adj. < {answer['alpha']:g}{_margins(answer)}. Not shown does not mean equal.\n"
        f"Intervals ({answer['interval']}) and power are of each comparison alone. detectable: the least true "
        f"difference {queries} show with {answer['power']:.0%} power; in family: the same in this family"
        f"{', runs counted' if methods else ''}. queries: how many a true difference of this size needs."
    )


def _margins(answer: ComparisonResult) -> str:
    """What was asked of margins."""
    said = ""
    if "margin" in answer:
        said += f"; as good: within {answer['margin']:g} either way (TOST)"
    if "noninferiority_margin" in answer:
        said += f"; not worse by {answer['noninferiority_margin']:g}"
    if "superiority_margin" in answer:
        said += f"; better by more than {answer['superiority_margin']:g}"
    return said


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"


def p_words(p: float | None) -> str:
    """'p 0.031', or 'one run' where one run tells nothing of a method."""
    return "one run" if p is None else f"p {p_text(p)}"


def p_text(p: float | None) -> str:
    """A p value with as many digits as it deserves, never 0; empty where there is none."""
    if p is None:
        return ""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"
