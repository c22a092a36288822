"""Whether a method ends in the same bytes when it runs again: in this process, and in another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.plugin_checks.check import Broken
from harness.plugin_checks.check_setup import CheckSetup, CheckVariant
from harness.plugin_checks.subprocess_run import run_in_subprocess

CAUSES = "it depends on the order of a set or on hash(), or on what a run left behind"


@dataclass
class Repetition:
    """The plain run of a method, made again."""

    setup: CheckSetup

    @cached_property
    def is_equal(self) -> bool:
        """Whether another run in this process gives the same bytes."""
        setup = self.setup
        again = setup.run_variant(CheckVariant(), "again") if isinstance(setup.guarded, Broken) else setup.guarded
        return again == setup.wanted()

    @cached_property
    def fault_in_subprocess(self) -> str:
        """What differs when another process makes the plain run, in words; empty when nothing does."""
        target = self.setup.main[0].target
        run_in_subprocess(self.setup, CheckVariant(), "apart")
        found = self.setup.found(CheckVariant(), "apart")
        if not found:
            return (
                f"the key of '{target.kind}' is another in another process: one of its fields is not fixed by the "
                "settings"
            )
        return "" if found == self.setup.wanted() else f"in another process '{target.kind}' has other bytes: {CAUSES}"
