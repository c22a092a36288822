"""The command line: each command a few lines that call into the rooms. Heavy imports happen inside commands only."""

from __future__ import annotations

import os
import sys
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.answer_command import answer
from harness.cli.board_commands import ResultsOpt, board, dashboard
from harness.cli.curves_command import curves
from harness.cli.evaluate_commands import compare, evaluate
from harness.cli.labels_commands import labels_app
from harness.cli.meta_command import meta
from harness.cli.options import (
    JsonOpt,
    MaxCostWorkspaceOpt,
    RetryFailedOpt,
    SetOpt,
    SweepArg,
    WorkspaceOpt,
    display,
    emit,
)
from harness.cli.plugin_commands import add_plugin_commands
from harness.cli.report_commands import export, report
from harness.cli.trace_command import trace
from harness.errors import UserError, did_you_mean
from harness.masking import masked

app = typer.Typer(
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which teacher LLM, loss and method gives the best retriever for this money and this many labels, and is the "
    "difference real?",
    epilog="Start with: harness sweep configs/budget.yaml — then: harness board, harness dashboard.",
)
app.add_typer(labels_app, name="labels")


class ListKind(StrEnum):
    """What can be listed and shown."""

    teachers = "teachers"
    methods = "methods"
    losses = "losses"
    collections = "collections"
    engines = "engines"
    metrics = "metrics"
    strategies = "strategies"
    prompts = "prompts"


def _kind(name: str) -> ListKind:
    """Kinds go by their plural; the singular is understood."""
    singular = {"strategy": "strategies", "loss": "losses"}
    plural = singular.get(name, name if name in list(ListKind) else f"{name}s")
    if plural not in list(ListKind):
        raise UserError(f"unknown kind '{name}'", remedy=did_you_mean(name, ListKind))
    return ListKind(plural)


KindArg = Annotated[
    ListKind,
    typer.Argument(
        parser=_kind, metavar="KIND", help=f"One of {', '.join(ListKind)}.", autocompletion=lambda: list(ListKind)
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"harness {harness.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options that stand before the command; `main` reads --debug itself."""


@app.command()
def sweep(
    file: SweepArg,
    overrides: SetOpt = None,
    results: ResultsOpt = Path("results"),
    workspace: WorkspaceOpt = Path("workspace"),
    max_cost: Annotated[
        float | None,
        typer.Option(
            "--max-cost",
            min=0,
            metavar="USD",
            help="Stop before LLM calls of this sweep, in all its runs, cost more than this.",
        ),
    ] = None,
    max_cost_workspace: MaxCostWorkspaceOpt = None,
    retry_failed: RetryFailedOpt = False,
    as_json: JsonOpt = False,
) -> None:
    """Plan, run what is new, publish the runs, print the board. Interrupted or failed: the same command goes on where
    it stopped."""
    from harness.leaderboard.render import board_files as render

    planned = harness.Workspace(workspace).plan(file, overrides or ())
    for notice in (*planned.sweep.source.notices, *planned.collection_notices):
        print(masked(f"notice: {notice}"), file=sys.stderr)
    outcome = planned.run(results, max_cost=max_cost, max_cost_workspace=max_cost_workspace, retry_failed=retry_failed)
    if as_json:
        emit(outcome.summary)
    else:
        if outcome.published:
            display(render.terminal(harness.load_board(results, runs={folder.name for folder in outcome.published})))
        print(outcome.text(), file=sys.stderr)
    raise typer.Exit(1 if outcome.failures or outcome.summary["traces"]["failed"] else 0)


@app.command()
def plan(
    file: SweepArg, overrides: SetOpt = None, workspace: WorkspaceOpt = Path("workspace"), as_json: JsonOpt = False
) -> None:
    """Say what a sweep would run and what it would cost, cache hits subtracted. Trains nothing, calls no LLM."""
    from harness.pipeline.plan_report import render_plan

    report = harness.Workspace(workspace).plan(file, overrides or ()).report()
    emit(report) if as_json else display(render_plan(report))


@app.command()
def status(
    file: SweepArg, overrides: SetOpt = None, workspace: WorkspaceOpt = Path("workspace"), as_json: JsonOpt = False
) -> None:
    """What of a sweep is done, running now, waiting, or failed and why."""
    from harness.pipeline.plan_report import render_status

    report = harness.Workspace(workspace).plan(file, overrides or ()).status()
    emit(report) if as_json else display(render_status(report))


app.command()(evaluate)
app.command()(compare)
app.command()(answer)
app.command()(meta)
app.command()(curves)
app.command()(trace)
app.command()(report)
app.command()(export)
app.command()(board)
app.command()(dashboard)


@app.command("list")
def list_(kind: KindArg, as_json: JsonOpt = False) -> None:
    """What there is: teachers, methods, losses, collections, engines, metrics, strategies, prompts."""
    from harness.catalogue import catalogue, render_catalogue

    rows = catalogue(kind.value)
    emit(rows) if as_json else display(render_catalogue(kind.value, rows))


@app.command()
def show(
    kind: KindArg,
    name: Annotated[str, typer.Argument(help="Its name, as `harness list` prints it.")],
    as_json: JsonOpt = False,
) -> None:
    """Everything about one of them: what it is, where it is from, what it needs, its settings with defaults."""
    from harness.catalogue import describe, render_description

    entry = describe(kind.value, name)
    emit(entry) if as_json else display(render_description(entry))


@app.command()
def verify(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RESULT_DIR...", help="Published result folders.", show_default=False)
    ],
    qrels: Annotated[
        str | None, typer.Option("--qrels", help="Qrels to recompute with; by default the card's collection and split.")
    ] = None,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Recompute published results from their run and qrels; check hashes and card."""
    from harness.pipeline.inputs import verify_folders
    from harness.pipeline.plan_report import render_verification

    report = verify_folders(folders, qrels, workspace)
    emit(report) if as_json else display(render_verification(report))
    raise typer.Exit(1 if any(row["problems"] for row in report["results"]) else 0)


@app.command()
def schema() -> None:
    """The JSON schema of sweep files, so that an editor completes and checks them."""
    from harness.config.schema import sweep_schema

    emit(sweep_schema())


@app.command()
def doctor(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A sweep file whose teachers are checked.", show_default=False),
    ] = None,
    overrides: SetOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """What this machine can do: device, precision, Java, models, keys present or not. With a sweep file: whether its
    teachers can be asked, by one tiny question to each; exit code 1 where one cannot."""
    from harness.doctor import diagnose, render_diagnosis
    from harness.pipeline.diagnosis.sweep_diagnosis import diagnose_sweep

    report = diagnose() if file is None else diagnose_sweep(harness.Workspace(workspace).plan(file, overrides or ()))
    emit(report) if as_json else display(render_diagnosis(report))
    raise typer.Exit(0 if file is None or all(row["ok"] for row in report["checks"]) else 1)


add_plugin_commands(app)


def main() -> None:
    """Run the command line: user errors become one message and exit code 2, everything else a short cause and exit code
    1."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Libraries draw bars of their own; the live view is the only one here.
    os.environ.setdefault("TQDM_DISABLE", "1")
    try:
        app()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        # Errors repeat what providers say, which may hold a key.
        print(masked(_error_text(error)), file=sys.stderr)
        sys.exit(2 if isinstance(error, UserError) else 1)


def _error_text(error: Exception) -> str:
    if "--debug" in sys.argv:
        return "".join(traceback.format_exception(error)).rstrip()
    if isinstance(error, UserError):
        return "\n".join(f"error: {one}" for one in error.parts)
    return f"error: {type(error).__name__}: {error}\n  run again with --debug before the command for the traceback"
