"""Is a teacher worth learning from? Its order against the candidates' order and the ranker's start, on training queries
with judgments: nDCG@10, paired t over queries, one-sided.

A teacher passes where it is better than both at 0.05. It is judged on the queries that people wrote, where there are
two or more; a query made from a document has that document as its trivial answer, so these are told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from harness.collections.crops import HUMAN, TrainingQuery
from harness.collections.pool import read_pool
from harness.evaluation.metrics.lookup import evaluate
from harness.evaluation.significance.comparison_tables import p_text
from harness.evaluation.significance.method_difference import difference_of, fixed_run
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.pipeline.builder import PlannedCell
from harness.pipeline.label_report import draws_by_resample, labels_by_teacher
from harness.pipeline.labels.label_inputs import ensure_stages
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.store import Store
from harness.retrieval.run import Run
from harness.stage import Stage
from harness.training.student_settings import RankerSettings
from harness.training_lists.training_list import read_lists

Report = dict[str, Any]
ALPHA, METRIC = 0.05, "nDCG@10"
_RIVALS = ("candidates", "ranker_start")


@dataclass
class _Orders:
    """What orders the candidates of one teacher's queries, by query."""

    queries: dict[str, TrainingQuery] = field(default_factory=dict)
    teacher: dict[str, Sequence[str]] = field(default_factory=dict)
    candidates: dict[str, Sequence[str]] = field(default_factory=dict)
    ranker_start: dict[str, Sequence[str]] = field(default_factory=dict)
    failed: int = 0


def gate_report(plan: PlannedSweep) -> Report:
    """``{"metric", "alpha", "gates": [...]}`` of the finished labels of a sweep; asks no teacher. The untrained ranker
    scores what it has not scored yet, and that is kept.

    A gate: ``{"collection", "teacher", "kind", "passes", "judged_on", "failed", "sources": [...]}``; a source:
    ``{"source", "queries", "teacher", "candidates", "ranker_start", "first_is_gold", "against": {rival: {"difference",
    "interval", "p"}}}``. Queries are those with an order and a relevant candidate; None where the sweep has no ranker.
    """
    store = plan.workspace.store
    gates = []
    for name, wanted in labels_by_teacher(plan).items():
        for teacher, stages in wanted.items():
            largest = (_largest_finished(draws, store) for draws in draws_by_resample(stages))
            finished = [stage for stage in largest if stage is not None]
            cells = [cell for cell in plan.cells if (cell.inputs.collection.name, cell.cell.teacher) == (name, teacher)]
            if finished:
                gates.append({"collection": name, "teacher": teacher, **_gate(finished, cells, plan, store)})
    return {"metric": METRIC, "alpha": ALPHA, "gates": gates}


def _largest_finished(draws: Sequence[Labels], store: Store) -> Labels | None:
    return next((stage for stage in reversed(draws) if store.has(stage)), None)


def _gate(finished: Sequence[Labels], cells: Sequence[PlannedCell], plan: PlannedSweep, store: Store) -> Report:
    orders = _orders(finished, _ranker_starts(finished, cells), plan, store)
    rows = [_row("all", orders, list(orders.queries))]
    by_source: dict[str, list[str]] = defaultdict(list)
    for query in orders.queries.values():
        by_source[query.source].append(query.id)
    rows += [_row(source, orders, ids) for source, ids in by_source.items()]
    judged = next((row for row in rows if row["source"] == HUMAN and row["queries"] > 1), rows[0])
    known = [one for one in judged["against"].values() if one is not None]
    return {
        "kind": finished[0].teacher.name,
        "passes": bool(known) and all(one["p"] < ALPHA for one in known),
        "judged_on": judged["source"],
        "failed": orders.failed,
        "sources": rows,
    }


def _ranker_starts(finished: Sequence[Labels], cells: Sequence[PlannedCell]) -> list[Stage]:
    """The untrained ranker of the first method that has one, on the queries of each draw."""
    for cell in cells:
        how = getattr(cell.cell.settings, "ranker", None)
        if isinstance(how, RankerSettings):
            start = cell.inputs.untrained_ranker(how)
            return [cell.inputs.score_with(start, stage.subset, how) for stage in finished]
    return []


def _orders(finished: Sequence[Labels], starts: Sequence[Stage], plan: PlannedSweep, store: Store) -> _Orders:
    ensure_stages(starts, plan, "the untrained ranker could not score the training queries")
    found = _Orders()
    pool = {query.id: query for query in read_pool(store.read(finished[0].subset.pool))}
    for stage in finished:
        run = Run.read(store.read(stage.candidates))
        for ranking in read_rankings(store.read(stage) / RANKINGS):
            shown = run.top(ranking.query, stage.depth)
            if ranking.query in found.candidates:
                continue
            found.candidates[ranking.query] = shown
            found.failed += not ranking.ranked
            gold = pool[ranking.query].gold
            if ranking.ranked and any(gold.get(document, 0) > 0 for document in shown):
                placed = set(ranking.ranked)
                tail = [document for document in shown if document not in placed]
                found.queries[ranking.query] = pool[ranking.query]
                found.teacher[ranking.query] = [*ranking.ranked, *tail]
    for start in starts:
        found.ranker_start.update({one.query: one.documents for one in read_lists(store.read(start))})
    # A list of one document is nothing to score.
    if starts:
        for query in found.queries:
            found.ranker_start.setdefault(query, found.candidates[query])
    return found


def _row(source: str, orders: _Orders, queries: Sequence[str]) -> Report:
    qrels = {query: orders.queries[query].gold for query in queries}
    values = {name: _values(getattr(orders, name), qrels) for name in ("teacher", *_RIVALS)}
    gold_first = {name: _gold_first(getattr(orders, name), qrels) for name in ("teacher", *_RIVALS)}
    return {
        "source": source,
        "queries": len(queries),
        **{name: _mean(found) for name, found in values.items()},
        "first_is_gold": gold_first,
        "against": {name: _against(values["teacher"], values[name]) for name in _RIVALS},
    }


def _values(orders: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> np.ndarray | None:
    """nDCG@10 of every query of `qrels`, in its order; None where nothing orders them."""
    if not qrels or not orders:
        return None
    run = {query: {doc: -float(place) for place, doc in enumerate(orders[query])} for query in qrels}
    scores = evaluate(run, qrels, [METRIC])[METRIC]
    return np.array([scores[query] for query in qrels])


def _gold_first(orders: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> float | None:
    if not qrels or not orders:
        return None
    return float(np.mean([gold.get(orders[query][0], 0) > 0 for query, gold in qrels.items()]))


def _mean(values: np.ndarray | None) -> float | None:
    return None if values is None else float(values.mean())


def _against(teacher: np.ndarray | None, other: np.ndarray | None) -> Report | None:
    if teacher is None or other is None or len(teacher) < 2:
        return None
    found = difference_of(fixed_run(teacher), fixed_run(other))
    ends = found.interval() or (found.difference, found.difference)
    return {"difference": found.difference, "interval": list(ends), "p": found.p_above(0.0)}


def render_gate(report: Report) -> Group:
    """The gates for people."""
    if not report["gates"]:
        return Group("No label of this sweep is finished; run it first.")
    return Group(*(part for gate in report["gates"] for part in _parts(gate)))


def _parts(gate: Report) -> Iterator[Any]:
    title = f"{gate['collection']}: {gate['teacher']} {'passes' if gate['passes'] else 'does not pass'}"
    table = Table(title=escape(title), title_justify="left", box=None)
    for heading in ("queries", "n", "teacher", "candidates", "p", "ranker start", "p", "gold first"):
        table.add_column(heading, justify="left" if heading == "queries" else "right")
    for row in gate["sources"]:
        firsts = " / ".join(_share(row["first_is_gold"][name]) for name in ("teacher", *_RIVALS))
        against = [cell for name in _RIVALS for cell in (_number(row[name]), _p(row["against"][name]))]
        table.add_row(escape(row["source"]), f"{row['queries']:,}", _number(row["teacher"]), *against, firsts)
    yield table
    failed = f"; {gate['failed']:,} without an order left out" if gate["failed"] else ""
    no_ranker = (
        "" if gate["sources"][0]["ranker_start"] is not None else "; no method here has a ranker to compare with"
    )
    yield (
        f"  nDCG@10, paired t one-sided at {ALPHA:g}, judged on '{gate['judged_on']}' queries: passes above both; "
        f"gold first: teacher / candidates / ranker start{failed}{no_ranker}\n"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _p(found: Report | None) -> str:
    return "–" if found is None else p_text(found["p"])
