"""Evaluations and comparisons as tables for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.evaluation.text import counted, plain

if TYPE_CHECKING:
    from harness.evaluation.commands import Compared, Comparison, Evaluated

ALPHA = 0.05


def render_evaluation(answer: Evaluated) -> RenderableType:
    """Means by metric, with how many queries they stand for."""
    table = Table(title=Text(plain(answer["run"])), title_justify="left")
    table.add_column("metric")
    table.add_column("mean", justify="right")
    for name, value in answer["metrics"].items():
        table.add_row(name, f"{value:.4f}")
    missing = f", {answer['missing']} of them missing from the run and counted 0" if answer["missing"] else ""
    return Group(table, Text(f"{counted(answer['queries'], 'query')}{missing}"))


def render_comparison(answer: Compared) -> RenderableType:
    """Means with intervals, then the paired differences, then what was tested and how."""
    said = f"{answer['test']} test, two-sided, paired over {counted(answer['queries'], 'query')}, seed {answer['seed']}"
    how = "not adjusted" if answer["correction"] == "none" else f"adjusted by {answer['correction']}"
    return Group(
        _runs(answer), _pairs(answer["comparisons"]), Text(f"{said}; p {how}, over {answer['family']}.\n* marks p adj. < {ALPHA}.")
    )


def _runs(answer: Compared) -> Table:
    table = Table()
    table.add_column("run", overflow="fold")
    table.add_column(answer["metric"], justify="right")
    table.add_column("95 % interval", justify="right")
    for row in answer["runs"]:
        table.add_row(Text(plain(row["name"])), f"{row['mean']:.4f}", _interval(row["interval"]))
    return table


def _pairs(comparisons: list[Comparison]) -> Table:
    table = Table()
    table.add_column("b against a", overflow="fold")
    for heading in ("difference", "95 % interval", "d_z", "p", "p adj.", "+/=/-"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in comparisons:
        table.add_row(
            Text(f"{plain(row['b'])} against {plain(row['a'])}"),
            f"{row['difference']:+.4f}",
            _interval(row["interval"]),
            "" if row["effect_size"] is None else f"{row['effect_size']:+.2f}",
            p_text(row["p"]),
            p_text(row["p_adjusted"]) + ("*" if row["p_adjusted"] < ALPHA else " "),
            f"{row['wins']}/{row['ties']}/{row['losses']}",
        )
    return table


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"


def p_text(p: float) -> str:
    """A p value with as many digits as it deserves, never 0."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"
