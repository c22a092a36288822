"""Trials as a sweep file writes them: lists of values whose combinations are tried, or the trials one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator, WithJsonSchema

from harness.config.value_types import distinct, listed
from harness.config.variants import ROLES
from harness.validation import Fault, KeyPath, dotted, failure, value_text

MOST_TRIALS = 1000
"""More trials than this are taken for a mistake."""
_LOSSES = tuple(f"{role}_loss" for role in ROLES)


class TrialChange(NamedTuple):
    """One setting that a trial changes: its path among the settings of a method, its value, and where both are
    written."""

    path: tuple[str, ...]
    value: Any
    key: KeyPath
    place: KeyPath


@dataclass(frozen=True)
class WrittenTrial:
    """One trial before it meets a method. `place` is where it is written below the trials."""

    changes: tuple[TrialChange, ...]
    place: KeyPath

    @property
    def changed(self) -> dict[str, Any]:
        """The values by the dotted names of their settings."""
        return {dotted(change.path): change.value for change in self.changes}


def read_trials(value: Any) -> tuple[WrittenTrial, ...]:
    """Settings with lists of values, every combination of which is a trial, or a list of trials; what is written twice
    counts once.

    Raises ValidationError.
    """
    if not isinstance(value, (dict, list)) or not value:
        raise failure(
            [Fault((), f"must be settings with lists of values, or a list of trials, not {value_text(value)}")]
        )
    found = _combinations(value) if isinstance(value, dict) else _one_by_one(value)
    if faults := dict.fromkeys(fault for trial in found for fault in _faults(trial)):
        raise failure(faults)
    return distinct(found, mark=lambda trial: trial.changed)


Trials = Annotated[
    tuple[WrittenTrial, ...],
    PlainValidator(read_trials),
    WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}),
]


def _combinations(value: Mapping[str, Any]) -> list[WrittenTrial]:
    given = list(_flat(value))
    empty = [Fault(change.key, "must name at least one value") for change in given if change.value == []]
    if math.prod(len(listed(change.value)) for change in given) > MOST_TRIALS:
        empty.append(_too_many())
    if empty:
        raise failure(empty)
    return [WrittenTrial(changes, ()) for changes in product(*(list(_values(change)) for change in given))]


def _values(axis: TrialChange) -> Iterator[TrialChange]:
    if not isinstance(axis.value, list):
        yield axis
        return
    for index, value in enumerate(axis.value):
        yield axis._replace(value=value, place=(*axis.key, index))


def _one_by_one(value: Sequence[Any]) -> list[WrittenTrial]:
    wrong = [
        Fault((index,), f"must be a mapping of settings to values, not {value_text(item)}")
        for index, item in enumerate(value)
        if not isinstance(item, dict)
    ]
    if wrong or len(value) > MOST_TRIALS:
        raise failure(wrong or [_too_many()])
    return [WrittenTrial(tuple(_flat(item, place=(index,))), (index,)) for index, item in enumerate(value)]


def _too_many() -> Fault:
    return Fault((), f"these are more than {MOST_TRIALS:,} trials", "shorten the lists")


def _flat(settings: Mapping[str, Any], path: tuple[str, ...] = (), place: KeyPath = ()) -> Iterator[TrialChange]:
    """Every setting with its value; ``a.b: 1`` and ``a: {b: 1}`` mean the same."""
    for key, value in settings.items():
        inner = (*path, *str(key).split("."))
        if isinstance(value, dict) and value:
            yield from _flat(value, inner, (*place, key))
        else:
            yield TrialChange(inner, value, (*place, key), (*place, key))


def _faults(trial: WrittenTrial) -> Iterator[Fault]:
    seen: set[tuple[str, ...]] = set()
    for change in trial.changes:
        if change.path in seen:
            yield Fault(change.key, f"'{dotted(change.path)}' is given twice", "keep one of the two")
        seen.add(change.path)
        if change.path[0] in _LOSSES and change.path[1:] in ((), ("name",)):
            role = change.path[0].removesuffix("_loss")
            yield Fault(
                change.key,
                "which loss is used cannot be tuned: losses are compared",
                f"list them under losses.{role}; to tune a setting of theirs write for example "
                f"{change.path[0]}.temperature",
            )
