"""Stages that label draws of one pool: budgets are nested, so of one resample the largest asks all that the smaller
ones ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.labelling.labels.label_stage import Labels
from harness.stage import digest


def same_request(stage: Labels) -> str:
    """The same for stages that ask the same of equal queries: one teacher, the same inputs, lists of one length."""
    return digest([stage.kind, stage.teacher, stage.depth, [needed.key for needed in stage.task_inputs]])


def same_calls(stage: Labels) -> str:
    """The same for stages that make the same calls, also where their teachers read the answers otherwise."""
    return digest([stage.kind, stage.teacher.asks_as, stage.depth, [needed.key for needed in stage.task_inputs]])


def largest_budgets(stages: Iterable[Labels], key: Callable[[Labels], str] = same_request) -> list[Labels]:
    """Of stages with the same `key` and of one resample the one that asks most; largest first."""
    ordered = sorted(stages, key=lambda one: (-one.asked, one.key))
    if len(ordered) < 2:
        return ordered
    best: dict[tuple[str, int], Labels] = {}
    for stage in ordered:
        best.setdefault((key(stage), stage.subset.resample), stage)
    return list(best.values())
