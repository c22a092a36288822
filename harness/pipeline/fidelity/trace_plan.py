"""Which stages the trace of a cell takes: chosen from the chain behind its run, so that cells share what is the same.

No stage of the cell itself changes, nothing is trained, and no teacher is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.evaluation.metrics.evaluate_stage import Evaluate
from harness.labelling.labels.label_stage import Labels
from harness.method import MethodInputs
from harness.pipeline.budgets import largest_budgets, same_request
from harness.pipeline.fidelity.chosen_trace import ChosenTrace
from harness.pipeline.fidelity.distillation_chain import (
    DistillationChain,
    DrawnCandidates,
    RankerModel,
    chain_of,
    chain_to,
    drawn_candidates,
)
from harness.pipeline.fidelity.fidelity_stages import RankerFidelity, RetrieverFidelity
from harness.pipeline.fidelity.held_out_lists import HeldOutOrders, HeldOutScores
from harness.pipeline.fidelity.order_quality_stage import OrderQuality
from harness.pipeline.fidelity.trace_stage import RerankedQueries, TransferTrace
from harness.pipeline.graph import closure
from harness.pipeline.trial_selection import SelectTrial
from harness.stage import Stage
from harness.students.projection_scores import ProjectionRerank
from harness.students.ranker_scored_lists import RankerScoredLists
from harness.students.rerank_stages import Rerank
from harness.training_lists.list_stages import RankedLists

P = TypeVar("P")

ALL_LEARNT = "all labels of the sweep were learnt, and more would have to be asked of the teacher"
NO_TASKS = "the orders come from a stage that knows no further queries"
NO_DRAW = "the lists are no draw of training queries"


@dataclass(frozen=True)
class EvaluatedCandidates:
    """The evaluated split as a ranker re-ranks it: the candidates' run, by the metric that leads the board."""

    first: Stage
    metric: str


class TracePlan:
    """Makes traces. `labels` are all of a sweep: where its larger budgets are labelled, smaller ones have held-out
    lists.

    What several cells have in common is planned once, so that its keys are computed once.
    """

    def __init__(self, labels: Iterable[Labels]) -> None:
        self._largest = {_draw(stage): stage for stage in largest_budgets(labels)}
        self._planned: dict[Hashable, Any] = {}
        """Stages by what they are planned from."""

    def _once(self, mark: Hashable, make: Callable[[], P]) -> P:
        if mark not in self._planned:
            self._planned[mark] = make()
        found: P = self._planned[mark]
        return found

    def trace(self, run: Stage, inputs: MethodInputs, evaluated: EvaluatedCandidates | None) -> TransferTrace | None:
        """The trace of the cell that ends in `run`; None where there is nothing between a teacher and it that learnt.

        Without `evaluated` no ranker re-ranks: no metric of the sweep counts judged documents.
        """
        chain = chain_of(run)
        return None if chain is None else self._of_chain(chain, inputs, evaluated)

    def chosen_trace(
        self, choice: SelectTrial, run: Stage, inputs: MethodInputs, evaluated: EvaluatedCandidates | None
    ) -> ChosenTrace | None:
        """The same where `choice` made the retriever out of trials."""
        chains = [chain_to(run, trial.retriever) for trial in choice.trials]
        traces = tuple(None if chain is None else self._of_chain(chain, inputs, evaluated) for chain in chains)
        known = [trace for trace in traces if trace is not None]
        # Labels of larger budgets, too, are made where they are learnt: inside a trace nothing is asked.
        labels = (stage for stage in closure(known).values() if isinstance(stage, Labels))
        given = closure([run, *labels, *([] if evaluated is None else [evaluated.first])])
        return ChosenTrace(choice=choice, traces=traces, given=frozenset(given)) if known else None

    def _of_chain(
        self, chain: DistillationChain, inputs: MethodInputs, evaluated: EvaluatedCandidates | None
    ) -> TransferTrace:
        ranker = chain.ranker
        return TransferTrace(
            quality=self._quality(chain.labels),
            ranker=None if ranker is None else ranker.label,
            fidelity=self._ranker_fidelity(chain, inputs),
            evaluated=None if ranker is None or evaluated is None else self._reranked(ranker, inputs, evaluated),
            student=self._student(chain, inputs),
            target="teacher" if ranker is None else "ranker",
        )

    def _quality(self, labels: Labels | None) -> OrderQuality | None:
        if labels is None or labels.writes:
            return None
        return self._once(("quality", labels.key), lambda: _order_quality(labels))

    def _ranker_fidelity(self, chain: DistillationChain, inputs: MethodInputs) -> RankerFidelity | None:
        ranker, orders = chain.ranker, chain.orders
        if ranker is None or orders is None:
            return None
        mark = "ranker", ranker.mark, orders.key, inputs.collection
        return self._once(mark, lambda: _fidelity(ranker, orders, inputs, *self._held_out_orders(orders)))

    def _reranked(self, ranker: RankerModel, inputs: MethodInputs, evaluated: EvaluatedCandidates) -> RerankedQueries:
        mark = "reranked", ranker.mark, inputs.collection, inputs.split, inputs.list_depth, evaluated
        return self._once(mark, lambda: _reranked(ranker, inputs, evaluated))

    def _student(self, chain: DistillationChain, inputs: MethodInputs) -> RetrieverFidelity | None:
        if chain.search is None:
            return None
        lists = chain.scores or chain.orders
        assert lists is not None, "a chain has a ranker's scores or a teacher's orders"
        held_out, pool, reason = self._held_out(chain, inputs)
        return RetrieverFidelity(
            model=chain.search.model,
            corpus=chain.search.corpus,
            ids=chain.search.ids,
            lists=lists,
            held_out=held_out,
            pool=pool,
            target="order" if chain.scores is None else "scores",
            reason=reason,
        )

    def _held_out(self, chain: DistillationChain, inputs: MethodInputs) -> tuple[Stage | None, Stage | None, str]:
        """The student's held-out lists, the pool of its queries, and where there are none of the former the reason."""
        if chain.scores is not None and chain.ranker is not None:
            return self._held_out_scores(chain.scores, chain.ranker, inputs)
        assert chain.orders is not None, "a chain has a ranker's scores or a teacher's orders"
        held_out, reason = self._held_out_orders(chain.orders)
        return held_out, chain.orders.subset.pool, reason

    def _held_out_orders(self, orders: RankedLists) -> tuple[HeldOutOrders | None, str]:
        labels = orders.labels
        if not isinstance(labels, Labels) or labels.writes:
            return None, NO_TASKS
        known = labels if labels.teacher.is_free else self._largest.get(_draw(labels), labels)
        if not labels.teacher.is_free and known.subset.size <= orders.subset.size:
            return None, ALL_LEARNT
        mark = "held-out orders", orders.key, known.key
        return self._once(mark, lambda: HeldOutOrders(lists=orders, labels=known, task_inputs=labels.task_inputs)), ""

    def _held_out_scores(
        self, scores: RankerScoredLists, ranker: RankerModel, inputs: MethodInputs
    ) -> tuple[Stage | None, Stage | None, str]:
        drawn = drawn_candidates(scores)
        if drawn is None:
            return None, None, NO_DRAW
        mark = "held-out scores", ranker.mark, drawn.mark, inputs.collection
        return self._once(mark, lambda: _scored_candidates(ranker, drawn, inputs)), drawn.subset.pool, ""


def _draw(labels: Labels) -> tuple[str, int]:
    """The same for labels of which the larger hold the smaller."""
    return same_request(labels), labels.subset.resample


def _order_quality(labels: Labels) -> OrderQuality:
    return OrderQuality(labels=labels, candidates=labels.candidates, pool=labels.subset.pool, depth=labels.depth)


def _fidelity(
    ranker: RankerModel, orders: RankedLists, inputs: MethodInputs, held_out: HeldOutOrders | None, reason: str
) -> RankerFidelity:
    return RankerFidelity(
        ranker=ranker.model,
        architecture=ranker.architecture,
        max_length=ranker.max_length,
        corpus=inputs.collection.corpus,
        lists=orders,
        held_out=held_out,
        pool=orders.subset.pool,
        reason=reason,
        embeddings=ranker.embeddings,
    )


def _reranked(ranker: RankerModel, inputs: MethodInputs, evaluated: EvaluatedCandidates) -> RerankedQueries:
    judgments, metrics = inputs.collection.judgments(inputs.split), (evaluated.metric,)
    ordering: dict[str, Any] = {
        "ranker": ranker.model,
        "architecture": ranker.architecture,
        "first": evaluated.first,
        "queries": inputs.collection.queries(inputs.split),
        "corpus": inputs.collection.corpus,
        "presented": inputs.list_depth,
        "max_length": ranker.max_length,
    }
    embeddings = ranker.embeddings
    reranked = Rerank(**ordering) if embeddings is None else ProjectionRerank(**ordering, embeddings=embeddings)
    return RerankedQueries(
        reranked=Evaluate(source=reranked, judgments=judgments, metrics=metrics),
        candidates=Evaluate(source=evaluated.first, judgments=judgments, metrics=metrics),
        depth=inputs.list_depth,
    )


def _scored_candidates(ranker: RankerModel, drawn: DrawnCandidates, inputs: MethodInputs) -> HeldOutScores:
    return HeldOutScores(
        ranker=ranker.model,
        architecture=ranker.architecture,
        subset=drawn.subset,
        candidates=drawn.candidates,
        corpus=inputs.collection.corpus,
        depth=drawn.depth,
        max_length=ranker.max_length,
        embeddings=ranker.embeddings,
    )
