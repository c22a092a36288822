"""A row's trace as steps, from the judgments over teacher and ranker to the retriever: means over its runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from harness.evaluation.list_agreement import METRIC
from harness.published.result_folder import Published
from harness.published.run_trace import FidelityTrace, ModelAgreement, OrderAgreement, RunTrace
from harness.text import plain

TRAINING, OWN, HELD_OUT, EVALUATED = "training queries", "own lists", "held-out lists", "evaluated queries"
"""What a step is measured on."""
JUDGMENTS = "judgments"
CANDIDATES, TEACHER, RANKER, STUDENT = "candidates", "teacher", "ranker", "student"
RETRIEVER, RUN = "retriever", "run"
"""What a trace ends with: the student as it searches, or where there is none the run."""


class TraceStep(NamedTuple):
    """How far the order of `model` agrees with `target`, by `metric`; a `value` of None has its `reason`.

    Where the target is no judgment, the metric takes its order as gains; `chance` is what orders by lot have then, and
    their tau is 0. `lists` are lists or queries a run.
    """

    model: str
    on: str
    target: str
    metric: str
    value: float | None
    tau: float | None = None
    chance: float | None = None
    lists: int | None = None
    reason: str = ""
    sources: tuple[str, ...] = ()
    """Where held-out queries come from, when the mixture of those that were learnt is another: they may be easier, or
    harder."""


class TracedRun(NamedTuple):
    """A published run with its trace."""

    run: Published
    trace: RunTrace


def trace_steps(runs: Sequence[TracedRun]) -> tuple[TraceStep, ...]:
    """The steps of a row: means over those of its runs, one at least, that have them."""
    found: dict[tuple[str, str, str], list[TraceStep]] = {}
    for one in runs:
        for step in _steps(one):
            found.setdefault((step.model, step.on, step.metric), []).append(step)
    order = [(step.model, step.on, step.metric) for one in runs for step in _steps(one)]
    return tuple(_mean(found[key]) for key in dict.fromkeys(order))


def trace_line(steps: Iterable[TraceStep]) -> str:
    """The steps in one line, from the judgments to the retriever."""
    known = list(steps)
    by_model: dict[str, list[TraceStep]] = {}
    for step in known:
        by_model.setdefault(step.model, []).append(step)
    orders = ", ".join(f"{step.model} {_number(step)}" for step in known if step.on == TRAINING)
    models = {model: _inside(by_model.get(model, ())) for model in (RANKER, STUDENT)}
    ends = [*by_model.get(RETRIEVER, ()), *by_model.get(RUN, ())]
    parts = [
        *([f"{JUDGMENTS}: {orders}"] if orders else []),
        *(f"{model} ({inside})" for model, inside in models.items() if inside),
        *(f"{step.model} {step.metric} {_number(step)}" for step in ends),
    ]
    return " > ".join(parts)


_ALIKE = 0.25
"""Distance of two mixtures of sources up to which lists of theirs are held against one another."""
_SHORT = {OWN: "own", HELD_OUT: "held-out"}


def _inside(steps: Sequence[TraceStep]) -> str:
    fidelity = " / ".join(
        f"{_SHORT[step.on]}{_of(step)} {_number(step)}{'' if step.tau is None else f' τ {step.tau:.2f}'}"
        for step in steps
        if step.on in _SHORT
    )
    reranked = [f"re-ranks {step.metric} {_number(step)}" for step in steps if step.on == EVALUATED]
    return "; ".join(part for part in (fidelity, *reranked) if part)


def _of(step: TraceStep) -> str:
    return f" of {' and '.join(step.sources)}" if step.sources else ""


def _number(step: TraceStep) -> str:
    return "–" if step.value is None else f"{step.value:.3f}"


def _steps(one: TracedRun) -> list[TraceStep]:
    trace, card = one.trace, one.run.card
    reranked = trace.ranker.reranked if trace.ranker else None
    leading = reranked.metric if reranked else next(iter(card.research_goal.evaluation.reported_measures), METRIC)
    steps: list[TraceStep] = []
    if (teacher := trace.teacher) is not None:
        orders: tuple[tuple[str, OrderAgreement], ...] = ((CANDIDATES, teacher.candidates), (TEACHER, teacher))
        steps += [
            TraceStep(model, TRAINING, JUDGMENTS, METRIC, order.ndcg, order.tau, lists=teacher.lists)
            for model, order in orders
        ]
    if trace.ranker is not None and trace.ranker.teacher is not None:
        steps += _fidelity(RANKER, TEACHER, trace.ranker.teacher)
    if reranked is not None:
        values = ((CANDIDATES, reranked.candidates), (RANKER, reranked.mean))
        steps += [
            TraceStep(model, EVALUATED, JUDGMENTS, reranked.metric, mean, lists=len(reranked.queries))
            for model, mean in values
        ]
    if trace.student is not None:
        steps += _fidelity(STUDENT, trace.student.target, trace.student)
    if card.outcome is not None and leading in card.outcome.metrics:
        model = RETRIEVER if trace.student is not None else RUN
        value = card.outcome.metrics[leading]
        steps.append(TraceStep(model, EVALUATED, JUDGMENTS, leading, value, lists=card.outcome.queries))
    return steps


def _fidelity(model: str, target: str, found: FidelityTrace) -> list[TraceStep]:
    own = _agreement(model, OWN, target, found.own, "")
    held_out = _agreement(model, HELD_OUT, target, found.held_out, found.reason)
    if found.own is None or found.held_out is None or _distance(found.own, found.held_out) <= _ALIKE:
        return [own, held_out]
    return [own, held_out._replace(sources=tuple(plain(source) for source in found.held_out.sources))]


def _distance(one: ModelAgreement, other: ModelAgreement) -> float:
    """Total variation distance of the mixtures of sources, 0 to 1."""
    totals = [max(sum(found.sources.values()), 1) for found in (one, other)]
    shares = [
        [found.sources.get(source, 0) / total for found, total in zip((one, other), totals, strict=True)]
        for source in {*one.sources, *other.sources}
    ]
    return sum(abs(first - second) for first, second in shares) / 2


def _agreement(model: str, on: str, target: str, found: ModelAgreement | None, reason: str) -> TraceStep:
    if found is None:
        return TraceStep(model, on, target, METRIC, None, reason=plain(reason) or "no list tells its documents apart")
    return TraceStep(model, on, target, METRIC, found.ndcg, found.tau, found.chance, found.lists)


def _mean(steps: Sequence[TraceStep]) -> TraceStep:
    """One step of several runs; the reason is the first one, where none of them has a value."""

    def over(field: Callable[[TraceStep], float | None]) -> float | None:
        known = [value for step in steps if (value := field(step)) is not None]
        return math.fsum(known) / len(known) if known else None

    lists = over(lambda step: step.lists)
    value = over(lambda step: step.value)
    return steps[0]._replace(
        value=value,
        tau=over(lambda step: step.tau),
        chance=over(lambda step: step.chance),
        lists=None if lists is None else round(lists),
        reason="" if value is not None else next((step.reason for step in steps if step.reason), ""),
        sources=tuple(dict.fromkeys(source for step in steps for source in step.sources)),
    )
