"""The settings of one method as written, to every combination of their values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import Any

from harness.config.annotations import axes_in
from harness.config.choices import Gather, Role, Shared, loss_choice
from harness.config.explain import Fault, checked
from harness.config.located import KeyPath
from harness.config.registries import Registries
from harness.plugins import Settings

ROLES: tuple[Role, ...] = ("ranker", "retriever")
MOST_VARIANTS = 10_000
"""More combinations than this in one entry are taken for a mistake."""
Axis = tuple[tuple[str, ...], list[Any]]
"""Where a list stands in the settings, and its values."""
_WRONG = object()


def with_losses(
    model: type[Settings], settings: Mapping[str, Any], shared: Shared, registries: Registries, gather: Gather
) -> dict[str, Any]:
    """Settings with the losses of the whole sweep where the entry names none; wrong losses go to `gather` and are left out."""
    found = dict(settings)
    for role in ROLES:
        key = f"{role}_loss"
        if key in settings and key in model.model_fields:
            found |= _losses(key, settings[key], role, registries, gather)
        elif key in model.model_fields and shared.losses.get(role):
            found[key] = list(shared.losses[role])
    return {key: value for key, value in found.items() if value is not _WRONG}


def _losses(key: str, given: Any, role: Role, registries: Registries, gather: Gather) -> dict[str, Any]:
    if not isinstance(given, list):
        one = gather.attempt((key,), partial(loss_choice, given, role, registries))
        return {key: _WRONG if one is None else one}
    found = [gather.attempt((key, index), partial(loss_choice, item, role, registries)) for index, item in enumerate(given)]
    return {key: _WRONG if None in found else found}


def variants(model: type[Settings], settings: dict[str, Any]) -> tuple[Settings, ...]:
    """Every combination of the axes in `settings`, as a `model`. Raises ValidationError with every value that is wrong."""
    axes = list(axes_in([model], settings))
    gather = Gather()
    gather.faults += [Fault(path, "must name at least one value") for path, values in axes if not values]
    if math.prod(len(values) for _, values in axes) > MOST_VARIANTS:
        gather.faults.append(Fault((), f"these settings make more than {MOST_VARIANTS:,} combinations", "shorten the lists"))
    gather.finish()
    found = [_variant(model, settings, axes, positions, gather) for positions in product(*(range(len(values)) for _, values in axes))]
    gather.finish()
    return tuple(variant for variant in found if variant is not None)


def _variant(
    model: type[Settings], settings: dict[str, Any], axes: list[Axis], positions: tuple[int, ...], gather: Gather
) -> Settings | None:
    chosen, one = settings, Gather()
    for (path, values), position in zip(axes, positions, strict=True):
        chosen = _put(chosen, path, values[position])
    variant = one.attempt((), partial(checked, model, chosen))
    where = {path: position for (path, _), position in zip(axes, positions, strict=True)}
    gather.faults += [fault._replace(path=_as_written(fault.path, where)) for fault in one.faults]
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
