"""Know your teacher: the report behind ``harness labels stats``, from finished labels alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from harness.labelling.labels import agreement
from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, SUMMARY, Labels, summarise
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.tasks import pool_tasks
from harness.pipeline.artefact_records import read_with_measured
from harness.pipeline.graph import closure
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.store import Store

Report = dict[str, Any]
_PAID = ("calls", "input_tokens", "output_tokens", "usd")


def label_report(plan: PlannedSweep) -> Report:
    """``{"rbo_p", "collections": [{"collection", "teachers", "agreement", "waiting"}]}`` of a sweep's finished labels;
    runs nothing.

    For every teacher and resample the largest finished draw counts. Means over nothing are None.

    - ``teachers``: ``{"teacher", "kind", "standing", "queries", "draws": [{"resample", "queries"}], "verdicts":
      {verdict: share}, "reasons": {reason: share}, "quality": {"queries", "nDCG@10", "first_stage"} or None,
      "position", "prompts", "parameters", "cost"}``. Shares, quality and position count a query once, however many
      resamples drew it (see `harness.labelling.labels.agreement.quality` and `position_bias`). ``prompts`` counts, over
      the draws, queries and passages, those that were cut or defused, the calls that told the tokens of their prompt,
      and those whose prompt the server had cut, nothing with 0; ``parameters`` says what became of those that the
      server does not take. ``cost`` is ``{"calls", "input_tokens", "output_tokens", "usd", "seconds"}`` per drawn
      query: what they would cost with an empty ledger, and the seconds that labelling took here (answers from the
      ledger take none).
    - ``agreement``: ``{"a", "b", "between", "queries", "tau", "rbo", "top": {"1", "3", "10"}}``; ``between`` is
      ``teachers``, ``resamples`` (b is a itself, over queries that several resamples drew) or ``first stage``.
    - ``waiting``: ``{"teacher", "resample", "queries", "finished"}``: the largest draw wanted and the largest finished
      (0: none), where these differ.
    """
    store = plan.workspace.store
    return {
        "rbo_p": agreement.P,
        "collections": [_collection(name, wanted, store) for name, wanted in labels_by_teacher(plan).items()],
    }


def labels_by_teacher(plan: PlannedSweep) -> dict[str, dict[str, list[Labels]]]:
    """The labelling stages of the sweep by collection and the sweep's name for the teacher."""
    found: dict[str, dict[str, dict[str, Labels]]] = defaultdict(lambda: defaultdict(dict))
    for cell in plan.cells:
        if cell.cell.teacher is not None:
            stages = {key: stage for key, stage in closure([cell.run]).items() if isinstance(stage, Labels)}
            found[cell.inputs.collection.name][cell.cell.teacher].update(stages)
    return {
        name: {teacher: list(stages.values()) for teacher, stages in teachers.items()}
        for name, teachers in found.items()
    }


@dataclass
class _Labelled:
    """What one teacher has said."""

    name: str
    stages: list[Labels]
    """The largest finished draw of each resample, ascending; at least one."""
    draws: list[list[Ranking]]
    """Their rankings, one list a stage."""

    @property
    def rankings(self) -> list[Ranking]:
        """Every labelled query once: the lowest resample's ranking."""
        return list({ranking.query: ranking for draw in reversed(self.draws) for ranking in draw}.values())


def _collection(name: str, wanted: dict[str, list[Labels]], store: Store) -> Report:
    waiting: list[Report] = []
    labelled: list[_Labelled] = []
    for teacher, stages in wanted.items():
        finished = []
        for draws in draws_by_resample(stages):
            done = [stage for stage in draws if store.has(stage)]
            largest = draws[-1].subset
            finished += done[-1:]
            if largest.size > (reached := done[-1].subset.size if done else 0):
                waiting.append(
                    {"teacher": teacher, "resample": largest.resample, "queries": largest.size, "finished": reached}
                )
        if finished:
            labelled.append(
                _Labelled(teacher, finished, [read_rankings(store.read(stage) / RANKINGS) for stage in finished])
            )
    return {"collection": name, **_known(labelled, store), "waiting": waiting}


def draws_by_resample(stages: Sequence[Labels]) -> list[list[Labels]]:
    """Stages of each resample, smallest draw first."""
    groups: dict[int, list[Labels]] = defaultdict(list)
    for stage in sorted(stages, key=lambda stage: (stage.subset.resample, stage.subset.size)):
        groups[stage.subset.resample].append(stage)
    return list(groups.values())


def _known(labelled: Sequence[_Labelled], store: Store) -> Report:
    if not labelled:
        return {"teachers": [], "agreement": []}
    any_stage = labelled[0].stages[0]
    # All cells of a collection share pool, candidates and depth.
    tasks = pool_tasks(store.read(any_stage.candidates), store.read(any_stage.subset.pool), any_stage.depth)
    first = {task.query: tuple(candidate.id for candidate in task.candidates) for task in tasks}
    gold = {task.query: task.gold or {} for task in tasks}
    return {
        "teachers": [_teacher(one, first, gold, store) for one in labelled],
        "agreement": list(_agreement(labelled, first)),
    }


def _teacher(one: _Labelled, first: agreement.Orders, gold: dict[str, dict[str, int]], store: Store) -> Report:
    rankings, teacher = one.rankings, one.stages[0].teacher
    counts = summarise(rankings)
    summaries: list[Report] = [read_with_measured(store.read(stage), SUMMARY) for stage in one.stages]
    return {
        "teacher": one.name,
        "kind": teacher.name,
        "standing": teacher.teacher_type,
        "queries": len(rankings),
        "draws": [{"resample": stage.subset.resample, "queries": stage.subset.size} for stage in one.stages],
        **{
            what: {name: number / len(rankings) for name, number in counts[what].items()}
            for what in ("verdicts", "reasons")
        },
        "quality": agreement.quality(rankings, first, gold),
        "match": _match(summaries[-1]),
        "position": agreement.position_bias(rankings, first),
        "prompts": dict(sum((Counter(summary.get("prompts", {})) for summary in summaries), Counter())),
        "parameters": {key: text for summary in summaries for key, text in summary.get("parameters", {}).items()},
        "cost": _cost(summaries),
    }


def _match(summary: Report) -> Report | None:
    """Of a simulation that is to be like a real teacher: the numbers wanted, reached and apart, and whether it is."""
    found: Report = summary.get("quality", {})
    if "matched" not in found:
        return None
    reached = {"nDCG@10": found["nDCG@10"], "tau": found["first_stage_tau"], "first": found["same_first"]}
    return {"wanted": found["wanted"], "reached": reached, **{key: found[key] for key in ("differences", "matched")}}


def _cost(summaries: Sequence[Report]) -> Report:
    total = Counter[str]()
    for summary in summaries:
        total.update({name: summary["alone"][name] for name in _PAID} | {"seconds": summary["seconds"]})
    queries = sum(summary["queries"] for summary in summaries)
    return {name: total[name] / queries for name in (*_PAID, "seconds")}


def _agreement(labelled: Sequence[_Labelled], first: agreement.Orders) -> Iterator[Report]:
    orders = {one.name: agreement.orders(one.rankings) for one in labelled}
    for a, b in combinations(orders, 2):
        yield {"a": a, "b": b, "between": "teachers", **agreement.agreement(orders[a], orders[b])}
    for one in labelled:
        if len(one.draws) > 1:
            said = agreement.repeats([agreement.orders(draw) for draw in one.draws])
            yield {"a": one.name, "b": one.name, "between": "resamples", **said}
    for a in orders:
        yield {"a": a, "b": "first stage", "between": "first stage", **agreement.agreement(orders[a], first)}
