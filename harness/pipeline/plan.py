"""What a sweep would do, how far it is, and doing it: one object for all of that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.pipeline.label_report import label_report
from harness.pipeline.live.observer import Observer
from harness.pipeline.plan_report import plan_report, status_report
from harness.pipeline.planned_sweep import PlannedSweep
from harness.pipeline.single_stage import run_single_stage, stage_rows
from harness.pipeline.sweep import ExecutorName, SweepOptions, SweepResult, run_sweep
from harness.pipeline.upkeep.garbage_table import size_text
from harness.pipeline.upkeep.plan_marks import marked
from harness.pipeline.upkeep.trained_models import release_models
from harness.text import counted


class Plan(PlannedSweep):
    """A sweep file in a workspace, as `Workspace.plan` makes it. Making it prepares collections and runs nothing.

    `cells` are the points of the sweep, `stages` every stage behind them by key, `waiting` those that are still to be
    made.

    >>> import harness
    >>> plan = harness.Workspace("workspace").plan("configs/smoke.yaml", overrides=["budgets=[20]"])
    >>> len(plan.cells), len(plan.stages)
    (5, 37)
    >>> plan.report()["llm"]["usd"]
    0.0
    >>> [row["state"] for row in plan.status()["cells"]]
    ['waiting', 'waiting', 'waiting', 'waiting', 'waiting']
    """

    def report(self) -> dict[str, Any]:
        """What is to be done and what it would cost, as ``harness plan --json`` prints it. Runs nothing.

        Distinct stages, how many are done, LLM calls, tokens and USD still to pay, rough seconds.
        """
        return plan_report(self)

    def status(self) -> dict[str, Any]:
        """What is done, running, failed and waiting, as ``harness status --json`` prints it."""
        return status_report(self)

    def label_report(self) -> dict[str, Any]:
        """How good, how steady and how biased the finished labels are, as ``harness labels stats --json`` prints it."""
        return label_report(self)

    def stage_rows(self) -> list[dict[str, Any]]:
        """Every stage with its key and state, as ``harness stage --json`` prints them."""
        return stage_rows(self)

    def run_stage(self, key: str, max_cost: float | None = None) -> dict[str, Any]:
        """Make the artefact of the stage whose key begins with `key`, and nothing else, as ``harness stage KEY --json``
        says it. Raises UserError where there is no such stage, or one that it reads is not made."""
        return run_single_stage(self, key, max_cost)

    def run(
        self,
        results: str | Path = "results",
        *,
        max_cost: float | None = None,
        max_cost_workspace: float | None = None,
        observer: Observer | None = None,
        retry_failed: bool = False,
        fail_fast: bool = False,
        jobs: int | None = 1,
        executor: ExecutorName = "local",
        address: str = "auto",
    ) -> SweepResult:
        """Run what is missing, publish every cell under `results` as it is finished, say what failed. Interrupted, the
        same call goes on.

        LLM calls stop before all runs of this sweep cost more than `max_cost` USD together, or all sweeps of the
        workspace more than `max_cost_workspace`, in whatever processes they run. `retry_failed` asks again for labels
        without an answer, and makes anew what rests on those that now have one. With `fail_fast` no stage
        starts after the first that fails. Stages in which a plug-in works run in a process of their own. With `jobs`
        above 1 so many stages compute at once, in processes too (None: as many as cores and memory allow); what they
        make is the same. With the executor ``ray`` they run on the cluster at `address` (``auto``, or HOST:PORT), on
        storage that all its nodes see; there ``jobs=None`` is all that has room. `observer` hears of every
        stage; without one a table or lines are drawn on standard error. Raises UserError before anything runs when the
        inputs are wrong; what fails later is in the result.
        """
        options = SweepOptions(max_cost, max_cost_workspace, retry_failed, fail_fast, jobs, executor, address)
        with marked(self):
            result = run_sweep(self, Path(results), observer, options)
        result.summary["released"] = released = release_models(self)
        if released["artefacts"]:
            models = f"{counted(released['artefacts'], 'trained model')} ({size_text(released['bytes'])})"
            result.summary["notices"].append(f"{models} of finished cells went, as keep: {self.sweep.keep} says")
        return result
