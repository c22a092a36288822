"""From drawn training queries and their candidates to what a teacher is asked; planning and labelling share it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.collections.pool import read_pool
from harness.labelling.labels.teacher import Candidate, Task
from harness.retrieval.run import Run

if TYPE_CHECKING:
    from harness.collections.collection import Texts
    from harness.collections.sample import QuerySubset


def tasks_of(
    draw: QuerySubset, candidates_path: Path, pool_path: Path, corpus: Texts, depth: int, gold: bool
) -> list[Task]:
    """A task for every drawn query, in the order of the draw, with its first `depth` candidates.

    `candidates_path` and `pool_path` are artefact folders (a run; a pool). A query that the run misses gets no
    candidates. Grades come along only where `gold` is true. Raises UserError when the pool is smaller than the draw.
    """

    run = Run.read(candidates_path)
    queries = draw.drawn_from(read_pool(pool_path))
    shown = {query.id: run.top(query.id, depth) for query in queries}
    distinct = list(dict.fromkeys(document for found in shown.values() for document in found))
    # One of each, since most are candidates of many queries.
    documents = {id: Candidate(id, text) for id, text in zip(distinct, corpus.texts(distinct), strict=True)}
    return [
        Task(
            query.id,
            query.text,
            tuple(map(documents.__getitem__, shown[query.id])),
            dict(query.gold) if gold else None,
        )
        for query in queries
    ]


def pool_tasks(candidates_path: Path, pool_path: Path, depth: int) -> list[Task]:
    """A task for every query of the pool, in the pool's order, with grades and the ids of its first `depth` candidates;
    no texts."""

    run = Run.read(candidates_path)
    return [
        Task(query.id, query.text, tuple(Candidate(id, "") for id in run.top(query.id, depth)), dict(query.gold))
        for query in read_pool(pool_path)
    ]
