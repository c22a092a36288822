"""Teachers and methods for exported pages: how good they are, what they cost and taught, what each method is."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.export.grid import Grid, Link, cell, column, grid
from dashboard.export.overview import Pages
from harness.labelling.labels.ranking import VERDICTS
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Table
from harness.leaderboard.inspect.label_quality import MEASURES, agreements, teacher_labels
from harness.leaderboard.inspect.method_facts import method_facts
from harness.leaderboard.inspect.teacher_quality import judged_orders, taught
from harness.leaderboard.inspect.teacher_summary import teacher_summaries
from harness.leaderboard.load_results import ResultSet
from harness.published.result_folder import Published


def teacher_grid(runs: Sequence[Published]) -> Grid | None:
    """Every teacher with its quality by judgments, verdicts and prices; None without any."""
    judged, found = judged_orders(runs), teacher_summaries(runs)
    if not found:
        return None
    numbers = [
        "nDCG@10 by judgments",
        "first stage's",
        *VERDICTS,
        "USD per 1,000 queries",
        "tokens per query",
        "labels",
    ]
    rows = []
    for one in found:
        quality = judged.get(one.name)
        orders = [quality and quality.ndcg, quality and quality.first_stage]
        costs = [cell(one.usd_per_thousand, ",.2f"), cell(one.tokens_per_query, ",.0f"), cell(one.labels, ",d")]
        shares = [cell(one.verdicts[verdict], ".0%") for verdict in VERDICTS]
        about = [cell(text) for text in (one.name, one.teacher_type)]
        rows.append(
            [*about, *(cell(value, ".3f") for value in orders), *shares, *costs, cell(one.model), cell(one.box)]
        )
    headings = [column("name", "text", "name"), column("standing"), *(column(name, "number") for name in numbers)]
    return grid([*headings, column("model", "text", "name"), column("box")], rows)


def taught_grid(table: Table, runs: Sequence[Published]) -> Grid | None:
    """What came of each teacher's labels; None where nothing did."""
    found = taught(table, row_texts.titles(table), runs)
    if not found:
        return None
    headings = [column("teacher", "text", "name"), column("row", "text", "wide"), column("labels", "number")]
    headings += [
        column(table.metric, "number"),
        column("against baseline", "text", "tight"),
        column("flags", "text", "name"),
    ]
    rows = [
        [
            cell(teacher),
            cell(name),
            cell(row.budget, ",d"),
            cell(row.metrics[table.metric].mean, ".3f"),
            cell(row_texts.against(row), "", row.against.verdict if row.against else ""),
            cell("; ".join(row.flags)),
        ]
        for teacher, name, row in found
    ]
    return grid(headings, rows)


def agreement_grid(runs: Sequence[Published]) -> Grid | None:
    """How every two teachers agree, from their published labels; None without any."""
    found, _ = teacher_labels(runs)
    pairs = [one for one in agreements(found) if one.a != one.b]
    if not pairs:
        return None
    headings = [column("a", "text", "name"), column("b", "text", "name"), column("queries", "number")]
    rows = [
        [cell(one.a), cell(one.b), cell(one.queries, ",d"), *(cell(one.values[name], ".3f") for name in MEASURES)]
        for one in pairs
    ]
    return grid([*headings, *(column(name, "number") for name in MEASURES)], rows)


def methods_grid(result_set: ResultSet, table: Table, pages: Pages) -> Grid:
    """What each method of `table` is, with a link to a run of its best row."""
    rows = []
    for one in method_facts(result_set, table):
        best = one.rows[0].run_ids[0]
        texts = (one.summary or "no package on this machine has it", one.sees, one.source)
        linked = cell(one.method)._replace(text="", links=(Link(pages[best], one.method, best),))
        rows.append([linked, cell(one.category), *map(cell, texts), cell(len(one.rows))])
    headings = [column("method", "text", "name"), column("group"), column("what it is", "text", "wide")]
    return grid(
        [*headings, column("is given", "text", "name"), column("source", "text", "name"), column("rows", "number")],
        rows,
    )
