"""Everything that `harness curves` says of a table, made once, as one JSON document."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from harness.evaluation.curves.budget_curve import LEVEL, Amount, CurveValue
from harness.evaluation.curves.fits import Monotone
from harness.leaderboard import row_texts
from harness.leaderboard.board_model import Table
from harness.leaderboard.curves.against_series import (
    Pair,
    ahead_words,
    choice_note,
    series_named,
    series_pairs,
    usual_reference,
)
from harness.leaderboard.curves.fitted import ALL, Fitted, Statistics, statistics_of
from harness.leaderboard.curves.frontier import LABELLED, STANDINGS, Frontier, frontier
from harness.leaderboard.curves.series import MOST, Chart, chart, select
from harness.leaderboard.curves.targets import Needed, labels_needed, target_of
from harness.leaderboard.load_results import ResultSet
from harness.leaderboard.row_statistics import SAMPLES, SEED
from harness.leaderboard.row_texts import titles


@dataclass(frozen=True)
class CurveQuestion:
    """What is asked of the curves: over which axis (AXES), by which fit (FITS), with which band (BANDS; None for the
    chart's own)."""

    axis: str = "labels"
    fit: str = Monotone.name
    band: str | None = None
    target: str | None = None
    """A number or the name of a row without labels."""
    against: str | None = None
    """The name of a series, or how it begins; None for the best real one that is not ours."""
    price: str | None = None
    """One of PRICES: also the frontier of quality against it."""
    hour: float = 0.0
    """What an hour of the machine costs in USD."""
    among: str = LABELLED
    """One of AMONG: what the frontier is drawn among."""
    every: bool = False
    """All series instead of the best eight."""


@dataclass(frozen=True)
class CurveAnswer:
    """Of one table. Without curves there are no statistics; with a single query neither."""

    table: Table
    drawn: Chart | None
    statistics: Statistics | None
    goal: tuple[str, float] | None
    needed: tuple[Needed, ...]
    reference: str | None
    pairs: tuple[Pair, ...]
    frontier: Frontier | None
    choice: str = ""
    """What is to be known of a reference that was chosen by the results; empty where it was named."""

    @property
    def conclusion(self) -> str:
        """What the answer comes to for our series with a real teacher, or else the best: what it takes to reach the
        target where one was asked for, otherwise how it stands to the reference; empty where nothing was asked."""
        fitted = self.statistics.fitted if self.statistics else ()
        real = [one.series for one in fitted if one.series.teacher_type == "real"]
        series = [one.name for one in real if one.category == "ours"] + [one.series.name for one in fitted]
        if self.goal is not None:
            words = {one.series: one.words for one in self.needed}
            name = next(name for name in series if name in words)
            return f"{name} for {self.goal[0]} ({self.table.metric} {row_texts.number(self.goal[1])}): {words[name]}"
        words = {pair.series: pair.words for pair in self.pairs}
        return next((words[name] for name in series if name in words), "")


def answer(result_set: ResultSet, table: Table, question: CurveQuestion) -> CurveAnswer:
    """The answer to `question`. Raises UserError for a fit, a target or a series that does not exist."""
    whole = chart(table, question.axis, question.hour)
    drawn = whole if whole is None or question.every else select(whole, MOST)
    found = statistics_of(result_set, table, drawn, question.fit, question.band) if drawn else None
    priced = _priced(result_set, table, question) if question.price else None
    if found is None:
        return CurveAnswer(table, drawn, None, None, (), None, (), priced)
    name, target = target_of(found, question.target) if question.target else (None, None)
    goal = (name, target.mean) if name is not None and target is not None else None
    reference = series_named(found, question.against) if question.against else usual_reference(found)
    needed = tuple(labels_needed(found, target)) if target else ()
    chosen = "" if question.against or len(found.fitted) < 2 else choice_note(found, reference)
    pairs = tuple(series_pairs(found, reference))
    return CurveAnswer(table, drawn, found, goal, needed, reference, pairs, priced, chosen)


def _priced(result_set: ResultSet, table: Table, question: CurveQuestion) -> Frontier:
    rows = list(titles(table).items())
    return frontier(result_set, table, rows, question.price or "usd", hour=question.hour, among=question.among)


def as_json(one: CurveAnswer) -> dict[str, Any]:
    """The shape of ``harness curves --json`` for one table.

    An amount's ends are null where they lie beyond the largest measured amount, and the smallest one stands for that or
    less.
    """
    said: dict[str, Any] = {
        **one.table.as_json(),
        "target": {"name": one.goal[0], "mean": one.goal[1]} if one.goal else None,
        "against": one.reference,
        "against_chosen": one.choice,
        "conclusion": one.conclusion,
        "curves": [],
        "frontier": _frontier(one.frontier) if one.frontier else None,
    }
    if one.statistics is None:
        return said
    needed = {item.series: item for item in one.needed}
    compared = {item.series: item for item in one.pairs}
    said |= {
        "axis": one.statistics.chart.axis.unit,
        "level": LEVEL,
        "samples": SAMPLES,
        "seed": SEED,
        "band": one.statistics.over,
        "intervals": ALL,
        "levels": [{"name": level.name, "mean": level.mean} for level in one.statistics.chart.levels],
        "left_out": one.statistics.chart.left_out,
    }
    said["curves"] = [
        {
            **_curve(fitted),
            "needed": _needed(needed[fitted.series.name]) if fitted.series.name in needed else None,
            "against": _pair(compared[fitted.series.name], one.statistics) if fitted.series.name in compared else None,
        }
        for fitted in one.statistics.fitted
    ]
    return said


def _curve(one: Fitted) -> dict[str, Any]:
    columns = ("amounts", "mean", "low", "high")
    points = [
        {"budget": point.budget, "amount": point.x, "mean": point.mean, "runs": point.runs}
        for point in one.series.points
    ]
    return {
        "series": one.series.name,
        "method": one.series.method,
        "group": one.series.category,
        "standing": one.series.teacher_type,
        "points": points,
        "fit": one.curve.fit.name,
        "band": {name: getattr(one.band, name).tolist() for name in columns},
        "area": _value(one.area),
        "notes": list(one.notes),
    }


def _value(value: CurveValue | None) -> dict[str, Any] | None:
    return {"value": value.value, "interval": value.interval} if value else None


def _amount(amount: Amount) -> dict[str, Any]:
    value, low, high = (None if math.isinf(number) else number for number in (amount.value, *amount.interval))
    return {"value": value, "interval": [low, high], "measured": [amount.first, amount.last]}


def _needed(one: Needed) -> dict[str, Any]:
    return {**_amount(one.amount), "words": one.words}


def _pair(one: Pair, statistics: Statistics) -> dict[str, Any]:
    ahead = {**_amount(one.ahead), "words": ahead_words(one.ahead, statistics.chart.axis)} if one.ahead else None
    return {"equal": {**_amount(one.equal), "words": one.words}, "ahead": ahead, "area_difference": _value(one.area)}


def _frontier(one: Frontier) -> dict[str, Any]:
    rows = [{**row._asdict(), "standing": row.status} for row in one.rows]
    left_out = [{"name": name, "mean": mean} for name, mean in one.left_out]
    about = {"price": one.price, "title": one.title, "family": one.family, "standings": STANDINGS}
    return {**about, "rows": rows, "without_labels": left_out}
