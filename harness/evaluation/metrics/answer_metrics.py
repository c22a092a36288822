"""Metrics of short answers, per query: which of some metrics they are, and their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.evaluation.measures.answer_measures import AnswerCase, AnswerHit, AnswerMeasure
from harness.evaluation.metrics.lookup import Metric, Scores, metric

DEFAULT = ("TokenF1", "EM", "AnswerHit@5", "AnswerHit@20")


def needs_answers(name: str) -> bool:
    """Whether the metric is one of short answers. Raises UserError for an unknown one."""
    return issubclass(metric(name).kind, AnswerMeasure)


def needs_reader(name: str) -> bool:
    """Whether somebody must have answered for it. Raises UserError for an unknown one."""
    return any(measure.reads for measure in _measures([metric(name)]).values())


def deepest(names: Iterable[str]) -> int:
    """How many passages of a query the metrics look at."""
    found = _measures(map(metric, names)).values()
    return max((measure.cutoff for measure in found if isinstance(measure, AnswerHit)), default=0)


def answer_scores(cases: Mapping[str, AnswerCase], names: Sequence[str]) -> Scores:
    """Value of each metric of short answers among `names` for every query of `cases`, in their order."""
    found = _measures(map(metric, names))
    return {name: {query: measure.of(case) for query, case in cases.items()} for name, measure in found.items()}


def _measures(metrics: Iterable[Metric]) -> dict[str, AnswerMeasure]:
    made = ((str(one), one.kind(one.settings)) for one in metrics if issubclass(one.kind, AnswerMeasure))
    return {name: measure for name, measure in made if isinstance(measure, AnswerMeasure)}
