"""The board in the terminal and as CSV, LaTeX or Markdown."""

from __future__ import annotations

import csv as csv_module
import io

from harness.leaderboard import row_texts
from harness.leaderboard.board_model import FORMER_KEYS, Board, Row, Table
from harness.leaderboard.render.board_terminal import terminal
from harness.leaderboard.render.escaping import escaped_latex, escaped_markdown, inert
from harness.leaderboard.row_sections import By, sections
from harness.text import counted

__all__ = ["csv", "latex", "markdown", "terminal"]
_WORDS = frozenset({"#", "method", "sees", "against", "flags"})
"""Columns of text, which stand on the left."""
_COSTS = (
    "usd",
    "usd_here",
    "calls",
    "input_tokens",
    "output_tokens",
    "train_seconds",
    "seconds",
    "seconds_here",
    "labels_used",
    "labels_teacher",
    "labels_written",
    "labels_gold",
)


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
        "sees",
        "teacher",
        "ranker_loss",
        "retriever_loss",
        "student",
        "budget",
        "runs",
    )
    tests = ("baseline", "difference", "p", "p_adjusted", "verdict")
    buffer = io.StringIO()
    writer = csv_module.writer(buffer, lineterminator="\n")
    writer.writerow([*texts, *(f"{name}{part}" for name in metrics for part in ("", " low", " high")), *tests, *_COSTS, "flags"])
    for row in (row for table in board.tables for row in table.rows):
        found = [number for name in metrics for number in _numbers(row, name)]
        tested = [getattr(row.against, name) if row.against else None for name in tests]
        told = [row_texts.sees(row) if name == "sees" else getattr(row, FORMER_KEYS.get(name, name)) for name in texts]
        values = [*told, *found, *tested, *(row.cost.get(name) for name in _COSTS), "; ".join(row.flags)]
        writer.writerow([inert(value) for value in values])
    return buffer.getvalue()


def _numbers(row: Row, metric: str) -> tuple[float | None, float | None, float | None]:
    if metric not in row.metrics:
        return None, None, None
    estimate = row.metrics[metric]
    return estimate.mean, *(estimate.interval or (None, None))


def markdown(board: Board, by: By | None = None) -> str:
    """One table a collection and section, in GitHub's Markdown."""
    return "\n".join(_markdown(table, by) for table in board.tables)


def _markdown(table: Table, by: By | None) -> str:
    several = len(row_texts.baselines(table)) > 1
    parts = [_markdown_part(part, heading, several) for heading, part in sections(table, by)]
    return f"{''.join(parts)}{escaped_markdown(row_texts.caption(table))}\n"


def _markdown_part(table: Table, heading: str, several: bool) -> str:
    headings, rows = _compact(table, several, sees=not heading)
    rule = ["---" if heading in _WORDS else "---:" for heading in headings]
    lines = [headings, rule, *([escaped_markdown(cell) for cell in row] for row in rows)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{escaped_markdown(_title(table, heading))}**\n\n{body}\n\n"


def latex(board: Board, by: By | None = None) -> str:
    """One tabular a collection and section; needs the package booktabs."""
    return "\n".join(
        _latex(part, heading, row_texts.caption(table), several=len(row_texts.baselines(table)) > 1)
        for table in board.tables
        for heading, part in sections(table, by)
    )


def _latex(table: Table, heading: str, caption: str, several: bool) -> str:
    headings, rows = _compact(table, several, sees=not heading)
    columns = "".join("l" if heading in _WORDS - {"#"} else "r" for heading in headings)
    lines = [" & ".join(escaped_latex(cell) for cell in line) + r" \\" for line in (headings, *rows)]
    body = "\n".join([r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"])
    title = escaped_latex(f"{_title(table, heading)}. {caption}")
    return f"% {title}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"


def _title(table: Table, heading: str) -> str:
    about = f"{table.collection}, {table.split}, {counted(table.queries, 'query')}"
    return f"{about}, {heading}" if heading else about


def _compact(table: Table, several: bool, sees: bool) -> tuple[list[str], list[list[str]]]:
    """Headings and cells for a page: the leading metric with its interval, the others without.

    `several` where rows are tested against different ones: each then says which. `told` where rows say what they see.
    """
    others = [name for name in table.metrics if name != table.metric]
    against, seen = ["against"] if several else [], ["sees"] if sees else []
    headings = ["#", "method", *seen, "labels", "runs", table.metric, "95 %", *others, "USD", "train", *against, "flags"]
    rows = []
    for row in table.rows:
        method = ", ".join(part for part in (row.method, row.teacher, row_texts.losses(row), row.variant) if part)
        lead = [
            row_texts.labels(row),
            str(row.runs),
            row_texts.mean(row, table.metric) + row_texts.mark(row),
            row_texts.interval(row, table.metric),
        ]
        rest = [*(row_texts.mean(row, name) for name in others), row_texts.usd(row), row_texts.training(row)]
        tested = [row.against.baseline if row.against else "" for _ in against]
        rows.append([row_texts.place(row), method, *(row_texts.sees(row) for _ in seen), *lead, *rest, *tested, "; ".join(row.flags)])
    return headings, rows
