"""The report on labels as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

Report = dict[str, Any]
_POSITIONS = (1, 2, 3, 5, 10, 15, 20, 30, 50, 100)


def render_label_report(report: Report) -> Group:
    """Four small tables a collection, each with a line on how to read it, and what is not labelled yet."""
    if not report["collections"]:
        return Group("No method of this sweep asks a teacher, so there are no labels.")
    return Group(*(part for collection in report["collections"] for part in _collection(collection, report["rbo_p"])))


def _collection(collection: Report, p: float) -> Iterator[RenderableType]:
    name, teachers = collection["collection"], collection["teachers"]
    if teachers:
        yield _answers(name, teachers)
        yield from _asked(teachers)
        yield _quality(teachers)
        yield (
            "  nDCG@10 of the teacher's order and of the first stage's on the same queries: those with a relevant "
            "candidate\n"
        )
        yield from _matches(teachers)
        yield _agreement(collection["agreement"])
        yield (
            f"  over documents that both place. 1: the same order; tau 0: unrelated. RBO (p = {p:g}) is high by "
            "chance on short lists\n"
        )
        yield _positions(teachers)
        yield (
            "  no bias: equal ranks, where the order shown was random; in the first stage's order good documents "
            "stand early anyway\n"
        )
    for row in collection["waiting"]:
        done = f"only {row['finished']:,} are" if row["finished"] else "none is"
        yield escape(
            f"{name}: {row['teacher']}, resample {row['resample']}: {done} labelled of {row['queries']:,} queries; "
            "run the sweep"
        )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for column in columns:
        table.add_column(column, justify="left" if column in ("teacher", "with", "why") else "right")
    return table


def _answers(name: str, teachers: Sequence[Report]) -> Table:
    verdicts = list(teachers[0]["verdicts"])
    table = _table(escape(f"{name}: what the answers were"), "teacher", "queries", *verdicts, "why")
    for row in teachers:
        shares = [_percent(row["verdicts"][verdict]) for verdict in verdicts]
        reasons = sorted(row["reasons"].items(), key=lambda item: -item[1])
        why = ", ".join(f"{reason} {_percent(share)}" for reason, share in reasons)
        table.add_row(_name(row), f"{row['queries']:,}", *shares, escape(why))
    return table


def _asked(teachers: Sequence[Report]) -> Iterator[str]:
    """A line for every teacher that was not asked quite as the data and the settings are."""
    for row in teachers:
        count = Counter[str](row["prompts"])
        parts = [
            f"{count[f'{what}_cut']:,} of {count[what]:,} {what} cut"
            for what in ("queries", "passages")
            if count[f"{what}_cut"]
        ]
        parts += [f"identifiers defused in {count['defused']:,}"] if count["defused"] else []
        parts += (
            [f"the server read {count['cut_by_server']:,} of {count['calls']:,} prompts only in part"]
            if count["cut_by_server"]
            else []
        )
        parts += [f"{name} {text}" for name, text in row["parameters"].items()]
        if parts:
            yield escape(f"  {row['teacher']}: {'; '.join(parts)}")


def _quality(teachers: Sequence[Report]) -> Table:
    columns = ("teacher", "nDCG@10", "first stage", "queries", "calls", "tokens in", "out", "USD/1,000", "seconds")
    table = _table("quality against gold; cost of a query", *columns)
    for row in teachers:
        found, cost = row["quality"], row["cost"]
        against = (
            (f"{found['nDCG@10']:.3f}", f"{found['first_stage']:.3f}", f"{found['queries']:,}")
            if found
            else ("–", "–", "0")
        )
        tokens = (f"{cost['input_tokens']:,.0f}", f"{cost['output_tokens']:,.0f}")
        table.add_row(
            _name(row),
            *against,
            f"{cost['calls']:.1f}",
            *tokens,
            f"{1000 * cost['usd']:.2f}",
            _seconds(cost["seconds"]),
        )
    return table


def _matches(teachers: Sequence[Report]) -> Iterator[str]:
    """A line for every simulation that is to be like a real teacher."""
    for row in teachers:
        if (found := row.get("match")) is not None:
            numbers = ", ".join(
                f"{name} {found['reached'][name]:.3f} ({off:+.3f})" for name, off in found["differences"].items()
            )
            yield escape(
                f"  {row['teacher']}: {'matched' if found['matched'] else 'NOT matched'} (over the pool): {numbers}\n"
            )


def _agreement(pairs: Sequence[Report]) -> Table:
    tops = list(pairs[0]["top"])
    table = _table("agreement", "teacher", "with", "queries", "tau", "RBO", *(f"top {k}" for k in tops))
    for row in pairs:
        numbers = [row["tau"], row["rbo"], *(row["top"][k] for k in tops)]
        other = "itself, other resample" if row["between"] == "resamples" else row["b"]
        table.add_row(escape(row["a"]), escape(other), f"{row['queries']:,}", *map(_two_digits, numbers))
    return table


def _positions(teachers: Sequence[Report]) -> Table:
    by_teacher = [{found["position"]: found["rank"] for found in row["position"]["positions"]} for row in teachers]
    shown = [position for position in _POSITIONS if any(position in ranks for ranks in by_teacher)]
    table = _table(
        "mean rank of the document shown at place", "teacher", "queries", "reordered", "tau", *map(str, shown)
    )
    for row, ranks in zip(teachers, by_teacher, strict=True):
        found = row["position"]
        cells = [f"{ranks[position]:.1f}" if position in ranks else "–" for position in shown]
        table.add_row(_name(row), f"{found['queries']:,}", f"{found['reordered']:,}", _two_digits(found["tau"]), *cells)
    return table


def _seconds(value: float) -> str:
    return "<0.01" if value < 0.01 else f"{value:.2f}"


def _name(row: Report) -> str:
    return escape(
        row["teacher"] if row["standing"] in ("real", row["teacher"]) else f"{row['teacher']} ({row['standing']})"
    )


def _percent(share: float) -> str:
    return "<1 %" if 0 < share < 0.005 else f"{share:.0%}".replace("%", " %")


def _two_digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
