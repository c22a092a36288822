"""The settings of one method as written, to every combination of their values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import Any

from harness.config.annotations import axes_in
from harness.config.choices import Role, Shared, loss_choice
from harness.config.registries import Registries
from harness.plugins import Settings
from harness.validation import ErrorCollector, Fault, KeyPath, checked

ROLES: tuple[Role, ...] = ("ranker", "retriever")
MOST_VARIANTS = 10_000
"""More combinations than this in one entry are taken for a mistake."""
Axis = tuple[tuple[str, ...], list[Any]]
"""Where a list stands in the settings, and its values."""


def with_losses(
    model: type[Settings],
    settings: Mapping[str, Any],
    shared: Shared,
    registries: Registries,
    collector: ErrorCollector,
) -> dict[str, Any]:
    """Settings with the losses of the whole sweep where the entry names none; wrong losses go to `collector` and are
    left out."""
    found = dict(settings)
    for role in ROLES:
        key = f"{role}_loss"
        if key not in model.model_fields:
            continue
        if key in settings:
            found |= _losses(key, found.pop(key), role, registries, collector)
        elif shared.losses.get(role):
            found[key] = list(shared.losses[role])
    return found


def _losses(key: str, given: Any, role: Role, registries: Registries, collector: ErrorCollector) -> dict[str, Any]:
    """The loss or losses of one setting; none of them when one is wrong. Whether no loss (null) will do is the method's
    affair."""
    before, items = len(collector.faults), given if isinstance(given, list) else [given]
    places = [(key, index) if isinstance(given, list) else (key,) for index in range(len(items))]
    found = [
        None if item is None else collector.attempt(place, partial(loss_choice, item, role, registries))
        for place, item in zip(places, items, strict=True)
    ]
    if len(collector.faults) > before:
        return {}
    return {key: found if isinstance(given, list) else found[0]}


def variants(model: type[Settings], settings: dict[str, Any]) -> tuple[Settings, ...]:
    """Every combination of the axes in `settings`, as a `model`. Raises ValidationError with every value that is
    wrong."""
    axes = list(axes_in([model], settings))
    collector = ErrorCollector()
    collector.faults += [Fault(path, "must name at least one value") for path, values in axes if not values]
    if math.prod(len(values) for _, values in axes) > MOST_VARIANTS:
        collector.faults.append(
            Fault((), f"these settings make more than {MOST_VARIANTS:,} combinations", "shorten the lists")
        )
    collector.finish()
    found = [
        _variant(model, settings, axes, positions, collector)
        for positions in product(*(range(len(values)) for _, values in axes))
    ]
    collector.finish()
    return tuple(variant for variant in found if variant is not None)


def _variant(
    model: type[Settings],
    settings: dict[str, Any],
    axes: list[Axis],
    positions: tuple[int, ...],
    collector: ErrorCollector,
) -> Settings | None:
    chosen, one = settings, ErrorCollector()
    for (path, values), position in zip(axes, positions, strict=True):
        chosen = _put(chosen, path, values[position])
    variant = one.attempt((), partial(checked, model, chosen))
    where = {path: position for (path, _), position in zip(axes, positions, strict=True)}
    collector.faults += [fault._replace(path=_as_written(fault.path, where)) for fault in one.faults]
    return variant


def _put(settings: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    key, *rest = path
    return {**settings, key: _put(settings[key], tuple(rest), value) if rest else value}


def _as_written(path: KeyPath, positions: Mapping[tuple[str, ...], int]) -> KeyPath:
    """Where a fault of one combination stands in the file: behind an axis comes the position in its list."""
    for axis, position in positions.items():
        if path[: len(axis)] == axis:
            return (*axis, position, *path[len(axis) :])
    return path
