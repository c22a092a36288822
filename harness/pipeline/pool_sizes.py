"""Budgets against the training queries that there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.collections.collection import Collection
from harness.collections.crops import HUMAN
from harness.collections.pool import Pool, TrainingQuery, read_pool, training_pool
from harness.collections.sample import QuerySubset, too_few
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
        rows = read_pool(store.read(pool)) if store.has(pool) else list(pool.rows())
        _collect(faults, rows, sizes[key], names.get(key, ""))
    faults.finish()


def collect_budgets(faults: FaultCollector, sweep: SweepFile, spec: Any, collection: Collection) -> None:
    """The same from the sweep alone, for one that is wrong elsewhere and has no stages; only where counting is
    quick."""
    if sweep.candidates.training_queries == (HUMAN,):
        rows = list(training_pool(collection, sweep.candidates.training_queries, sweep.candidates.pool).rows())
        sizes = {cell.budget for cell in expand(sweep).cells if cell.budget is not None and cell.collection == spec}
        _collect(faults, rows, sizes, collection.name)


def _collect(faults: FaultCollector, rows: Sequence[TrainingQuery], sizes: Iterable[int], name: str) -> None:
    for size in sorted(size for size in sizes if size > len(rows)):
        with faults.at(*_written(faults.source, size), ("budgets",), ("methods",)):
            raise too_few(rows, size, name)


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
