"""The command line: each command a few lines that call into the rooms. Heavy imports happen inside commands only."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.add_command import add
from harness.cli.answer_command import answer
from harness.cli.board_commands import board, dashboard
from harness.cli.claims_command import claims
from harness.cli.curves_command import curves
from harness.cli.error_output import Terminated, is_json, tell_error
from harness.cli.evaluate_commands import compare, evaluate
from harness.cli.labels_commands import labels_app
from harness.cli.meta_command import meta
from harness.cli.options import (
    AddressOpt,
    ExecutorChoice,
    ExecutorOpt,
    JsonOpt,
    PluginsOpt,
    SetOpt,
    WorkspaceOpt,
    display,
    emit,
    use_plugins,
)
from harness.cli.plugin_commands import add_plugin_commands
from harness.cli.process_end import limit_end
from harness.cli.report_commands import export, report
from harness.cli.reproduce_command import reproduce
from harness.cli.result_command import ResultTyper
from harness.cli.setup_command import setup
from harness.cli.stage_command import stage
from harness.cli.sweep_commands import plan, status, sweep
from harness.cli.trace_command import trace
from harness.cli.upkeep_commands import gc, merge
from harness.errors import UserError, did_you_mean

app = ResultTyper(
    name="harness",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Which teacher LLM, loss and method gives the best retriever for this money and this many labels, and is the "
    "difference real?",
    epilog="Start with: harness setup, harness new sweep --collection scifact, harness sweep sweep.yaml — then: "
    "harness board, harness dashboard.",
)
app.add_typer(labels_app, name="labels")


class ListKind(StrEnum):
    """What can be listed and shown: the kinds of harness/catalogue.py, whose imports --help does not wait for."""

    teachers = "teachers"
    methods = "methods"
    losses = "losses"
    collections = "collections"
    engines = "engines"
    metrics = "metrics"
    strategies = "strategies"
    students = "students"
    prompts = "prompts"
    examples = "examples"


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


app.command()(sweep)
app.command()(plan)
app.command()(status)
app.command()(stage)
app.command()(evaluate)
app.command()(compare)
app.command()(answer)
app.command()(meta)
app.command()(claims)
app.command()(curves)
app.command()(trace)
app.command()(report)
app.command()(reproduce)
app.command()(export)
app.command()(add)
app.command()(board)
app.command()(dashboard)
app.command()(gc)
app.command()(merge)
app.command()(setup)


@app.command("list")
def list_(kind: KindArg, plugin_files: PluginsOpt = None, as_json: JsonOpt = False) -> None:
    """What there is: teachers, methods, losses, students, collections, engines, metrics, strategies, prompts, example
    sweeps."""
    from harness.catalogue import catalogue, render_catalogue

    use_plugins(plugin_files)
    rows = catalogue(kind.value)
    emit(rows) if as_json else display(render_catalogue(kind.value, rows))


@app.command()
def show(
    kind: KindArg,
    name: Annotated[str, typer.Argument(help="Its name, as `harness list` prints it.")],
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Everything about one of them: what it is, where it is from, what it needs, its settings with defaults."""
    from harness.catalogue import describe, render_description

    use_plugins(plugin_files)
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
    collection: Annotated[
        str | None,
        typer.Option(
            "--collection",
            metavar="SPEC",
            help="The collection to recompute with, as in a sweep file, or the path of a folder; by default the one "
            "with the content that the card names, among those prepared in the workspace.",
        ),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(
            "--record",
            metavar="NAME",
            help="Note in verified.json of the results folder that NAME verified the sound ones: boards mark them.",
        ),
    ] = None,
    as_json: JsonOpt = False,
    workspace: WorkspaceOpt = Path("workspace"),
) -> None:
    """Recompute published results from run and judgments; check hashes, means and what else the card says.

    harness verify results/*/*

    harness verify results/my-collection/* --collection path/to/my-collection --record "A. Name"

    Each folder is judged on its own; exit code 1 where one is not as its card says, or cannot be verified.
    """
    from harness.pipeline.plan_report import render_verification
    from harness.pipeline.publish.verification import verify_folders

    report = verify_folders(folders, qrels, workspace, collection, record)
    emit(report) if as_json else display(render_verification(report))
    raise typer.Exit(1 if any(row["problems"] for row in report["results"]) else 0)


@app.command()
def schema(plugin_files: PluginsOpt = None, as_json: JsonOpt = True) -> None:
    """The JSON schema of sweep files, so that an editor completes and checks them."""
    from harness.config.schema import sweep_schema

    use_plugins(plugin_files)
    emit(sweep_schema())


@app.command()
def doctor(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A sweep file whose teachers are checked.", show_default=False),
    ] = None,
    overrides: SetOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    executor: ExecutorOpt = ExecutorChoice.local,
    address: AddressOpt = "auto",
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """What this machine can do: device, precision, Java, models, keys present or not. With a sweep file: whether its
    teachers can be asked, by one tiny question to each; with --executor ray: in what the nodes of a cluster differ from
    this machine. Exit code 1 where a teacher cannot be asked or a node differs."""
    from harness.doctor import diagnose, render_diagnosis
    from harness.pipeline.cluster.cluster_diagnosis import diagnose_cluster
    from harness.pipeline.diagnosis.sweep_diagnosis import diagnose_sweep

    use_plugins(plugin_files)
    home, on_cluster = harness.Workspace(workspace), executor is ExecutorChoice.ray
    rows = diagnose_cluster(address, home)["checks"] if on_cluster else []
    rows += diagnose_sweep(home.plan(file, overrides or ()))["checks"] if file is not None else []
    report = {"checks": rows} if rows else diagnose()
    emit(report) if as_json else display(render_diagnosis(report))
    raise typer.Exit(0 if all(row["ok"] for row in rows) else 1)


add_plugin_commands(app)


def main() -> None:
    """Run the command line: user errors become one message and exit code 2, everything else a short cause and exit code
    1."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Libraries draw bars of their own; the live view is the only one here.
    os.environ.setdefault("TQDM_DISABLE", "1")
    # What crashes below Python says at least in which line of Python, such as that of a plug-in.
    with suppress(AttributeError, OSError, ValueError):
        faulthandler.enable()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    code: object = 0
    try:
        # With --json usage errors are ours to tell; otherwise typer tells them and ends the process.
        code = app(standalone_mode=not is_json())
    except SystemExit as end:
        code = end.code
    except (Exception, KeyboardInterrupt) as error:
        code = tell_error(error)
    code = code if isinstance(code, int) else 0
    limit_end(code)
    sys.exit(code)


def _terminate(number: int, frame: object) -> None:
    raise Terminated
