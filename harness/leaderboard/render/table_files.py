"""Any table as a CSV or LaTeX file."""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.leaderboard.render.escaping import escaped_latex, inert


def csv(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """All digits of every number; text that a spreadsheet would run as a formula is quoted."""
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow([inert(heading) for heading in headings])
    writer.writerows([inert(value) for value in row] for row in rows)
    return buffer.getvalue()


def latex(headings: Iterable[str], rows: Iterable[Iterable[Any]], align: str, title: str) -> str:
    """A tabular that needs the package booktabs, with the `title` as a comment above it.

    `headings` are LaTeX already; cells are escaped here, numbers have four significant digits. `align` has a letter for
    each column.
    """
    head, *body = [" & ".join(line) + r" \\" for line in (headings, *(map(_cell, row) for row in rows))]
    inside = "\n".join([r"\toprule", head, r"\midrule", *body, r"\bottomrule"])
    return f"% {_cell(title)}\n\\begin{{tabular}}{{{align}}}\n{inside}\n\\end{{tabular}}\n"


def page_csv(columns: Mapping[str, Sequence[Any]]) -> str:
    """A table of a page, its columns by heading."""
    return csv(columns, zip(*columns.values(), strict=True))


def page_latex(columns: Mapping[str, Sequence[Any]], title: str) -> str:
    """A table of a page, numbers on the right."""
    right = (all(isinstance(value, (int, float, type(None))) for value in values) for values in columns.values())
    align = "".join("r" if numbers else "l" for numbers in right)
    return latex(map(_cell, columns), zip(*columns.values(), strict=True), align, title)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    # A line break would end the comment or the row early.
    return escaped_latex(" ".join(text.split()))
