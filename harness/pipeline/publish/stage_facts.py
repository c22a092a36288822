"""What cards say of single stages, looked up once a sweep: many cells rest on one stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_stage import SUMMARY, Labels
from harness.pipeline.artefact_records import read_with_measured
from harness.pipeline.isolation.plugin_classes import plugin_classes
from harness.pipeline.pool_sizes import shared_by_resamples
from harness.pipeline.store import Manifest, Store
from harness.stage import Stage


class StageFacts:
    """Facts of the stages of one sweep, whose artefacts lie in `store`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._classes: dict[str, tuple[type, ...]] = {}
        self._draws: dict[str, tuple[QuerySubset, ...]] = {}
        self._summaries: dict[str, tuple[Manifest, dict[str, Any]]] = {}

    def plugin_classes(self, stage: Stage) -> tuple[type, ...]:
        """The same as the function of that name."""
        if stage.key not in self._classes:
            self._classes[stage.key] = plugin_classes(stage)
        return self._classes[stage.key]

    def shared_queries(self, stages: Iterable[Stage], pool: Stage) -> float | None:
        """The part of the queries that `stages` draw of `pool` that another resample is expected to draw too."""
        sizes = {drawn.size for stage in stages for drawn in self._drawn(stage) if drawn.pool.key == pool.key}
        return shared_by_resamples(pool, sizes, self._store)

    def _drawn(self, stage: Stage) -> tuple[QuerySubset, ...]:
        if stage.key not in self._draws:
            values = stage.fields().values()
            self._draws[stage.key] = tuple(value for value in values if isinstance(value, QuerySubset))
        return self._draws[stage.key]

    def summary(self, stage: Labels) -> dict[str, Any]:
        """What a label stage that was made says of its labels; read anew where it was made again."""
        manifest = self._store.manifest(stage)
        known = self._summaries.get(stage.key)
        if known is None or known[0] is not manifest:
            known = manifest, read_with_measured(self._store.record(stage), SUMMARY)
            self._summaries[stage.key] = known
        return known[1]
