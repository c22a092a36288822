"""The columns of a board, each said once: what it is called, what it means, its value and its text.

Terminal, Markdown, LaTeX, CSV, JSON, dashboard, exported site and report iterate over them. A column that is added here
stands in all of these; `harness.leaderboard.column_layouts` says which stand only in some, and in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from operator import attrgetter
from typing import Any, Literal

from harness.evaluation.significance.comparison_tables import p_text
from harness.labelling.labels.ranking import VERDICTS
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Row, Table
from harness.leaderboard.column import Column, Kind

VERDICT_HELP = {
    "ok": "Answers that named every candidate once.",
    "partial": "Answers that ranked some candidates; the others count as unordered below them.",
    "repaired": "Answers that could be read after mending.",
    "failed": "Answers that could not be used.",
}


def columns(table: Table) -> tuple[Column, ...]:
    """All columns of `table`: those of every table, those of its metrics, those of its tests."""
    metrics = (column for name in table.metrics for column in _metric(name, table))
    return (*FIXED, *metrics, *_tests(table))


def _written(value: Any) -> str:
    if value is None:
        return ""
    return "; ".join(value) if isinstance(value, tuple) else str(value)


def _attribute(name: str, heading: str = "", help: str = "", **more: Any) -> Column:
    """An attribute of a row as it stands."""
    value = attrgetter(name)
    options = {"value": value, "text": lambda row: _written(value(row)), **more}
    return Column(name, heading or name.replace("_", " "), help, **options)


def _text(name: str, heading: str, help: str, text: Callable[[Row], str], **more: Any) -> Column:
    """A text that has no number behind it."""
    return Column(name, heading, help, text, text, **more)


def _record(name: str, value: Callable[[Row], Any]) -> Column:
    """Several numbers under one key, for programs."""
    return Column(name, name.replace("_", " "), "", value, lambda row: "")


def _cost(name: str, heading: str, help: str, kind: Kind = "number", **more: Any) -> Column:
    def value(row: Row) -> float | None:
        return row.cost.get(name)

    options = {"text": lambda row: _number(value(row), ",.0f"), **more}
    return Column(name, heading, help, value, kind=kind, group="costs", **options)


def _verdict(verdict: str) -> Column:
    def value(row: Row) -> float | None:
        return row.labels.get(verdict)

    return Column(
        f"labels_{verdict}",
        f"labels {verdict}",
        VERDICT_HELP[verdict],
        value,
        lambda row: _number(value(row), ".0%"),
        "share",
        # How many labels are ok is always there, what was wrong with the others on demand.
        group="core" if verdict == "ok" else "labels",
        optional=verdict == "ok",
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


_PLACE = (
    "Place by the leading metric, with the places that other queries and runs would give it (95 %); a dash for "
    "teachers that see the answers."
)
_TOKENS = "Tokens that the teacher read and wrote."
_SEES = "What a method is given beside the collection: it competes with methods that see the same."
_SECONDS = "Seconds of all stages behind the row, shared ones included; labelling as if nothing had been paid before."
_MARK = (
    "verified: somebody computed its numbers again from run and judgments. as published: its files are those that its "
    "cards describe. not as its card says: files beside its runs, on which no number rests, were changed."
)
_UNCERTAIN = (
    "What the variance of the mean comes from. Mostly queries: more queries would help, more runs would not. "
    "Mostly resamples: draw more of them."
)
FIXED: tuple[Column, ...] = (
    _attribute("collection", help="Documents, queries and judgments that the row was evaluated on."),
    _attribute("split", help="The queries of the collection that it was evaluated on."),
    _attribute("content_hash", help="sha256 of documents, queries and judgments."),
    _attribute("rank", "#", _PLACE, text=row_texts.place, kind="place", rank=0),
    _attribute(
        "method",
        help="A way to get a retriever: the method at the centre, a baseline, a reference or a control.",
        rank=0,
    ),
    _attribute("variant", "settings", "Settings in which rows of one method differ.", group="settings", optional=True),
    _attribute("teacher", help="Who labelled the training queries.", group="settings"),
    _attribute("teacher_type", help="real, placebo, simulated or oracle."),
    _text("losses", "losses", "The ranker's and the retriever's loss.", row_texts.losses, group="settings"),
    _attribute("ranker_loss", help="What the ranker is trained by."),
    _attribute("retriever_loss", help="What the retriever is trained by."),
    _attribute(
        "category",
        "group",
        "ours, baseline, reference, control or external (made elsewhere): what the method is there for.",
    ),
    _attribute("sees", help=_SEES, text=row_texts.sees, rank=5),
    _attribute("student", help="The model that is trained to retrieve."),
    _attribute("budget", "labels", "Labelled training queries.", text=row_texts.labels, kind="number", rank=0),
    _attribute("runs", help="Resamples times seeds behind the row.", kind="number", rank=0),
    _attribute(
        "resamples",
        help="Draws of training queries that the runs stand for; 0 where it makes no difference.",
        kind="number",
    ),
    _attribute(
        "shared_queries",
        help="Part of its training queries that two resamples have in common; empty where that is not known.",
        kind="share",
    ),
    _attribute(
        "seen_in_training",
        help="Share of test queries with a relevant document that is relevant to a query people wrote for training, of "
        "rows that such queries taught; empty where that is not known.",
        kind="share",
    ),
    _attribute(
        "trials",
        help="Trials that every run chose its settings from, on another split; 0 where nothing was tuned.",
        kind="number",
    ),
    _attribute("numerics", help="Device and precision of the models behind the runs, as far as cards tell."),
    _attribute("missing_queries", help="Most queries that one of the runs misses.", kind="number"),
    _text("uncertain_by", "uncertain by", _UNCERTAIN, row_texts.uncertain_by, group="intervals", rank=6, optional=True),
    _cost("usd", "USD", "Every label at its price, whoever paid for it.", "money", text=row_texts.usd, rank=2),
    _cost("usd_here", "USD here", "What this sweep paid.", "money"),
    _cost("calls", "calls", "Calls of the teacher."),
    _cost("input_tokens", "input tokens", "Tokens that the teacher read."),
    _cost("output_tokens", "output tokens", "Tokens that the teacher wrote."),
    Column(
        "tokens",
        "tokens",
        _TOKENS,
        row_texts.tokens,
        lambda row: f"{row_texts.tokens(row):,.0f}",
        kind="number",
        group="costs",
    ),
    _cost("train_seconds", "train", "Seconds of training.", "seconds", text=row_texts.training, rank=3),
    _cost("seconds", "all", _SECONDS, "seconds"),
    _cost("seconds_here", "all here", "Seconds of all stages behind the row as each took when it ran.", "seconds"),
    _cost("labels_used", "labels used", "Labels that the runs were trained on, from wherever they came."),
    _cost("labels_teacher", "labels of the teacher", "Those that a teacher gave."),
    _cost("labels_written", "labels written", "Those on queries that a model wrote."),
    _cost("labels_gold", "gold labels", "Those that people gave."),
    *(_verdict(verdict) for verdict in VERDICTS),
    _attribute("flags", help="What to know before believing the row."),
    _attribute("mark", help=_MARK, text=row_texts.evidence),
    _attribute("verified", "verified by", "Who computed all runs of the row again from run and judgments, and when."),
    _attribute("run_ids", help="Ids of the runs."),
    _record("rank_interval", lambda row: row.rank_interval),
    _record("metrics", lambda row: {name: estimate.as_json() for name, estimate in row.metrics.items()}),
    _record("variance", lambda row: row.variance.as_json() if row.variance else None),
    _record("declared", lambda row: {"metric": row.metric_declared, "baseline": list(row.baseline_declared)}),
    _record("against", lambda row: row.against.as_json() if row.against else None),
    _record("against_each", lambda row: [one.as_json() for one in row.against_each]),
    _record("against_all", lambda row: asdict(row.against_all) if row.against_all else None),
    _record("against_zero_shot", lambda row: row.against_zero_shot.as_json() if row.against_zero_shot else None),
    _record("cost", lambda row: row.cost),
    _record("labels", lambda row: row.labels),
)
"""The columns that every table has."""


def _metric(name: str, table: Table) -> tuple[Column, ...]:
    """Its mean and the ends of its interval; for the leading metric also the interval as one text."""
    leads, place = name == table.metric, table.metrics.index(name)

    def mean(row: Row) -> float | None:
        return row.metrics[name].mean if name in row.metrics else None

    def interval(row: Row) -> str:
        return row_texts.interval(row, name)

    return (
        Column(
            name,
            name,
            "Mean over all judged queries.",
            mean,
            lambda row: row_texts.mean(row, name),
            kind="number",
            group="core" if leads else "metrics",
            rank=0 if leads else 1 if place <= 2 else 4,
            slot="lead" if leads else "others",
        ),
        _bound(name, "low"),
        _bound(name, "high"),
        *(
            [_text("interval", "95 %", _INTERVAL, interval, kind="interval", group="intervals", rank=0)]
            if leads
            else []
        ),
    )


_INTERVAL = (
    "Bootstrap interval of the mean over queries, resamples and seeds: other queries and draws of the same kind would "
    "give a "
    "mean in it 95 times of 100. Overlap of two intervals is no test."
)


def _bound(metric: str, end: Literal["low", "high"]) -> Column:
    def value(row: Row) -> float | None:
        interval = row.metrics[metric].interval if metric in row.metrics else None
        return None if interval is None else float(getattr(interval, end))

    name = f"{metric} {end}"
    help = "An end of its 95 % interval."
    return Column(name, name, help, value, lambda row: _number(value(row), ".3f"), "number", "metrics", slot="bounds")


def _tests(table: Table) -> tuple[Column, ...]:
    """Each row against its baseline."""
    baseline, several = table.baseline or "no baseline", len(row_texts.baselines(table)) > 1
    against = (
        f"Mean difference from {baseline} with p adjusted over the whole table; ▲ better, ▼ worse at 0.05. "
        "No mark means not shown, not that the two are equal."
    )

    def tested_against(row: Row) -> str:
        if row.against_all is not None:
            return row_texts.against(row)
        # Where it is the same one for all rows of the table, the caption says it.
        return row.against.baseline if several and row.against else ""

    first = next((row.against.baseline for row in table.rows if row.against_all and row.against), baseline)
    about = f"Mean difference from {first} on {table.metric}."
    return (
        _test(
            "difference",
            "against baseline",
            against,
            row_texts.against,
            name="against_baseline",
            kind="interval",
            optional=False,
        ),
        _test(
            "baseline", "tested against", "The row of the baseline that is most like it.", tested_against, kind="text"
        ),
        _test("difference", f"Δ {first}", about, lambda row: f"{row.against.difference:+.3f}" if row.against else ""),
        _test("p", "p", "Of the difference, not adjusted.", lambda row: p_text(row.against.p) if row.against else ""),
        _test("p_adjusted", "p adj.", _ADJUSTED, lambda row: p_text(row.against.p_adjusted) if row.against else ""),
        _test(
            "verdict",
            "verdict",
            "Better or worse at 0.05.",
            lambda row: row.against.verdict if row.against else "",
            kind="text",
        ),
        _test("scope", "scope", _SCOPE, lambda row: row.against.scope if row.against else "", kind="text"),
        _test(
            "p_runs_adjusted",
            "p of these runs",
            "By sign flips over queries, with these runs; adjusted by Holm over all rows.",
            lambda row: p_text(row.against.p_runs_adjusted) if row.against else "",
        ),
    )


_SCOPE = "What p and verdict are about: methods, or runs where there is one run of a method that chance has a part in."
_ADJUSTED = "p against the baseline, adjusted by Holm over all rows."


def _test(field: str, heading: str, help: str, text: Callable[[Row], str], *, name: str = "", **more: Any) -> Column:
    """A field of the comparison with the baseline, None for rows that are compared with none."""

    def value(row: Row) -> Any:
        return getattr(row.against, field) if row.against else None

    return Column(
        name or field, heading, help, value, text, **{"kind": "number", "group": "tests", "optional": True, **more}
    )
