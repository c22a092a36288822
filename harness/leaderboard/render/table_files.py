"""Any table of a page as a CSV or LaTeX file."""

from __future__ import annotations

import csv as csv_module
import io
from collections.abc import Mapping, Sequence
from typing import Any

from harness.leaderboard.render.escaping import escaped_latex, inert

Columns = Mapping[str, Sequence[Any]]
"""Columns by heading, all of one length."""


def csv(columns: Columns) -> str:
    """All digits of every number; text that a spreadsheet would run as a formula is quoted."""
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow([inert(heading) for heading in columns])
    writer.writerows([inert(value) for value in line] for line in zip(*columns.values(), strict=True))
    return buffer.getvalue()


def latex(columns: Columns, title: str) -> str:
    """A tabular that needs the package booktabs, numbers with four significant digits; `title` stands above it as a comment."""
    right = [all(isinstance(value, (int, float, type(None))) for value in values) for values in columns.values()]
    lines = [columns, *zip(*columns.values(), strict=True)]
    head, *body = [" & ".join(escaped_latex(_text(cell)) for cell in line) + r" \\" for line in lines]
    inside = "\n".join([r"\toprule", head, r"\midrule", *body, r"\bottomrule"])
    layout = "".join("r" if numbers else "l" for numbers in right)
    return f"% {escaped_latex(_text(title))}\n\\begin{{tabular}}{{{layout}}}\n{inside}\n\\end{{tabular}}\n"


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    # A line break would end the comment or the row early.
    return " ".join(text.split())
