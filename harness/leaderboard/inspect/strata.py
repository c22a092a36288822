"""A metric by what kind of query it is: how long its text is, how many documents are relevant to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.collections.collection import Collection
from harness.evaluation.significance.bootstrap import Interval, mean_intervals
from harness.leaderboard.row_query_values import PerQuery
from harness.leaderboard.row_statistics import SAMPLES, SEED

MOST_BINS = 5
LEAST = 10
"""Queries that a bin holds at least, where there are so many."""
FEWEST = 2
"""Queries that a bin must have for an interval."""


class Stratum(NamedTuple):
    """A bin of queries and one row's mean over it; the interval is a 95 % bootstrap over the bin's queries, None with
    fewer than two."""

    bin: str
    queries: int
    name: str
    mean: float
    interval: Interval | None


def _lengths(collection: Collection, split: str) -> dict[str, int]:
    texts = collection.queries(split)
    return {query: len(text.split()) for query, text in zip(texts.ids, texts.slice_texts(0, len(texts)), strict=True)}


def _relevant(collection: Collection, split: str) -> dict[str, int]:
    qrels = collection.judgments(split).qrels
    return {query: sum(grade > 0 for grade in grades.values()) for query, grades in qrels.items()}


SIZES: dict[str, Callable[[Collection, str], dict[str, int]]] = {
    "words in the query": _lengths,
    "relevant documents": _relevant,
}
"""What queries are put into bins by: numbers by query id, from a collection and a split of it."""


def bins(sizes: Sequence[int], most: int = MOST_BINS, least: int = LEAST) -> list[tuple[int, int]]:
    """At most `most` ranges (first, last) that hold all `sizes`, about equally many each and `least` at least, where
    there are so many.

    Equal sizes are never torn apart.
    """
    found: list[tuple[int, int]] = []
    left, held = len(sizes), 0
    first: int | None = None
    for size, count in sorted(Counter(sizes).items()):
        first = size if first is None else first
        held += count
        if len(found) < most - 1 and held >= max(least, left / (most - len(found))):
            found.append((first, size))
            left, held, first = left - held, 0, None
    if first is None:
        return found
    # What is left over stands alone only where it is enough to say something.
    start = found.pop()[0] if found and held < least else first
    return [*found, (start, max(sizes))]


def strata(values: PerQuery, sizes: Mapping[str, int], seed: int = SEED) -> list[Stratum]:
    """Each row's mean in each bin, bin by bin; queries whose size is not known are left out."""
    known = [(place, sizes[query]) for place, query in enumerate(values.queries) if query in sizes]
    found: list[Stratum] = []
    for first, last in bins([size for _, size in known]):
        inside = values.values[[place for place, size in known if first <= size <= last]]
        intervals: list[Interval | None] = [None] * len(values.names)
        if len(inside) >= FEWEST:
            intervals = list(mean_intervals(inside, seed, SAMPLES))
        label = f"{first:,}" if first == last else f"{first:,}–{last:,}"
        means = np.mean(inside, axis=0).tolist()
        found += [Stratum(label, len(inside), *row) for row in zip(values.names, means, intervals, strict=True)]
    return found
