"""What the tests allow to say of a table, in sentences that claim no more."""

from __future__ import annotations

from collections import Counter
from statistics import median

from harness.evaluation.metrics.lookup import reach
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.report.all_pairs import PairMatrix
from harness.text import counted


def findings(table: Table, titles: dict[str, Row], pairs: PairMatrix | None) -> list[str]:
    """The leader and what it beats, the count against the baseline, what could have been seen at all, and what rests on
    one run."""
    leader = next((name for name, row in titles.items() if row.rank == 1), None)
    said = [
        _leader(table, titles, pairs, leader) if leader else "",
        _against(table),
        _detectable(pairs),
        _single(table),
        _flagged(table),
    ]
    return [sentence for sentence in said if sentence]


def _leader(table: Table, titles: dict[str, Row], pairs: PairMatrix | None, leader: str) -> str:
    row = titles[leader]
    opening = (
        f"{leader} has the highest {table.metric}: {row_texts.mean(row, table.metric)} "
        f"{row_texts.interval(row, table.metric)}"
    ).rstrip()
    if pairs is None or leader not in pairs.names:
        return f"{opening}."
    won, others = len(pairs.beats(leader)), len(pairs.names) - 1
    if won == others:
        return f"{opening}. It is better than every other row."
    equals = [
        name for name in pairs.names if name != leader and (found := pairs.cell(leader, name)) and found.mark == "·"
    ]
    seeing = [
        name
        for name in pairs.names
        if titles[name].rank is None and (found := pairs.cell(leader, name)) and found.mark == "▼"
    ]
    worse = f"; {counted(len(seeing), 'row')} that cannot compete are better" if seeing else ""
    said = (
        f"{opening}. It is shown to be better than {won} of the {others} other rows; from {len(equals)} no "
        f"difference is shown{worse}."
    )
    return said + (" So it leads, but it is not shown to be the best." if equals else "")


def _against(table: Table) -> str:
    found = [row for row in table.rows if row.against]
    if not found:
        return "There is no baseline here, so no row is tested against one."
    better, worse = (sum(one.verdict == verdict for one in found) for verdict in ("better", "worse"))
    each = ", each of them," if any(one.against_all for one in found) else ""
    return (
        f"Against {table.baseline}{each} on {table.metric}: {better} of {counted(len(found), 'row')} better, {worse} "
        f"worse, {len(found) - better - worse} not shown to differ."
    )


def _detectable(pairs: PairMatrix | None) -> str:
    if pairs is None:
        return ""
    rows = pairs.answer["comparisons"]
    alone = [effect for one in rows if (effect := one["detectable"])]
    family = [effect for one in rows if (effect := one["detectable_family"])]
    if not alone:
        return ""
    runs = ""
    if family:
        shown = f"about {median(family):.3f}" if median(family) < reach(pairs.answer["metric"]) else "none"
        runs = f", {shown} with their runs in this family"
    return (
        f"{_tested_on(pairs)} show a true difference between two rows of about {median(alone):.3f} with "
        f"{pairs.answer['power']:.0%} power (median over pairs, each alone){runs}; smaller ones are easily missed."
    )


def _tested_on(pairs: PairMatrix) -> str:
    queries = counted(pairs.answer["queries"], "query")
    return f"{queries} in {counted(pairs.answer['clusters'], 'cluster')}" if "clusters" in pairs.answer else queries


def _single(table: Table) -> str:
    single = sum(row.random and row.runs == 1 for row in table.rows)
    rest = f"{counted(single, 'row')} {_verb(single, 'rest')} on one resample and seed"
    return f"{rest}: another draw may give another order." if single else ""


def _flagged(table: Table) -> str:
    flagged = sum(bool(row.flags) for row in table.rows)
    kinds = Counter(flag.partition(":")[0] for row in table.rows for flag in row.flags)
    named = ", ".join(f"{flag} ({count})" for flag, count in kinds.most_common())
    return (
        f"{counted(flagged, 'row')} {_verb(flagged, 'carry')} a flag: {named}. Read it before you believe the row."
        if flagged
        else ""
    )


def _verb(number: int, verb: str) -> str:
    if number > 1:
        return verb
    return f"{verb[:-1]}ies" if verb.endswith("y") else f"{verb}s"
