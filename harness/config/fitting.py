"""Which teachers label for a method: those it names, or all that give what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from harness.config.choices import Shared
from harness.config.registries import Scope
from harness.errors import did_you_mean
from harness.labelling.labels.teacher import GIVES, Teacher
from harness.method import Method
from harness.validation import Fault, failure


def unused(plugin: type[Method], key: str, axis: str) -> Fault:
    """`key` says something about an axis that makes no difference to the method."""
    return Fault((key,), f"'{plugin.name}' uses no {axis}", "remove this key")


def teachers_for(plugin: type[Method], named: tuple[str, ...] | None, scope: Scope, shared: Shared) -> tuple[str, ...]:
    """Names of teachers, none when the method uses no teacher. Raises ValidationError when one is unknown or none is
    fit."""
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
    fitting = tuple(name for name, teacher in shared.teachers.items() if not lacks(teacher.plugin, plugin))
    if not fitting:
        needed = _needed(plugin)
        lack = f"none of the defined teachers gives {_words(needed)}" if shared.teachers else "the sweep defines none"
        raise failure([Fault((), f"'{plugin.name}' needs a teacher, and {lack}", _remedy(plugin, scope))])
    return fitting


def lacks(teacher: type[Teacher], plugin: type[Method]) -> tuple[str, ...]:
    """What the method needs of a teacher and this kind of teacher does not give."""
    return tuple(need for need in _needed(plugin) if need not in teacher.gives)


def _needed(plugin: type[Method]) -> tuple[str, ...]:
    return tuple(need for need in plugin.needs if need in GIVES)


def _unfit(plugin: type[Method], named: tuple[str, ...], scope: Scope, shared: Shared) -> Iterator[Fault]:
    for index, name in enumerate(named):
        place = ("teachers", index)
        if name not in scope.teachers:
            yield Fault(place, f"there is no teacher '{name}'", did_you_mean(name, scope.teachers))
        elif shared.teachers and name in shared.teachers and (missing := lacks(shared.teachers[name].plugin, plugin)):
            given = _words(shared.teachers[name].plugin.gives)
            message = (
                f"'{plugin.name}' needs {_words(missing)}, which '{name}' does not give: a "
                f"{shared.teachers[name].kind} gives {given}"
            )
            yield Fault(place, message, _remedy(plugin, scope))


def _remedy(plugin: type[Method], scope: Scope) -> str:
    """Which kinds of teacher would do; all give an order."""
    if set(_needed(plugin)) <= {"order"}:
        return "define one: teachers: {NAME: {kind: KIND, ...}}; see: harness list teachers"
    kinds = [kind for kind, teacher in scope.registries.teachers.items() if not lacks(teacher, plugin)]
    if not kinds:
        return f"leave '{plugin.name}' out: no kind of teacher that is installed gives {_words(_needed(plugin))}"
    return f"define one: teachers: {{NAME: {{kind: KIND, ...}}}}, KIND being {' or '.join(kinds)}"


def _words(items: tuple[str, ...]) -> str:
    return " and ".join(items)
