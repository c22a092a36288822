"""One entry of `methods`: which method, with which teachers, budgets and settings; a list of values for a setting is an
axis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import Field

from harness.config.choices import Shared, pick
from harness.config.fitting import teachers_for, unused
from harness.config.registries import Scope
from harness.config.value_types import Budgets, Many
from harness.config.variants import variants, with_losses
from harness.method import Method
from harness.plugins import Settings
from harness.validation import ErrorCollector, Fault, checked, failure

_LIST = "for example [bm25, zero-shot]; `harness list methods` has all"


class MethodKeys(Settings):
    """What every entry of `methods` may say beside the settings of its method."""

    method: str = Field(description="the method's name, as `harness list methods` prints it")
    label: str | None = Field(default=None, min_length=1, description="its name on boards; the method's own by default")
    teachers: Many[str] | None = Field(
        default=None, description="which of the defined teachers label for it; all that can, by default"
    )
    budgets: Budgets | None = Field(default=None, description="budgets for this method only")


@dataclass(frozen=True)
class MethodChoice:
    """A method that the sweep runs. `teachers` and `budgets` are empty where they make no difference to it."""

    plugin: type[Method]
    label: str
    teachers: tuple[str, ...]
    budgets: tuple[int, ...]
    variants: tuple[Settings, ...]
    """Every combination of the values of its settings."""


def method_choices(value: Any, scope: Scope, shared: Shared) -> tuple[MethodChoice, ...]:
    """All entries of `methods`. Raises ValidationError with the faults of all of them."""
    if not isinstance(value, list) or not value:
        known = [name for name in value if name in scope.registries.methods] if isinstance(value, dict) else []
        remedy = f"write [{', '.join(map(str, known))}], settings as {{method: NAME, ...}}" if known else _LIST
        raise failure([Fault((), "must be a list of at least one method", remedy)])
    collector = ErrorCollector()
    found = [collector.attempt((index,), partial(_choice, item, scope, shared)) for index, item in enumerate(value)]
    choices = {index: choice for index, choice in enumerate(found) if choice is not None}
    collector.faults += [*_clashes(choices), *_unbudgeted(choices, shared)]
    collector.finish()
    return tuple(choices.values())


def _choice(value: Any, scope: Scope, shared: Shared) -> MethodChoice:
    entry = {"method": value} if isinstance(value, str) else value
    if isinstance(entry, dict) and "method" not in entry and (named := _named(entry, scope)) is not None:
        raise failure([Fault((), f"does not say `method`, and '{named}' is one", _example(named, entry[named]))])
    plugin, rest = pick(entry, "method", scope.registries.methods, "method")
    collector = ErrorCollector()
    settings = with_losses(plugin.Settings, _part(rest, own=False), shared, scope.registries, collector)
    found = collector.attempt((), partial(variants, plugin.Settings, settings))
    keys = collector.attempt((), partial(checked, MethodKeys, {"method": plugin.name, **_part(rest, own=True)}))
    teachers = collector.attempt((), partial(teachers_for, plugin, keys.teachers if keys else None, scope, shared))
    if keys and keys.budgets and "budget" not in plugin.axes:
        collector.faults.append(unused(plugin, "budgets", "budget"))
    collector.finish()
    assert keys and found and teachers is not None
    budgets = (keys.budgets or shared.budgets or ()) if "budget" in plugin.axes else ()
    return MethodChoice(plugin, keys.label or plugin.name, teachers, budgets, found)


def _named(entry: Mapping[Any, Any], scope: Scope) -> str | None:
    """The method that an entry has as its key, as other tools write it."""
    return next((key for key in entry if isinstance(key, str) and key in scope.registries.methods), None)


def _example(name: str, settings: Any) -> str:
    keys = list(settings) if isinstance(settings, dict) else []
    return f"write {{{', '.join([f'method: {name}', *(f'{key}: ...' for key in keys)])}}}"


def _part(entry: Mapping[str, Any], own: bool) -> dict[str, Any]:
    """The keys of an entry that belong to the entry itself, or those that are settings of the method."""
    return {key: item for key, item in entry.items() if (key in MethodKeys.model_fields) == own}


def _clashes(choices: Mapping[int, MethodChoice]) -> Iterator[Fault]:
    owners: dict[str, type[Method]] = {}
    for index, choice in choices.items():
        owner = owners.setdefault(choice.label, choice.plugin)
        if owner is not choice.plugin:
            message = f"'{owner.name}' and '{choice.plugin.name}' are both called '{choice.label}'"
            yield Fault((index, "label"), message, "give each method a label of its own")


def _unbudgeted(choices: Mapping[int, MethodChoice], shared: Shared) -> Iterator[Fault]:
    lacking = {
        index: choice.label
        for index, choice in choices.items()
        if "budget" in choice.plugin.axes and not choice.budgets
    }
    if lacking and shared.budgets is not None:
        names = ", ".join(f"'{name}'" for name in dict.fromkeys(lacking.values()))
        yield Fault(
            (min(lacking),),
            f"no budgets are given, and these methods need some: {names}",
            "add for example budgets: [100, 300, 1000]",
        )
