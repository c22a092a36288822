"""A comparison as a CSV or LaTeX file."""

from __future__ import annotations

import csv as csv_module
import io

from harness.evaluation.significance.comparison_result import Bounds, ComparisonResult
from harness.evaluation.significance.comparison_tables import VERDICTS, p_text
from harness.leaderboard import row_texts
from harness.leaderboard.render.escaping import escaped_latex, inert

_NUMBERS = ("difference", "p", "p_adjusted", "effect_size", "superiority", "wins", "ties", "losses", "detectable", "queries_needed")


def csv(answer: ComparisonResult) -> str:
    """All comparisons with all their numbers."""
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow(["metric", "a", "b", *_NUMBERS, "low", "high", "verdict", "test", "correction"])
    for row in answer["comparisons"]:
        numbers = {name: value for name, value in row.items() if name in _NUMBERS}
        ends = row["interval"] or (None, None)
        line = [row["metric"], row["a"], row["b"], *(numbers[name] for name in _NUMBERS), *ends, row["verdict"]]
        writer.writerow([inert(value) for value in [*line, answer["test"], answer["correction"]]])
    return buffer.getvalue()


def latex(answer: ComparisonResult) -> str:
    """The comparisons as a tabular; needs the package booktabs."""
    headings = ["$a$", "$b$", "$b-a$", r"95\,\%", "$p$", "$p$ adj.", "$d_z$", "+/=/-", ""]
    lines = [" & ".join(headings) + r" \\", r"\midrule"]
    for row in answer["comparisons"]:
        effect = "" if row["effect_size"] is None else f"{row['effect_size']:+.2f}"
        numbers = [f"{row['difference']:+.3f}", interval(row["interval"]), p_text(row["p"]), p_text(row["p_adjusted"]), effect]
        cells_ = [row["a"], row["b"], *numbers, f"{row['wins']}/{row['ties']}/{row['losses']}", VERDICTS[row["verdict"]]]
        lines.append(" & ".join(map(escaped_latex, cells_)) + r" \\")
    about = f"{answer['metric']}, {answer['test']} test, {answer['correction']} over {answer['family']}"
    body = "\n".join([r"\toprule", *lines, r"\bottomrule"])
    return f"% {escaped_latex(about)}\n\\begin{{tabular}}{{ll{'r' * 6}l}}\n{body}\n\\end{{tabular}}\n"


def interval(bounds: Bounds) -> str:
    """An interval of a difference, empty where there is none."""
    return f"[{row_texts.number(bounds[0])}, {row_texts.number(bounds[1])}]" if bounds else ""
