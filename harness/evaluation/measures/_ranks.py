"""Where a run placed the judged documents: all that any metric needs to know of it.

The order is trec_eval's: score as a 32-bit float descending, then document id descending. Only the places of judged
documents are found, for whole blocks of queries at once, so that a long list costs little more than reading its scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.evaluation.measures._judged_run import JudgedRun

Documents = Mapping[str, float]
Grades = Mapping[str, int]
Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
_BLOCK = 1 << 19
"""Scores looked at together; more do not fit the cache."""


class _Row(NamedTuple):
    """A query with its list and the judged documents found in it."""

    number: int
    documents: Documents
    found: list[str]


def judged_ranks(run: Mapping[str, Documents], qrels: Mapping[str, Grades], queries: Sequence[str]) -> JudgedRun:
    """The judged documents of `queries` (n) in `run`, with their ranks and grades.

    A query that `run` misses, or that has no judgments, has none. Scores are finite.
    """
    rows = [
        _Row(number, documents, [document for document in grades if document in documents])
        for number, query in enumerate(queries)
        if (documents := run.get(query)) and (grades := qrels[query])
    ]
    returned = np.zeros(len(queries), np.int64)
    returned[[row.number for row in rows]] = [len(row.documents) for row in rows]
    places = np.concatenate([np.empty(0, np.int64), *(_ranks(block) for block in _blocks(rows))])
    query = np.repeat([row.number for row in rows], [len(row.found) for row in rows]).astype(np.int64)
    grade = np.fromiter(
        (qrels[queries[row.number]][document] for row in rows for document in row.found), np.int64, len(query)
    )
    order = np.lexsort((places, query))
    judged = np.repeat(np.arange(len(queries)), [len(qrels[name]) for name in queries])
    all_grades = np.fromiter(chain.from_iterable(qrels[name].values() for name in queries), np.int64, len(judged))
    return JudgedRun(returned, query[order], places[order], grade[order], judged, all_grades)


def _blocks(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    block: list[_Row] = []
    width = 0
    for row in rows:
        width = max(width, len(row.documents))
        if block and width * (len(block) + 1) > _BLOCK:
            yield block
            block, width = [], len(row.documents)
        block.append(row)
    if block:
        yield block


def _ranks(rows: Sequence[_Row]) -> Ints:
    """Rank, from 1, of each row's found documents, row by row."""
    line = np.repeat(np.arange(len(rows)), [len(row.found) for row in rows])
    scores = _single([row.documents[document] for row in rows for document in row.found])
    table = _table(rows)
    descending = np.sort(table, axis=1)
    at_least = _places(descending, line, scores, after=False)
    above = descending.shape[1] - _places(descending, line, scores, after=True)
    tied = np.nonzero(descending.shape[1] - at_least - above > 1)[0]
    return np.asarray(above + 1 + _among_ties(rows, table, line, scores, tied), np.int64)


def _single(values: Sequence[float]) -> Floats:
    # A score too large for 32 bits counts as infinite, as in C; adding 0 makes the two zeros one.
    with np.errstate(over="ignore"):
        return np.asarray(values, np.float64).astype(np.float32) + np.float32(0)


def _table(rows: Sequence[_Row]) -> Floats:
    """Scores (rows, longest list); shorter lists are filled up with what is lower than any score."""
    lengths = np.array([len(row.documents) for row in rows])
    flat = np.fromiter(chain.from_iterable(row.documents.values() for row in rows), np.float64, int(lengths.sum()))
    with np.errstate(over="ignore"):
        scores = flat.astype(np.float32)
    if (lengths == lengths[0]).all():
        return scores.reshape(len(rows), -1)
    table = np.full((len(rows), int(lengths.max())), -np.inf, np.float32)
    table[np.arange(table.shape[1]) < lengths[:, None]] = scores
    return table


def _places(ascending: Floats, line: Ints, scores: Floats, after: bool) -> Ints:
    """Where each of `scores` belongs in its line of `ascending`, before or `after` its equals: `np.searchsorted` on
    many lines at once."""
    low = np.zeros(len(scores), np.int64)
    high = np.full(len(scores), ascending.shape[1])
    for _ in range(ascending.shape[1].bit_length()):
        middle = (low + high) // 2
        there = ascending[line, np.minimum(middle, ascending.shape[1] - 1)]
        right = (there <= scores if after else there < scores) & (low < high)
        low, high = np.where(right, middle + 1, low), np.where(right, high, middle)
    return low


def _among_ties(rows: Sequence[_Row], table: Floats, line: Ints, scores: Floats, tied: Ints) -> Ints:
    """How many documents of the same score come before each found one; looked at for those at `tied` only."""
    before = np.zeros(len(scores), np.int64)
    names = list(chain.from_iterable(row.found for row in rows)) if len(tied) else []
    groups: dict[tuple[int, float], dict[str, int]] = {}
    for place in tied.tolist():
        number, score = int(line[place]), float(scores[place])
        if (number, score) not in groups:
            ids = list(rows[number].documents)
            equal = sorted(
                (ids[row] for row in np.nonzero(table[number, : len(ids)] == scores[place])[0]), reverse=True
            )
            groups[number, score] = {document: position for position, document in enumerate(equal)}
        before[place] = groups[number, score][names[place]]
    return before
