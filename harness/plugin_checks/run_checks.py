"""A plug-in of any kind, tried against the contracts of its kind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.checked_plugins import note_passed
from harness.collections.collection import CollectionSource
from harness.errors import UserError, did_you_mean
from harness.labelling.labels.teacher import Teacher
from harness.losses.loss import Loss
from harness.method import Method
from harness.plugin_checks import collection_checks, loss_checks, method_checks, student_checks, teacher_checks
from harness.plugin_checks.check import TIMEOUT, Check, CheckReport, run_checks
from harness.plugins import Plugin, plugins, refusal
from harness.progress import Progress
from harness.retrieval.student_type import StudentType
from harness.source_hash import source_hash
from harness.validation import validated


class CheckedKind(NamedTuple):
    """A kind of plug-in that can be checked."""

    plugin: type[Plugin]
    contracts: Sequence[Check[Any]]
    setup: Callable[[Any, Any, Path], Any]
    """What the checks get, from the plug-in, its settings and an empty folder."""


CHECKS = {
    "baseline": CheckedKind(Method, method_checks.CONTRACTS, method_checks.MethodSetup),
    "teacher": CheckedKind(Teacher, teacher_checks.CONTRACTS, teacher_checks.TeacherSetup),
    "loss": CheckedKind(
        Loss, loss_checks.CONTRACTS, lambda plugin, settings, home: loss_checks.LossCase(plugin, settings)
    ),
    "student": CheckedKind(StudentType, student_checks.CONTRACTS, student_checks.StudentSetup),
    "collection": CheckedKind(CollectionSource, collection_checks.CONTRACTS, collection_checks.CollectionSetup),
}


def check(
    kind: str,
    plugin: type[Plugin],
    given: Mapping[str, Any] | None = None,
    progress: Progress = lambda done, total, unit="": None,
    timeout: float = TIMEOUT,
) -> CheckReport:
    """Every contract of a kind of plug-in tried on `plugin` with the settings `given`; relative paths in those start
    from here.

    A baseline is run a dozen times with a budget of 20 on a made-up collection, once in a process of its own and once
    killed, so it must be importable by module and name. A teacher is asked about six queries, and one that costs money
    costs that. A contract that is not kept after `timeout` seconds is broken. One that passes is noted with the hash of
    its source, for the cards of its runs. Raises UserErrors on wrong settings.
    """
    settings = settings_of(kind, plugin, given or {})
    with tempfile.TemporaryDirectory(prefix="harness-contracts-") as home:
        setup, contracts = CHECKS[kind].setup(plugin, settings, Path(home)), CHECKS[kind].contracts
        report = run_checks(kind, plugin.name, setup, contracts, progress, timeout)
    if report.ok and (code := source_hash(plugin)) is not None:
        note_passed(str(getattr(plugin, "entry_point_group", "")), plugin.name, code)
    return report


def found(kind: str, name: str) -> type[Plugin]:
    """The installed plug-in of that name. Raises UserError: what is wrong with it, or the nearest name and how a new
    one is found."""
    known = plugins(CHECKS[kind].plugin)
    if name not in known:
        raise refusal(known, name) or UserError(
            f"there is no {kind} '{name}'",
            remedy=f"{did_you_mean(name, known)}\n  a new package is found after: pip install -e FOLDER\n"
            "  a file without one: --plugins FILE.py",
        )
    return known[name]


def settings_of(kind: str, plugin: type[Plugin], given: Mapping[str, Any]) -> Any:
    """The settings of a plug-in with those `given`. Raises UserErrors that name every wrong or missing one."""
    group = {"baseline": "methods", "loss": "losses"}.get(kind, f"{kind}s")
    needed = [key for key, field in plugin.Settings.model_fields.items() if field.is_required() and key not in given]
    show = f"harness show {group} {plugin.name}; settings are given with --set {needed[0] if needed else 'KEY'}=VALUE"
    return validated(plugin.Settings, dict(given), what=f"the {kind} '{plugin.name}'", show=show)
