"""Budgets against the training queries that there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from harness.collections.collection import Collection as Documents
from harness.collections.crops import HUMAN
from harness.collections.pool import Pool, Shares, read_pool, shares_of, training_pool
from harness.collections.sample import QuerySubset, largest_draw, shared_part, source_counts, too_few
from harness.config.cells import expand
from harness.config.registries import SweepSource
from harness.config.sweep_file import SweepFile
from harness.pipeline.faults import FaultCollector
from harness.pipeline.store import Store
from harness.stage import Stage
from harness.validation import KeyPath


def check_draws(stages: Iterable[Stage], store: Store, source: SweepSource, names: Mapping[str, str]) -> None:
    """Raises UserErrors where `stages`, those still to be made, draw more training queries than a collection has.

    `names` are those of the collections, by the keys of their pools.
    """
    sizes: dict[str, set[int]] = defaultdict(set)
    pools: dict[str, Pool] = {}
    for stage in stages:
        for wanted in stage.fields().values():
            if isinstance(wanted, QuerySubset) and isinstance(wanted.pool, Pool):
                pools[wanted.pool.key] = wanted.pool
                sizes[wanted.pool.key].add(wanted.size)
    faults = FaultCollector(source)
    for key, pool in pools.items():
        _collect(faults, counts_of(pool, store), sizes[key], names.get(key, ""), shares_of(pool))
    faults.finish()


def counts_of(pool: Pool, store: Store) -> dict[str, int]:
    """How many queries each source of `pool` has, made or still to be made; O(pool), counted once a process."""
    if pool.key not in _COUNTS:
        _COUNTS[pool.key] = source_counts(read_pool(store.read(pool)) if store.has(pool) else pool.rows())
    return _COUNTS[pool.key]


def shared_by_resamples(pool: Stage, sizes: Collection[int], store: Store) -> float | None:
    """The part of the largest of `sizes` queries drawn of `pool` that another resample is expected to draw too: larger
    draws have more in common. None where nothing is drawn."""
    if not sizes or not isinstance(pool, Pool):
        return None
    return shared_part(counts_of(pool, store), max(sizes), shares_of(pool))


def subsets_of(stages: Iterable[Stage], pool: Stage) -> set[QuerySubset]:
    """What `stages` draw of `pool`."""
    fields = (wanted for stage in stages for wanted in stage.fields().values())
    return {wanted for wanted in fields if isinstance(wanted, QuerySubset) and wanted.pool.key == pool.key}


_COUNTS: dict[str, dict[str, int]] = {}
"""By the key of the pool, which stands for its content."""


def collect_budgets(faults: FaultCollector, sweep: SweepFile, spec: Any, collection: Documents) -> None:
    """The same from the sweep alone, for one that is wrong elsewhere and has no stages; only where counting is
    quick."""
    if sweep.candidates.sources == (HUMAN,):
        pool = training_pool(collection, sweep.candidates.sources, sweep.candidates.pool)
        sizes = {cell.budget for cell in expand(sweep).cells if cell.budget is not None and cell.collection == spec}
        _collect(faults, source_counts(pool.rows()), sizes, collection.name, None)


def _collect(
    faults: FaultCollector, counts: Mapping[str, int], sizes: Iterable[int], name: str, shares: Shares | None
) -> None:
    most = largest_draw(counts, shares)
    for size in sorted(size for size in sizes if size > most):
        with faults.at(*_written(faults.source, size), ("budgets",), ("methods",)):
            raise too_few(counts, size, name, shares)


def _written(source: SweepSource, size: int) -> Iterator[KeyPath]:
    """Where the sweep says `size`: among the budgets, or in the settings of a method."""
    for key in ("budgets", "methods"):
        if source.tree is not None and (node := source.tree.child(key)) is not None:
            yield from _equal(node.plain(), size, (key,))


def _equal(value: Any, size: int, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, (dict, list)):
        for part, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _equal(item, size, (*path, part))
    elif value == size and not isinstance(value, bool):
        yield path
