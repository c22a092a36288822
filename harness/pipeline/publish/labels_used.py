"""Which labels a run used: those that teachers were asked for, queries that they wrote, and gold labels that training
saw."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeGuard

from harness.labelling.labels.label_stage import Labels
from harness.pipeline.budgets import largest_budgets
from harness.pipeline.store import Store
from harness.published.card_costs import LabelsUsed
from harness.stage import Stage
from harness.training_lists.list_stages import GoldLists
from harness.training_lists.training_list import SUMMARY as LISTS


def labels_used(stages: Iterable[Stage], pool: Stage, store: Store) -> LabelsUsed:
    """Labels behind a run that rests on `stages` and whose training queries are those of `pool`.

    Stages that label, or read, more and less of one draw count as the largest.
    """
    there = [stage for stage in stages if store.is_recorded(stage)]
    asked = largest_budgets(stage for stage in there if isinstance(stage, Labels))
    gold = [(_draw(stage), _labels_used(stage, store, LISTS)["lists"]) for stage in there if _is_gold(stage, pool)]
    return LabelsUsed(
        teacher=sum(stage.asked for stage in asked if not stage.writes),
        written=sum(stage.asked for stage in asked if stage.writes),
        gold=sum(max(lists for draw, lists in gold if draw == one) for one in {draw for draw, _ in gold}),
    )


def _is_gold(stage: Stage, pool: Stage) -> TypeGuard[GoldLists]:
    """Lists over any other pool are of titles and their own documents, which nobody labelled."""
    return isinstance(stage, GoldLists) and stage.subset.pool.key == pool.key


def _draw(stage: GoldLists) -> tuple[str, int]:
    return stage.subset.pool.key, stage.subset.resample


def _labels_used(stage: Stage, store: Store, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store.record(stage) / name).read_text(encoding="utf-8"))
    return found
