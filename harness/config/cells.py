"""From a sweep to its cells: the product of its axes without those that make no difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from harness.config.apply_trial import AppliedTrial
from harness.config.choices import CollectionChoice, Role
from harness.config.method_entries import MethodChoice
from harness.config.sweep_file import SweepFile
from harness.config.variants import ROLES
from harness.method import Method
from harness.plugins import Settings

_COLUMNS = tuple(f"{role}_loss" for role in ROLES)
"""Settings that boards show in columns of their own."""


@dataclass(frozen=True)
class Cell:
    """One point of the sweep. Axes that make no difference to the method are None."""

    collection: CollectionChoice
    method: type[Method]
    settings: Settings
    label: str
    """The method's name on boards; it names the settings in which the sweep's variants differ, losses apart."""
    teacher: str | None
    budget: int | None
    resample: int | None
    seed: int | None
    entry: str = ""
    """The name that the sweep file gave the method, settings left out; empty for the method's own."""
    trials: tuple[AppliedTrial, ...] = ()
    """What the cell chooses from; empty where nothing is tuned."""

    def loss(self, role: Role) -> str | None:
        """The ranker's or retriever's loss as boards show it, None for a method without one."""
        value = getattr(self.settings, f"{role}_loss", None)
        return _text(value) if value else None

    def __str__(self) -> str:
        place = self.collection if isinstance(self.collection, str) else next(iter(self.collection.values()), "")
        losses = [loss for role in ROLES if (loss := self.loss(role))]
        numbers = {"budget": self.budget, "resample": self.resample, "seed": self.seed}
        axes = [f"{axis} {value}" for axis, value in numbers.items() if value is not None]
        return " ".join([str(place), self.label, *losses, *([self.teacher] if self.teacher else []), *axes])


@dataclass(frozen=True)
class Expansion:
    """The cells of a sweep, and how many points of its axes were left out because they mean the same as one of them."""

    cells: tuple[Cell, ...]
    dropped: int


@dataclass(frozen=True)
class _Variant:
    choice: MethodChoice
    settings: Settings
    mark: str
    """Equal marks mean equal settings."""


def expand(sweep: SweepFile) -> Expansion:
    """Every distinct cell, in the order of the file: collection, method, settings, teacher, budget, resample, seed."""
    variants = [
        _Variant(choice, settings, settings.model_dump_json())
        for choice in sweep.methods
        for settings in choice.variants
    ]
    labels = _labels(variants)
    places = [(collection, json.dumps(collection, sort_keys=True)) for collection in sweep.collections]
    found: dict[tuple[Any, ...], Cell] = {}
    for (collection, place), variant in product(places, variants):
        choice, method = variant.choice, variant.choice.plugin
        label, entry = labels[choice.label, variant.mark], choice.label if choice.label != method.name else ""
        trials = sweep.tune.trials.get((choice.label, variant.mark), ()) if sweep.tune else ()
        for teacher, budget, resample, seed in product(*_axes(choice, sweep)):
            key = (place, method.name, label, variant.mark, teacher, budget, resample, seed)
            if key not in found:
                found[key] = Cell(
                    collection, method, variant.settings, label, teacher, budget, resample, seed, entry, trials
                )
    return Expansion(tuple(found.values()), _points(variants, sweep) * len(places) - len(found))


def _axes(choice: MethodChoice, sweep: SweepFile) -> Iterator[tuple[Any, ...]]:
    """Values of teacher, budget, resample and seed; only None where the axis makes no difference."""
    given = {"teacher": choice.teachers, "budget": choice.budgets, "resample": sweep.resamples, "seed": sweep.seeds}
    return (values if axis in choice.plugin.axes else (None,) for axis, values in given.items())


def _points(variants: list[_Variant], sweep: SweepFile) -> int:
    """How many points the axes have when every method is crossed with all of them."""
    numbers = len(sweep.resamples) * len(sweep.seeds)
    return sum(
        len(variant.choice.teachers or sweep.teachers or [None])
        * len(variant.choice.budgets or sweep.budgets or [None])
        * numbers
        for variant in variants
    )


def _labels(variants: list[_Variant]) -> dict[tuple[str, str], str]:
    """A label of its own for every set of settings under one name, by name and mark of the settings."""
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for variant in variants:
        groups.setdefault(variant.choice.label, {})[variant.mark] = dict(
            _flat(variant.settings.model_dump(mode="json", exclude=set(_COLUMNS)))
        )
    return {(name, mark): label for name, group in groups.items() for mark, label in _group_labels(name, group)}


def _group_labels(name: str, group: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Mark and label of all settings under `name`: it, and what varies among them."""
    keys = dict.fromkeys(key for settings in group.values() for key in settings)
    texts = {key: [_text(settings.get(key)) for settings in group.values()] for key in keys}
    varied = {key: values for key, values in texts.items() if len(set(values)) > 1}
    for number, mark in enumerate(group):
        yield mark, " ".join([name, *(f"{key}={values[number]}" for key, values in varied.items())])


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _text(value: Any) -> str:
    if isinstance(value, dict) and "name" in value:
        return " ".join([str(value["name"]), *(f"{key}={_text(item)}" for key, item in value.items() if key != "name")])
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value, ensure_ascii=False)
