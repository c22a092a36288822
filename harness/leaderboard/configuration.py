"""Which published runs are runs of one and the same configuration, and how configurations differ."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import JsonValue

from harness.evaluation.significance.hierarchical import Design
from harness.published.card import Card
from harness.published.result_folder import Published
from harness.text import plain

_COLUMNS = ("ranker_loss", "retriever_loss")
"""Settings that have a column of their own."""
_MOST_NAMED = 3
"""Folders that a note names."""
Flat = dict[str, JsonValue]
Cell = tuple[str, int | None, int | None]


@dataclass(frozen=True)
class Configuration:
    """Runs that differ in resample and seed only, one of each."""

    runs: tuple[Published, ...]

    @property
    def card(self) -> Card:
        """The card of the first run; what all runs share."""
        return self.runs[0].card

    @property
    def method(self) -> str:
        """How the method is called on the board."""
        return plain(self.card.method.label or self.card.method.name)

    @property
    def teacher(self) -> str | None:
        """The teacher's name in its sweep."""
        return plain(self.card.teacher.name) if self.card.teacher else None

    @property
    def design(self) -> Design:
        """Resample and seed of each run."""
        return tuple((run.card.resample, run.card.seed) for run in self.runs)

    @property
    def shared(self) -> float | None:
        """The part of their training queries that its resamples share; None where a card does not tell it, 0 where no
        draw has a part in it."""
        parts = [run.card.shared_queries for run in self.runs if run.card.resample is not None]
        known = [part for part in parts if part is not None]
        return None if len(known) < len(parts) else max(known, default=0.0)

    @cached_property
    def identity(self) -> str:
        """Equal for the same configuration on another collection."""
        return _identity(self.card)

    @cached_property
    def own_settings(self) -> Flat:
        """What the method was given, by dotted name."""
        card = self.card
        given: dict[str, JsonValue] = {"student": card.student, "ranker_start": card.ranker, **card.setup}
        if card.data.training_data:
            given["training_queries"] = "+".join(source.name for source in card.data.training_data)
        settings = {key: value for key, value in card.method.settings.items() if key not in _COLUMNS}
        return {**dict(_flat(settings)), **dict(_flat(given)), **_tuned(card)}

    @cached_property
    def teacher_settings(self) -> Flat:
        """What the teacher was given, by dotted name."""
        teacher = self.card.teacher
        if teacher is None:
            return {}
        return {
            f"teacher.{key}": value
            for key, value in _flat({"kind": teacher.kind, "model": teacher.model, **teacher.settings})
        }


def _tuned(card: Card) -> Flat:
    """What was tuned stands for the values, which may differ from run to run, and how it was."""
    if card.tuning is None:
        return {}
    names = dict.fromkeys(name for trial in card.tuning.trials for name in trial.settings)
    how = f"{len(card.tuning.trials)} trials on {card.tuning.split} by {card.tuning.metric}"
    return {**dict.fromkeys(names, "tuned"), "tuning": how}


def configurations(runs: Sequence[Published]) -> tuple[list[Configuration], list[str]]:
    """Runs grouped by everything but resample and seed, and notes on runs that were left out because a newer one says
    the same."""
    newest, notes = _newest(runs)
    groups: dict[str, list[Published]] = defaultdict(list)
    for run in newest:
        groups[_identity(run.card)].append(run)
    ordered = (sorted(group, key=lambda run: (run.card.resample or 0, run.card.seed or 0)) for group in groups.values())
    return [Configuration(tuple(group)) for group in ordered], notes


def _newest(runs: Sequence[Published]) -> tuple[list[Published], list[str]]:
    kept: dict[Cell, Published] = {}
    replaced: list[str] = []
    for run in sorted(runs, key=lambda run: (run.card.created, run.card.tag)):
        cell = cell_of(run.card)
        if cell in kept:
            replaced.append(f"{plain(run.folder.name)} takes the place of {plain(kept[cell].folder.name)}")
        kept[cell] = run
    more = f" and {len(replaced) - _MOST_NAMED} more" if len(replaced) > _MOST_NAMED else ""
    named = f"{'; '.join(replaced[:_MOST_NAMED])}{more}"
    notes = [f"{len(replaced)} older runs of cells that were published again are left out: {named}"] if replaced else []
    return sorted(kept.values(), key=lambda run: run.card.tag), notes


def cell_of(card: Card) -> Cell:
    """Equal for runs of one cell: the configuration, with its resample and seed."""
    return _identity(card), card.resample, card.seed


def _identity(card: Card) -> str:
    """Equal for cards of the same configuration."""
    teacher = card.teacher.model_dump(mode="json") if card.teacher else None
    method = card.method.model_dump(mode="json", include={"name", "label", "category", "settings"})
    data = [source.name for source in card.data.training_data]
    own = [card.ranker_loss, card.retriever_loss, card.budget, card.student, card.ranker, card.setup]
    tuned = card.tuning and [card.tuning.split, card.tuning.metric, [trial.settings for trial in card.tuning.trials]]
    return json.dumps([method, teacher, data, own, tuned], sort_keys=True)


def variants(found: Sequence[Configuration]) -> list[str]:
    """For each configuration the settings in which it differs from others of its method, or of its teacher's name."""
    by_method = _differing((one.method, one.own_settings) for one in found)
    by_teacher = _differing((one.teacher, one.teacher_settings) for one in found)
    return [
        ", ".join(
            [
                *_assignments(one.own_settings, by_method[one.method]),
                *_assignments(one.teacher_settings, by_teacher[one.teacher]),
            ]
        )
        for one in found
    ]


def _differing(groups: Iterator[tuple[str | None, Flat]]) -> dict[str | None, list[str]]:
    values: dict[str | None, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    members: dict[str | None, list[Flat]] = defaultdict(list)
    for name, flat in groups:
        members[name].append(flat)
    for name, flats in members.items():
        for key in dict.fromkeys(key for flat in flats for key in flat):
            values[name][key] = {json.dumps(flat.get(key), sort_keys=True) for flat in flats}
    return {name: [key for key, seen in values[name].items() if len(seen) > 1] for name in members}


def _assignments(flat: Flat, keys: Sequence[str]) -> list[str]:
    return [plain(f"{key}={_setting_text(flat[key])}") for key in keys if key in flat]


def _setting_text(value: JsonValue) -> str:
    """A setting's value in few characters."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return "+".join(_setting_text(item) for item in value)
    return str(value)


def _flat(settings: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value
