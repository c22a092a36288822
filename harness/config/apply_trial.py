"""A trial meets a method: the settings that it tries there, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import BaseModel

from harness.config.annotations import fields_by_key
from harness.config.choices import loss_choice
from harness.config.registries import Registries
from harness.config.trials import TrialChange, WrittenTrial
from harness.config.variants import ROLES
from harness.errors import did_you_mean
from harness.plugins import Settings
from harness.validation import ErrorCollector, Fault, KeyPath, checked, dotted, models_in

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class AppliedTrial:
    """All settings of one trial of a method, and the values that the trial sets, by dotted name."""

    settings: Settings
    changed: Plain


def apply_trial(
    settings: Settings, trial: WrittenTrial, registries: Registries, collector: ErrorCollector
) -> AppliedTrial | None:
    """`settings` as `trial` changes them, or None with the reasons in `collector`; their paths start from the
    trials."""
    written, defaults = settings.model_dump(by_alias=True, exclude_unset=True), settings.model_dump(by_alias=True)
    models = _models(type(settings), defaults, registries)
    refused = [fault for change in trial.changes if (fault := _refused(change, models, written))]
    if refused:
        collector.faults += refused
        return None
    one, changed = ErrorCollector(), written
    for change in trial.changes:
        changed = _put(changed, defaults, change.path, change.value)
    for role in ROLES:
        if (key := f"{role}_loss") in changed and key in {change.path[0] for change in trial.changes}:
            changed[key] = one.attempt((key,), partial(loss_choice, changed[key], role, registries))
    found = None if one.faults else one.attempt((), partial(checked, type(settings), changed))
    collector.faults += [fault._replace(path=_place(fault.path, trial)) for fault in one.faults]
    return AppliedTrial(found, trial.changed) if found is not None else None


Models = Mapping[str, Sequence[type[BaseModel]]]
"""By setting: the models of the settings inside it."""


def _models(model: type[Settings], values: Plain, registries: Registries) -> Models:
    """For losses the settings of the loss that is used."""
    inner = {key: list(models_in(field.annotation)) for key, field in fields_by_key([model]).items()}
    for key in (f"{role}_loss" for role in ROLES):
        loss = values.get(key)
        if name := loss.get("name") if isinstance(loss, dict) else loss:
            inner[key] = [registries.losses[name].Settings]
    return inner


def _refused(change: TrialChange, models: Models, written: Plain) -> Fault | None:
    name = dotted(change.path)
    if change.path[0] not in models or (change.path[1:] and not _has(models[change.path[0]], change.path[1:])):
        known = [found for key, inner in models.items() for found in (key, *_names(inner, f"{key}."))]
        remedy = did_you_mean(
            name, known, "Where methods differ in what they have, give them trials of their own: tune.methods"
        )
        return Fault(change.key, f"unknown setting '{name}'", remedy)
    if _holds(written, change.path):
        return Fault(change.key, f"'{name}' is tuned here and set with the method too", "keep one of the two")
    return None


def _has(models: Iterable[type[BaseModel]], path: Sequence[str]) -> bool:
    fields = fields_by_key(models)
    return path[0] in fields and (len(path) == 1 or _has(list(models_in(fields[path[0]].annotation)), path[1:]))


def _names(models: Iterable[type[BaseModel]], prefix: str) -> Iterator[str]:
    for key, field in fields_by_key(models).items():
        yield prefix + key
        yield from _names(list(models_in(field.annotation)), f"{prefix}{key}.")


def _holds(value: Any, path: Sequence[str]) -> bool:
    return not path or (isinstance(value, dict) and path[0] in value and _holds(value[path[0]], path[1:]))


def _put(settings: Plain, defaults: Plain, path: Sequence[str], value: Any) -> dict[str, Any]:
    """`settings` with `value` at `path`; what a part on the way leaves out comes from `defaults`."""
    key, *rest = path
    if not rest:
        return {**settings, key: value}
    default = defaults.get(key)
    inner = settings.get(key, default)
    part = {"name": inner} if isinstance(inner, str) else inner or {}
    return {**settings, key: _put(part, default if isinstance(default, dict) else {}, rest, value)}


def _place(path: KeyPath, trial: WrittenTrial) -> KeyPath:
    """Where the value at `path` of the settings is written; the trial itself when it is none of the trial's own."""
    near = (
        change
        for change in trial.changes
        if change.path == path[: len(change.path)] or path == change.path[: len(path)] != ()
    )
    return next((change.place for change in near), trial.place)
