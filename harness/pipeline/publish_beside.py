"""What is published beside a run's card: how it was made, and the labels that taught it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from harness.evaluation.text import plain
from harness.labelling.ranking import read_rankings
from harness.labelling.stages import RANKINGS, Labels
from harness.labelling.tasks import pool_tasks
from harness.pipeline.store import Store
from harness.published.folders import LABELS, MAKING
from harness.published.label_rows import LabelRow, packed, row_of
from harness.published.making import Curve, MadeStage, Making, curve
from harness.stage import Stage
from harness.students.history import FILE as LOSSES
from harness.students.history import History
from harness.students.list_stages import RankerScores
from harness.students.lists import read_lists
from harness.students.scored_lists import ScoredLists


def beside(stages: Iterable[Stage], store: Store, made: Collection[str]) -> Mapping[str, bytes]:
    """Files by name for a run that rests on `stages`; `made` are the keys of those that the present sweep made."""
    there = [stage for stage in stages if store.has(stage)]
    labels = _labels(there, store)
    return {MAKING: _making(there, store, made)} | ({LABELS: labels} if labels else {})


def _making(stages: Iterable[Stage], store: Store, made: Collection[str]) -> bytes:
    found = [
        MadeStage(
            kind=plain(stage.kind),
            label=plain(stage.label),
            key=stage.key,
            seconds=manifest["seconds"],
            peak_memory_mb=manifest["peak_memory_mb"],
            started=manifest["started"],
            cached=stage.key not in made,
            curve=_curve(store.place(stage) / LOSSES),
        )
        for stage, manifest in ((stage, store.manifest(stage)) for stage in stages)
    ]
    ordered = tuple(sorted(found, key=lambda stage: (stage.started, stage.kind, stage.key)))
    return (Making(stages=ordered).model_dump_json(exclude_defaults=True) + "\n").encode()


def _curve(file: Path) -> Curve | None:
    """The loss curve of a training; None for a stage that trains nothing."""
    if not file.is_file():
        return None
    try:
        history = History(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        # A plug-in's stage may keep a file of that name in a form of its own; a run is published without it.
        return None
    return curve(history.step, history.loss, (history.held_out_step, history.held_out_loss), history.kept)


def _labels(stages: Collection[Stage], store: Store) -> bytes | None:
    """The labels of the largest draw; None where there are none, or where their candidates are not in this store."""
    labelled = [stage for stage in stages if isinstance(stage, Labels) and store.has(stage.candidates) and store.has(stage.draw.pool)]
    if not labelled:
        return None
    largest = max(labelled, key=lambda stage: stage.draw.size)
    rankings = read_rankings(store.place(largest) / RANKINGS)
    given = _candidates(store.place(largest.candidates), store.place(largest.draw.pool), largest.depth)
    scores = _ranker_scores(stages, store)
    rows: list[LabelRow | None] = []
    for ranking in rankings:
        text, documents = given.get(ranking.query, ("", ()))
        rows.append(row_of(ranking, text, documents, scores.get(ranking.query)))
    return packed((row for row in rows if row is not None), len(rankings))


@lru_cache(maxsize=2)
def _candidates(run: Path, pool: Path, depth: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Text and first candidates of every query of a pool; cells of one collection share them."""
    return {task.query: (task.text, tuple(one.id for one in task.candidates)) for task in pool_tasks(run, pool, depth)}


def _ranker_scores(stages: Iterable[Stage], store: Store) -> dict[str, dict[str, float]]:
    """What the run's ranker scores the documents of each training query; nothing where a run has none, or one a tuning trial."""
    scored = [stage for stage in stages if isinstance(stage, (RankerScores, ScoredLists))]
    if len(scored) != 1:
        return {}
    return {one.query: dict(zip(one.documents, one.scores or (), strict=False)) for one in read_lists(store.place(scored[0]))}
