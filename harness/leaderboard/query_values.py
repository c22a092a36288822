"""Per-query values of a run as an array: what a dictionary of them is, in a tenth of the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from harness.evaluation.exact_sums import Array


@dataclass(frozen=True, eq=False)
class QueryIndex:
    """Ids of queries in an order, shared by all runs that have the same."""

    ids: tuple[str, ...]

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each id stands."""
        return {query: place for place, query in enumerate(self.ids)}


@dataclass(frozen=True, eq=False)
class Values(Mapping[str, float]):
    """query id -> value; `numbers` (queries,) are float64."""

    queries: QueryIndex
    numbers: Array = field(repr=False)

    def __getitem__(self, query: str) -> float:
        return float(self.numbers[self.queries.places[query]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.queries.ids)

    def __len__(self) -> int:
        return len(self.queries.ids)


def ids(values: Mapping[str, float]) -> tuple[str, ...]:
    """The query ids of `values` in their order."""
    return values.queries.ids if isinstance(values, Values) else tuple(values)


def aligned_values(values: Mapping[str, float], queries: list[str]) -> Array:
    """`values` in the order of `queries`, 0 where there is none."""
    if isinstance(values, Values) and list(values.queries.ids) == queries:
        return values.numbers
    if list(values) == queries:
        return np.fromiter(values.values(), np.float64, len(queries))
    return np.array([values.get(query, 0.0) for query in queries])
