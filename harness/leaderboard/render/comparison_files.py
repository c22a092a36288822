"""A comparison as a CSV or LaTeX file."""

from __future__ import annotations

from typing import Any

from harness.evaluation.significance.comparison_result import Bounds, Comparison, ComparisonResult
from harness.evaluation.significance.comparison_tables import p_text, verdict_words
from harness.leaderboard import row_texts
from harness.leaderboard.render import table_files

_NUMBERS = (
    "difference",
    "p",
    "p_adjusted",
    "effect_size",
    "superiority",
    "wins",
    "ties",
    "losses",
    "detectable",
    "queries_needed",
)


def csv(answer: ComparisonResult) -> str:
    """All comparisons with all their numbers."""
    headings = ["metric", "a", "b", *_NUMBERS, "low", "high", "verdict", "test", "correction"]
    return table_files.csv(headings, (_values(row, answer) for row in answer["comparisons"]))


def _values(row: Comparison, answer: ComparisonResult) -> list[Any]:
    numbers = {name: value for name, value in row.items() if name in _NUMBERS}
    ends = row["interval"] or (None, None)
    about = (row["verdict"], answer["test"], answer["correction"])
    return [row["metric"], row["a"], row["b"], *(numbers[name] for name in _NUMBERS), *ends, *about]


def latex(answer: ComparisonResult) -> str:
    """The comparisons as a tabular; needs the package booktabs."""
    headings = ["$a$", "$b$", "$b-a$", r"95\,\%", "$p$", "$p$ adj.", "$d_z$", "+/=/-", ""]
    about = f"{answer['metric']}, {answer['test']} test, {answer['correction']} over {answer['family']}"
    return table_files.latex(headings, map(_texts, answer["comparisons"]), f"ll{'r' * 6}l", about)


def _texts(row: Comparison) -> list[str]:
    effect = "" if row["effect_size"] is None else f"{row['effect_size']:+.2f}"
    numbers = [
        f"{row['difference']:+.3f}",
        interval(row["interval"]),
        p_text(row["p"]),
        p_text(row["p_adjusted"]),
        effect,
    ]
    return [row["a"], row["b"], *numbers, f"{row['wins']}/{row['ties']}/{row['losses']}", verdict_words(row)]


def interval(bounds: Bounds) -> str:
    """An interval of a difference, empty where there is none."""
    return f"[{row_texts.number(bounds[0])}, {row_texts.number(bounds[1])}]" if bounds else ""
