"""Budget curves of a table as picture and as sentences: what `harness curves` says, ready to be set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from harness.evaluation.curves.budget_curve import CurveValue
from harness.leaderboard.board_model import Table
from harness.leaderboard.curves.against_series import ahead_words
from harness.leaderboard.curves.curve_answer import CurveAnswer, CurveQuestion, answer
from harness.leaderboard.curves.svg import svg
from harness.leaderboard.load_results import ResultSet


class CurveLine(NamedTuple):
    """A series: the area under its curve, and how it stands to the series that all are held against."""

    series: str
    area: str
    area_interval: str
    difference: str
    difference_interval: str
    ahead: str
    """From which amount on it stays at or above the other; empty for that one itself."""


@dataclass(frozen=True)
class CurveTexts:
    """`svg` is a document of its own; `lines` hold the series with more than one amount, none of them with a single
    query."""

    svg: str
    axis: str
    reference: str | None
    lines: tuple[CurveLine, ...]
    sentences: tuple[str, ...]
    note: str
    doubts: tuple[str, ...]


def curve_texts(result_set: ResultSet, table: Table) -> CurveTexts | None:
    """The curves of `table` against the number of labels; None where no row has any."""
    found = answer(result_set, table, CurveQuestion())
    if found.drawn is None:
        return None
    statistics = found.statistics
    return CurveTexts(
        svg=svg(found.drawn),
        axis=found.drawn.axis.title,
        reference=found.reference,
        lines=_lines(found),
        sentences=tuple(pair.words for pair in found.pairs),
        note=statistics.note if statistics else "",
        doubts=(*([found.choice] if found.choice else []), *(statistics.doubts if statistics else ())),
    )


def _lines(found: CurveAnswer) -> tuple[CurveLine, ...]:
    if found.statistics is None:
        return ()
    against = {pair.series: pair for pair in found.pairs}
    lines = []
    axis = found.statistics.chart.axis
    for fitted in (one for one in found.statistics.fitted if one.area):
        name = fitted.series.name
        pair = against.get(name)
        differs = _value(pair.area, "+") if pair else ("", "")
        lines.append(CurveLine(name, *_value(fitted.area), *differs, ahead_words(pair.ahead, axis) if pair else ""))
    return tuple(lines)


def _value(value: CurveValue | None, sign: str = "") -> tuple[str, str]:
    if value is None:
        return "", ""
    low, high = value.interval
    return f"{value.value:{sign}.3f}", f"[{low:{sign}.3f}, {high:{sign}.3f}]"
