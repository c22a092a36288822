"""What a method must not see, each as a trial in which it is another: a method that keeps from it ends as before.

All of it is changed at once first, here and in a process of its own, where nothing of an earlier run is left; only when
that makes a difference, one after another, so that the reason has a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from harness.plugin_checks.check import Broken, NotChecked
from harness.plugin_checks.check_setup import BUDGET, CheckSetup, CheckVariant
from harness.plugin_checks.fixture import FixtureVariant, query_ids
from harness.plugin_checks.repetition import Repetition
from harness.plugin_checks.stub_teacher import StubTeacher
from harness.plugin_checks.subprocess_run import run_in_subprocess
from harness.stage import digest

KEPT = "; a process that had seen the old ones gave the old result again, so it keeps something between runs"


@dataclass(frozen=True)
class ForbiddenInput:
    """One thing that a method must not see, the contract that says so, and the trial in which it is another."""

    contract: str
    words: str
    trial: CheckVariant
    searched: bool = False
    """Whether the run may depend on it, so that only the trained retriever is compared."""


def forbidden_inputs(setup: CheckSetup) -> tuple[ForbiddenInput, ...]:
    """What the method of `setup` must not see, by what it declares."""
    test = query_ids("test")
    found = [
        ForbiddenInput("test-data", "the judgments of the test split", CheckVariant(_other_gold(test))),
        ForbiddenInput("test-data", "the short answers of the test split", CheckVariant(_other_answers(test))),
        ForbiddenInput("test-data", "the test queries", CheckVariant(FixtureVariant(test_queries=True)), searched=True),
    ]
    for need, name, other in (
        ("gold labels", "gold labels", _other_gold),
        ("answers", "short answers", _other_answers),
    ):
        if need not in setup.method.needs:
            where = (("training queries", query_ids("train")), ("the dev split", query_ids("dev")))
            told = f"the {name} of {{}}, which are not among its needs"
            found += [ForbiddenInput("needs", told.format(split), CheckVariant(other(ids))) for split, ids in where]
        elif "budget" in setup.method.axes:
            told = f"the {name} of queries that were not drawn, with a budget of {BUDGET}"
            found.append(ForbiddenInput("budget", told, CheckVariant(other(setup.undrawn))))
    if isinstance(setup.main[0].teacher, StubTeacher):
        words = "the teacher's scores, and neither likelihoods nor attention are among its needs"
        found.append(ForbiddenInput("needs", words, CheckVariant(scored=True)))
    return tuple(found)


def _other_gold(ids: tuple[str, ...]) -> FixtureVariant:
    return FixtureVariant(judgments=ids)


def _other_answers(ids: tuple[str, ...]) -> FixtureVariant:
    return FixtureVariant(answers=ids)


@dataclass
class Leakage:
    """Whether the result of a method depends on what it must not see."""

    setup: CheckSetup
    repetition: Repetition

    def keeps(self, contract: str) -> None:
        """Raises Broken when something that `contract` forbids makes a difference; NotChecked where a comparison would
        say nothing."""
        for secret in self.secrets if self._depends else ():
            if secret.contract == contract and (seen := self._seen(secret)):
                raise Broken(seen)

    def keeps_together(self) -> None:
        """Raises Broken when all secrets together make a difference, though none alone."""
        if self._depends and not any(self._seen(secret) for secret in self.secrets):
            told = "; ".join(secret.words for secret in self.secrets)
            raise Broken(f"its result changes when all of this changes, though with none of it alone: {told}")

    @property
    def differs(self) -> bool:
        """Whether anything changes when all secrets do: here, or in a process of its own."""
        return self._differs_in_process or self._differs_in_subprocess

    @cached_property
    def secrets(self) -> tuple[ForbiddenInput, ...]:
        """What may not be seen."""
        found, trained = forbidden_inputs(self.setup), self.setup.main[0].trained
        return tuple(secret for secret in found if trained or not secret.searched)

    @cached_property
    def _depends(self) -> bool:
        if not self.differs:
            return False
        if not self.repetition.is_equal or (not self._differs_in_process and self.repetition.fault_in_subprocess):
            raise NotChecked("two runs of a method that is not deterministic cannot be compared")
        return True

    @cached_property
    def _differs_in_process(self) -> bool:
        return self.setup.run_variant(_all(self.secrets), "altered") != self.setup.wanted()

    @cached_property
    def _differs_in_subprocess(self) -> bool:
        return _run_differs(self.setup, _all(one for one in self.secrets if not one.searched), "altered-apart")

    def _seen(self, secret: ForbiddenInput) -> str:
        """What is to be said of a secret that makes a difference, else nothing."""
        if secret.words not in self._explanations:
            self._explanations[secret.words] = self._look(secret)
        return self._explanations[secret.words]

    @cached_property
    def _explanations(self) -> dict[str, str]:
        return {}

    def _look(self, secret: ForbiddenInput) -> str:
        setup, planned, whole = self.setup, self.setup.main[0], not secret.searched
        found = setup.run_variant(secret.trial, f"alone-{digest(secret.words)[:8]}", whole)
        if found != setup.wanted(whole):
            moved = planned.target if {**found, **setup.wanted()} != found else planned.run
            return f"its {'run' if moved is planned.run else 'retriever'} ('{moved.kind}') depends on {secret.words}"
        # Only a process that has seen nothing else can tell where what was read once is kept.
        if (
            whole
            and not self._differs_in_process
            and _run_differs(setup, secret.trial, f"apart-{digest(secret.words)[:8]}")
        ):
            return f"it depends on {secret.words}{KEPT}"
        return ""


def _all(secrets: Iterable[ForbiddenInput]) -> CheckVariant:
    """A trial in which all of them are others."""
    trials = [secret.trial for secret in secrets]
    return CheckVariant(reduce(or_, (trial.world for trial in trials)), scored=any(trial.scored for trial in trials))


def _run_differs(setup: CheckSetup, trial: CheckVariant, name: str) -> bool:
    """Whether a trial ends in another retriever or run than the plain one when a process of its own makes it."""
    run_in_subprocess(setup, trial, name, whole=True)
    found = setup.found(trial, name, whole=True)
    return found != setup.wanted(whole=True)
