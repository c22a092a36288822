"""A metric that gives no number is an error with its name and the query's, wherever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from harness import plugins as plugin_module
from harness.errors import UserError
from harness.evaluation.metrics import lookup
from harness.evaluation.significance.compare_runs import MethodGroup, compare, compare_methods
from harness.evaluation.significance.evaluate_run import evaluate
from harness.evaluation.significance.test_spec import TestSpec
from harness.retrieval.run import Run

QRELS = {query: {"d1": 1} for query in ("q1", "q2", "q3")}
WHOLE = Run("whole", {query: {"d1": 2.0, "d2": 1.0} for query in QRELS})
SHORT = Run("short", {query: {"d1": 2.0} for query in ("q1", "q3")})
"""Nothing for q2, of which the metric makes 0 / 0."""


@pytest.fixture(autouse=True)
def with_plugin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = plugin_module.entry_points
    extra = EntryPoint("extra", "tests.evaluation.metrics.faulty_measures", "harness.metrics")
    monkeypatch.setattr(
        plugin_module, "entry_points", lambda group: [*real(group=group), *([extra] if group == extra.group else [])]
    )
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for remembered in (plugin_module.plugins, lookup._known, lookup.metric):
        remembered.cache_clear()


def test_it_is_an_error_with_metric_and_query_and_never_a_worse_run() -> None:
    assert evaluate(WHOLE, QRELS, ["FoundRatio"])["metrics"] == {"FoundRatio": 0.5}
    said = "the metric FoundRatio gives nan for the query 'q2'"
    with pytest.raises(UserError, match=said):
        evaluate(SHORT, QRELS, ["nDCG@10", "FoundRatio"])
    with pytest.raises(UserError, match=said):
        compare([WHOLE, SHORT], QRELS, metrics=["FoundRatio"])
    groups = {"a": MethodGroup((WHOLE,), ((None, None),)), "b": MethodGroup((WHOLE, SHORT), ((0, 0), (1, 0)))}
    with pytest.raises(UserError, match=said):
        compare_methods(groups, QRELS, metrics=["FoundRatio"])


def test_a_metric_without_bounds_shows_no_equality_by_few_queries_that_are_alike() -> None:
    same = Run("same", WHOLE.scores)
    margin = compare([WHOLE, same], QRELS, metrics=["FoundRatio"], question=TestSpec(margin=0.2))["comparisons"][0]
    assert (margin["equivalence"]["p"], margin["verdicts"]) == (1.0, [])
    known = compare([WHOLE, same], QRELS, metrics=["P@2"], question=TestSpec(margin=0.2))["comparisons"][0]
    assert known["equivalence"]["p"] == pytest.approx(0.8**3)
