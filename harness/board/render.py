"""The board in the terminal and as CSV, LaTeX or Markdown."""

from __future__ import annotations

import csv as csv_module
import io

from harness.board import cells
from harness.board.escaping import escaped_latex, escaped_markdown, inert
from harness.board.model import Board, Row, Table
from harness.board.terminal import terminal
from harness.evaluation.text import counted

__all__ = ["csv", "latex", "markdown", "terminal"]


def csv(board: Board) -> str:
    """All rows and numbers. Text that a spreadsheet would run as a formula is quoted."""
    metrics = list(dict.fromkeys(name for table in board.tables for name in table.metrics))
    texts = (
        "collection",
        "split",
        "rank",
        "method",
        "variant",
        "group",
        "teacher",
        "ranker_loss",
        "retriever_loss",
        "student",
        "budget",
        "runs",
    )
    tests = ("baseline", "difference", "p", "p_adjusted", "verdict")
    costs = ("usd", "usd_here", "calls", "input_tokens", "output_tokens", "train_seconds", "seconds")
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow([*texts, *(f"{name}{part}" for name in metrics for part in ("", " low", " high")), *tests, *costs, "flags"])
    for row in (row for table in board.tables for row in table.rows):
        found = [number for name in metrics for number in _numbers(row, name)]
        tested = [getattr(row.against, name) if row.against else None for name in tests]
        values = [*(getattr(row, name) for name in texts), *found, *tested, *(row.cost.get(name) for name in costs), "; ".join(row.flags)]
        writer.writerow([inert(value) for value in values])
    return buffer.getvalue()


def _numbers(row: Row, metric: str) -> tuple[float | None, float | None, float | None]:
    if metric not in row.metrics:
        return None, None, None
    estimate = row.metrics[metric]
    return estimate.mean, *(estimate.interval or (None, None))


def markdown(board: Board) -> str:
    """One table a collection, in GitHub's Markdown."""
    return "\n".join(_markdown(table) for table in board.tables)


def _markdown(table: Table) -> str:
    headings, rows = _compact(table)
    lines = [headings, ["---"] * 2 + ["---:"] * (len(headings) - 3) + ["---"], *([escaped_markdown(cell) for cell in row] for row in rows)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    title = f"{table.collection}, {table.split}, {counted(table.queries, 'query')}"
    return f"**{escaped_markdown(title)}**\n\n{body}\n\n{escaped_markdown(cells.caption(table))}\n"


def latex(board: Board) -> str:
    """One tabular a collection; needs the package booktabs."""
    return "\n".join(_latex(table) for table in board.tables)


def _latex(table: Table) -> str:
    headings, rows = _compact(table)
    columns = "rl" + "r" * (len(headings) - 3) + "l"
    lines = [" & ".join(escaped_latex(cell) for cell in line) + r" \\" for line in (headings, *rows)]
    title = f"{table.collection}, {table.split}, {counted(table.queries, 'query')}. {cells.caption(table)}"
    body = "\n".join([r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"])
    return f"% {escaped_latex(title)}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"


def _compact(table: Table) -> tuple[list[str], list[list[str]]]:
    """Headings and cells for a page: the leading metric with its interval, the others without."""
    others = [name for name in table.metrics if name != table.metric]
    headings = ["#", "method", "labels", "runs", table.metric, "95 %", *others, "USD", "train", "flags"]
    rows = []
    for row in table.rows:
        method = ", ".join(part for part in (row.method, row.teacher, cells.losses(row), row.variant) if part)
        lead = [cells.labels(row), str(row.runs), cells.mean(row, table.metric) + cells.mark(row), cells.interval(row, table.metric)]
        rest = [*(cells.mean(row, name) for name in others), cells.usd(row), cells.training(row), "; ".join(row.flags)]
        rows.append([cells.place(row), method, *lead, *rest])
    return headings, rows
