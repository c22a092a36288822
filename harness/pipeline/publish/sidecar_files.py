"""What is published beside a run's card: how it was made, the labels that taught it, what was answered from it, and its
trace."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path

from harness.labelling.labels.label_files import read_rankings
from harness.labelling.labels.label_stage import RANKINGS, Labels
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.run_labels import MOST_ROWS, LabelRow, packed, row_of
from harness.labelling.labels.tasks import pool_tasks
from harness.pipeline.budgets import largest_budgets
from harness.pipeline.store import Store
from harness.published.provenance import LossCurveData, Provenance, StageProvenance, curve
from harness.published.published_answers import packed_answers
from harness.published.result_folder import ANSWERS, LABELS, PROVENANCE, TRACE
from harness.qa.answer_cases import answers_in
from harness.qa.answer_stages import READINGS, Read
from harness.stage import Stage
from harness.students.ranker_scored_lists import RankerScoredLists
from harness.text import plain
from harness.training.history import FILE as LOSSES
from harness.training.history import History
from harness.training_lists.training_list import read_lists


def sidecar_files(
    stages: Iterable[Stage],
    store: Store,
    computed: Collection[str],
    standalone: Mapping[str, float | None],
    *,
    labels: bool,
) -> Mapping[str, bytes]:
    """Files by name for a run that rests on `stages`; `computed` are the keys of those that the present sweep made.

    `standalone` are the seconds of stages that label with an empty ledger, by key; `labels` says whether the labels
    that taught the run are among the files.
    """
    recorded = [stage for stage in stages if store.is_recorded(stage)]
    there = [stage for stage in recorded if store.has(stage)]
    found = {LABELS: _labels(there, store) if labels else None, ANSWERS: _answers(there, store)}
    optional = {name: content for name, content in found.items() if content}
    return {PROVENANCE: _provenance(recorded, store, computed, standalone)} | optional


def trace_file(trace: Stage | None, store: Store) -> Mapping[str, bytes]:
    """The trace by its name; nothing where there is none."""
    if trace is None or not store.has(trace):
        return {}
    return {TRACE: (store.place(trace) / TRACE).read_bytes()}


def _provenance(
    stages: Iterable[Stage], store: Store, computed: Collection[str], standalone: Mapping[str, float | None]
) -> bytes:
    found = [
        StageProvenance(
            kind=plain(stage.kind),
            label=plain(stage.label),
            key=stage.key,
            seconds=manifest["seconds"],
            seconds_standalone=standalone.get(stage.key),
            peak_memory_mb=manifest["peak_memory_mb"],
            started=manifest["started"],
            cached=stage.key not in computed,
            curve=_curve(store.record(stage) / LOSSES),
        )
        for stage, manifest in ((stage, store.manifest(stage)) for stage in stages)
    ]
    ordered = tuple(sorted(found, key=lambda stage: (stage.started, stage.kind, stage.key)))
    return Provenance(stages=ordered).to_json()


def _curve(file: Path) -> LossCurveData | None:
    """The loss curve of a training; None for a stage that trains nothing."""
    if not file.is_file():
        return None
    try:
        history = History.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        # A plug-in's stage may keep a file of that name in a form of its own; a run is published without it.
        return None
    return curve(history.step, history.loss, (history.held_out_step, history.held_out_loss), history.saved_step)


def _labels(stages: Collection[Stage], store: Store) -> bytes | None:
    """The orders that teachers gave; None where there are none, or where their candidates are not in this store."""
    labelled = largest_budgets(stage for stage in stages if isinstance(stage, Labels))
    sets = [stage for stage in labelled if not stage.writes and all(store.has(needed) for needed in stage.task_inputs)]
    if not sets:
        return None
    scores = _ranker_scores(stages, store)
    rankings = [read_rankings(store.place(stage) / RANKINGS) for stage in sets]
    labels = sum(map(len, rankings))
    # Where not all of them fit, every set keeps the beginning of its draw.
    most = MOST_ROWS if labels <= MOST_ROWS else MOST_ROWS // len(sets)
    return packed(
        chain.from_iterable(
            _rows(number, *one, store, scores, most) for number, one in enumerate(zip(sets, rankings, strict=True))
        ),
        labels,
    )


def _answers(stages: Iterable[Stage], store: Store) -> bytes | None:
    """What a reader answered from the run; None where none was asked."""
    read = [stage for stage in stages if isinstance(stage, Read)]
    return packed_answers(answers_in(read_rankings(store.place(read[0]) / READINGS))) if read else None


def _rows(
    number: int,
    stage: Labels,
    rankings: Iterable[Ranking],
    store: Store,
    scores: Mapping[str, dict[str, float]],
    most: int,
) -> Iterator[LabelRow]:
    """The first `most` rows of a set that may be published."""
    given = _candidates(store.place(stage.candidates), store.place(stage.subset.pool), stage.depth)
    found = (
        row_of(ranking, *given.get(ranking.query, ("", ())), scores.get(ranking.query), number) for ranking in rankings
    )
    return islice((row for row in found if row is not None), most)


@lru_cache(maxsize=4)
def _candidates(run: Path, pool: Path, depth: int) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Text and first candidates of every query of a pool; cells of one collection share them."""
    return {task.query: (task.text, tuple(one.id for one in task.candidates)) for task in pool_tasks(run, pool, depth)}


def _ranker_scores(stages: Iterable[Stage], store: Store) -> dict[str, dict[str, float]]:
    """What the run's ranker scores the documents of each training query; nothing where a run has none, or one a tuning
    trial."""
    scored = [stage for stage in stages if isinstance(stage, RankerScoredLists)]
    if len(scored) != 1:
        return {}
    return {
        one.query: dict(zip(one.documents, one.scores or (), strict=False))
        for one in read_lists(store.place(scored[0]))
    }
