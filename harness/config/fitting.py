"""Which teachers label for a method: those it names, or all that give what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from harness.config.choices import Shared, TeacherChoice
from harness.config.explain import Fault, failure
from harness.config.registries import Scope
from harness.errors import did_you_mean
from harness.method import Method


def unused(plugin: type[Method], key: str, axis: str) -> Fault:
    """`key` says something about an axis that makes no difference to the method."""
    return Fault((key,), f"'{plugin.name}' uses no {axis}", "remove this key")


def teachers_for(plugin: type[Method], named: tuple[str, ...] | None, scope: Scope, shared: Shared) -> tuple[str, ...]:
    """Names of teachers, none when the method uses no teacher. Raises ValidationError when one is unknown or none is fit."""
    if "teacher" not in plugin.axes:
        if named:
            raise failure([unused(plugin, "teachers", "teacher")])
        return ()
    if named is not None:
        faults = list(_unfit(plugin, named, scope, shared))
        if faults:
            raise failure(faults)
        return named
    if shared.teachers is None:
        return ()
    fitting = tuple(name for name, teacher in shared.teachers.items() if _serves(teacher, plugin))
    if not fitting:
        lack = f"none of the defined teachers gives {_white(plugin)}" if shared.teachers else "the sweep defines none"
        raise failure([Fault((), f"'{plugin.name}' needs a teacher, and {lack}", "define one: teachers: {NAME: {kind: KIND, ...}}")])
    return fitting


def _unfit(plugin: type[Method], named: tuple[str, ...], scope: Scope, shared: Shared) -> Iterator[Fault]:
    for index, name in enumerate(named):
        if name not in scope.teachers:
            yield Fault(("teachers", index), f"there is no teacher '{name}'", did_you_mean(name, scope.teachers))
        elif shared.teachers and name in shared.teachers and not _serves(shared.teachers[name], plugin):
            yield Fault(("teachers", index), f"'{plugin.name}' needs {_white(plugin)}, which '{name}' does not give: it is a black box")


def _white(plugin: type[Method]) -> str:
    return " and ".join(need for need in plugin.needs if need in ("likelihoods", "attention"))


def _serves(teacher: TeacherChoice, plugin: type[Method]) -> bool:
    return teacher.plugin.box == "white" or not _white(plugin)
