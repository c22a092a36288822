"""The judged documents that a run returned, query by query: what every metric is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.evaluation.exact_sums import Array

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class JudgedRun:
    """Judged documents of n queries, in sparse form.

    `returned` (n,) is the length of each query's list. The h judged documents in these lists come by query, then rank:
    `query` (h,), `rank` (h,) from 1, `grade` (h,). All j judgments, returned or not, are `judged_query` (j,) and
    `judged_grade` (j,).
    """

    returned: Ints
    query: Ints
    rank: Ints
    grade: Ints
    judged_query: Ints
    judged_grade: Ints

    @property
    def queries(self) -> int:
        return len(self.returned)

    def per_query(self, weights: Array, chosen: NDArray[np.bool_]) -> Array:
        """Sum (n,) of `weights` (h,) over the judged documents that are `chosen` (h,)."""
        return sums(self.query[chosen], weights[chosen], self.queries)

    def count(self, chosen: NDArray[np.bool_]) -> Array:
        """How many (n,) of the returned judged documents are `chosen` (h,)."""
        return np.bincount(self.query[chosen], minlength=self.queries).astype(np.float64)

    def relevant(self, rel: int) -> Array:
        """How many (n,) documents have at least the grade `rel`, returned or not."""
        return self.judged(self.judged_grade >= rel)

    def judged(self, chosen: NDArray[np.bool_]) -> Array:
        """How many (n,) judgments are `chosen` (j,)."""
        return np.bincount(self.judged_query[chosen], minlength=self.queries).astype(np.float64)

    def before(self, chosen: NDArray[np.bool_]) -> Array:
        """For each returned judged document (h,): how many `chosen` (h,) ones of its query stand before it."""
        running = np.concatenate([[0.0], np.cumsum(chosen)])
        starts = np.searchsorted(self.query, self.query)
        return np.asarray(running[:-1] - running[starts])

    def condensed(self) -> JudgedRun:
        """The same lists without unjudged documents (Sakai, SIGIR 2007).

        Negative grades count as unjudged, as with trec_eval's option -J.
        """
        kept = self.grade >= 0
        query, grade = self.query[kept], self.grade[kept]
        rank = np.arange(len(query)) - np.searchsorted(query, query) + 1
        return JudgedRun(
            np.bincount(query, minlength=self.queries), query, rank, grade, self.judged_query, self.judged_grade
        )


def sums(query: Ints, weights: Array, queries: int) -> Array:
    """Sum (queries,) of `weights` (m,) by `query` (m,)."""
    return np.bincount(query, weights, queries).astype(np.float64)


def share(part: Array, whole: Array | float) -> Array:
    """`part` / `whole`, 0 where there is nothing to share."""
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=np.asarray(whole) > 0))
