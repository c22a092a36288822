"""How many training queries two resamples of a sweep have in common, before any is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.pipeline.builder import PlannedCell
from harness.pipeline.graph import closure
from harness.pipeline.pool_sizes import shared_by_resamples, subsets_of
from harness.pipeline.store import Store

Report = dict[str, Any]


def shared_queries(cells: Sequence[PlannedCell], store: Store) -> Iterator[Report]:
    """``{"collection", "queries", "part"}`` for every number of queries that several resamples draw."""
    by_pool: dict[str, list[PlannedCell]] = {}
    for cell in cells:
        by_pool.setdefault(cell.inputs.pool.key, []).append(cell)
    for members in by_pool.values():
        inputs = members[0].inputs
        drawn: dict[int, set[int]] = {}
        for subset in subsets_of(closure([cell.run for cell in members]).values(), inputs.pool):
            drawn.setdefault(subset.size, set()).add(subset.resample)
        for size, resamples in sorted(drawn.items()):
            if len(resamples) > 1:
                part = shared_by_resamples(inputs.pool, [size], store)
                yield {"collection": inputs.collection.name, "queries": size, "part": part}


def shared_text(rows: Sequence[Report]) -> Iterator[str]:
    """A line for every collection."""
    for name in dict.fromkeys(row["collection"] for row in rows):
        parts = ", ".join(f"{row['part']:.0%} of {row['queries']:,}" for row in rows if row["collection"] == name)
        yield f"{name}: resamples share {parts} training queries"
