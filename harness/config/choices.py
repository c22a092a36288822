"""Plug-ins as a sweep file picks them: a name with settings, checked against the plug-in's own model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from harness.config.registries import Registries, Scope
from harness.config.value_types import ModelName
from harness.errors import UserError, UserErrors, did_you_mean
from harness.labelling.labels.teacher import Teacher
from harness.losses.spec import LossChoice
from harness.plugins import Plugin, Settings, refusal
from harness.retrieval.student_type import StudentType
from harness.validation import ErrorCollector, Fault, checked, failure, value_text

P = TypeVar("P", bound=Plugin)

CollectionChoice = str | dict[str, Any]
"""``semanlink``, ``beir/scifact``, ``irds:ID``, ``{folder: PATH}``."""
Role = Literal["ranker", "retriever"]


@dataclass(frozen=True)
class TeacherChoice:
    """A teacher that the sweep defines: the class of its `kind` and the settings to make it with."""

    kind: str
    plugin: type[Teacher]
    settings: Settings


@dataclass(frozen=True)
class StudentChoice:
    """A student of a type: what it is made from, and the type with its settings."""

    student: StudentType
    model: str


@dataclass(frozen=True)
class Shared:
    """What the sweep says for all methods; None where that is wrong itself."""

    teachers: Mapping[str, TeacherChoice] | None
    losses: Mapping[Role, tuple[LossChoice, ...]]
    budgets: tuple[int, ...] | None


def pick(value: Any, key: str, known: Mapping[str, type[P]], what: str) -> tuple[type[P], dict[str, Any]]:
    """The class that ``value[key]`` names among the `known`, and the rest of `value`. Raises ValidationError."""
    if not isinstance(value, dict):
        remedy = f"write {{{key}: NAME}}; {did_you_mean('', known)}"
        raise failure([Fault((), f"must name a {what} in a mapping, not be {value_text(value)}", remedy)])
    if key not in value:
        raise failure([Fault((key,), "this key is required", did_you_mean("", known), missing=True)])
    name = value[key]
    if not isinstance(name, str) or name not in known:
        given = f"'{name}'" if isinstance(name, str) else value_text(name)
        broken = refusal(known, str(name))
        remedy = f"{broken.message} ({broken.file}:{broken.line})" if broken else did_you_mean(str(name), known)
        raise failure([Fault((key,), f"unknown {what} {given}", remedy)])
    return known[name], {other: item for other, item in value.items() if other != key}


def teacher_choice(value: Any, registries: Registries) -> TeacherChoice:
    """``{kind: KIND, **settings}``. Raises ValidationError."""
    plugin, settings = pick(value, "kind", registries.teachers, "kind of teacher")
    return TeacherChoice(plugin.name, plugin, checked(plugin.Settings, settings))


def student_choice(value: Any, registries: Registries) -> StudentChoice:
    """``{type: TYPE, model: MODEL, **settings}``. Raises ValidationError with every fault."""
    plugin, given = pick(value, "type", registries.students, "type of student")
    collector = ErrorCollector()
    model = collector.attempt((), partial(checked, _Model, {key: given.pop(key) for key in ("model",) if key in given}))
    settings = collector.attempt((), partial(checked, plugin.Settings, given))
    collector.finish()
    assert model is not None and settings is not None, "faults were raised"
    return StudentChoice(plugin(settings), model.model)


class _Model(Settings):
    model: ModelName


def loss_choice(value: Any, role: Role, registries: Registries) -> LossChoice:
    """``NAME`` or ``{name: NAME, **settings}`` in its shortest form. Raises ValidationError."""
    plugin, settings = pick({"name": value} if isinstance(value, str) else value, "name", registries.losses, "loss")
    made = checked(plugin.Settings, settings)
    unfit = [(path, part) for path, part in plugin.parts(made) if part.role not in (role, "both")]
    if unfit:
        fitting = ", ".join(sorted(name for name, loss in registries.losses.items() if loss.role in (role, "both")))
        raise failure(
            Fault(path, f"the loss '{part.name}' is for a {part.role}, not for a {role}", f"for a {role}: {fitting}")
            for path, part in unfit
        )
    chosen = made.model_dump(mode="json", exclude_defaults=True)
    return {"name": plugin.name, **chosen} if chosen else plugin.name


def collection_choice(value: Any, scope: Scope) -> CollectionChoice:
    """A collection whose name and settings are right; its data is not looked at. Raises ValidationError."""
    if not isinstance(value, (str, dict)):
        raise failure([Fault((), f"must be the name of a collection or a mapping, not {value_text(value)}")])
    try:
        scope.registries.collection(value, scope.source.path.parent)
    except UserError as error:
        raise failure(
            _complaint(one, value) for one in (error.errors if isinstance(error, UserErrors) else (error,))
        ) from error
    return value


def _complaint(error: UserError, value: str | dict[str, Any]) -> Fault:
    path = tuple(error.key.split(".")) if error.key else ()
    if isinstance(value, str):
        return Fault((), ": ".join([*path[:1], error.message]), error.remedy)
    return Fault(path, error.message, error.remedy, missing=len(path) == 1 and path[0] not in value)


def metric_name(value: str, registries: Registries) -> str:
    """A metric in its own spelling (``ndcg@10`` is ``nDCG@10``). Raises ValidationError."""
    try:
        return str(registries.metric(value))
    except UserError as error:
        raise failure([Fault((), error.message, error.remedy)]) from error
