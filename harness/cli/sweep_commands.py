"""``harness sweep``, ``plan`` and ``status``: what a sweep file asks for, done, foreseen and followed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.board_commands import show_board
from harness.cli.error_output import FAILED
from harness.cli.options import (
    AddressOpt,
    ExecutorChoice,
    ExecutorOpt,
    JsonOpt,
    MaxCostOpt,
    MaxCostWorkspaceOpt,
    PluginsOpt,
    RetryFailedOpt,
    SetOpt,
    SweepArg,
    WorkspaceOpt,
    WrittenResultsOpt,
    display,
    emit,
    use_plugins,
)
from harness.cli.result_output import output
from harness.masking import masked

FailFastOpt = Annotated[bool, typer.Option("--fail-fast", help="Start no stage after the first that fails.")]
JobsOpt = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        metavar="N",
        help="Stages that compute at once; by default what cores and memory allow, 1 on a GPU.",
        show_default=False,
    ),
]
PowerOpt = Annotated[
    float | None,
    typer.Option(
        "--power", min=1e-6, metavar="MARGIN", help="Say whether a difference or a margin of this could be shown."
    ),
]
PilotOpt = Annotated[
    Path | None,
    typer.Option("--pilot", metavar="DIR", help="With --power: a results folder whose runs say what varies."),
]
WhyOpt = Annotated[bool, typer.Option("--why", help="Also the tracebacks of what failed.")]


def sweep(
    file: SweepArg = Path("sweep.yaml"),
    overrides: SetOpt = None,
    results: WrittenResultsOpt = Path("results"),
    workspace: WorkspaceOpt = Path("workspace"),
    max_cost: MaxCostOpt = None,
    max_cost_workspace: MaxCostWorkspaceOpt = None,
    retry_failed: RetryFailedOpt = False,
    fail_fast: FailFastOpt = False,
    jobs: JobsOpt = None,
    executor: ExecutorOpt = ExecutorChoice.local,
    address: AddressOpt = "auto",
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Plan, run what is new, publish each run as it is finished, print the board. Interrupted or failed: the same
    command goes on where it stopped."""
    home = harness.Workspace(workspace)
    home.check_writable(results)
    use_plugins(plugin_files)
    planned = home.plan(file, overrides or ())
    for notice in (*planned.sweep.source.notices, *planned.collection_notices):
        print(masked(f"notice: {notice}"), file=sys.stderr)
    outcome = planned.run(
        results,
        max_cost=max_cost,
        max_cost_workspace=max_cost_workspace,
        retry_failed=retry_failed,
        fail_fast=fail_fast,
        jobs=jobs,
        executor=executor.value,
        address=address,
    )
    if as_json:
        emit(outcome.summary)
    else:
        if outcome.published:
            show_board(harness.load_board(results, runs={folder.name for folder in outcome.published}))
        print(masked(outcome.text()), file=sys.stderr)
    raise typer.Exit(FAILED if outcome.failures or outcome.summary["traces"]["failed"] else 0)


def plan(
    file: SweepArg = Path("sweep.yaml"),
    overrides: SetOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    power: PowerOpt = None,
    pilot: PilotOpt = None,
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Say what a sweep would run and what it would cost, cache hits subtracted. Trains nothing, calls no LLM, makes no
    folder.

    With --power MARGIN it says instead what the sweep could show: the least difference and the least margin on each
    collection, alone and with Holm over collections, from the variances of a finished pilot or from defaults, which are
    named as such.

    harness plan configs/semanlink.yaml --power 0.02 --pilot results
    """
    from harness.pipeline import plan_report
    from harness.pipeline.forecast import power_report

    use_plugins(plugin_files)
    planned = harness.Workspace(workspace, prepares=False).plan(file, overrides or ())
    if power is not None:
        forecast = power_report.power_report(planned, power, pilot)
        emit(forecast) if as_json else display(power_report.render_power(forecast))
        return
    report = planned.report()
    emit(report) if as_json else display(plan_report.render_plan(report))


def status(
    file: SweepArg = Path("sweep.yaml"),
    overrides: SetOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    why: WhyOpt = False,
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """What of a sweep is done, running now, waiting, or failed and why."""
    from harness.pipeline.plan_report import failure_traces, render_status

    use_plugins(plugin_files)
    report = harness.Workspace(workspace, prepares=False).plan(file, overrides or ()).status()
    emit(report) if as_json else display(render_status(report))
    if why and not as_json:
        print(failure_traces(report), file=output())
