"""``harness labels``: what is to be done with the labels that teachers gave."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.options import JsonOpt, SetOpt, SweepArg, WorkspaceOpt, display, emit
from harness.progress import bar

labels_app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What teachers said: how good, how steady, how biased; and its way to other machines.",
)


LabelFileArg = Annotated[
    Path, typer.Argument(metavar="FILE", help="A file of labels: NAME.jsonl.gz.", show_default=False)
]


@labels_app.command()
def stats(
    file: SweepArg, overrides: SetOpt = None, workspace: WorkspaceOpt = Path("workspace"), as_json: JsonOpt = False
) -> None:
    """Know your teacher before you train on it. Reads finished labels of a sweep; labels nothing, calls no LLM.

    Shows for every collection and teacher: how many answers could be read and why others could not; nDCG@10 of its
    order beside the first stage's on the same queries (no better? then it teaches nothing new); how far it agrees with
    other teachers, with itself on queries it labelled twice, and with the first stage (near 1: it copies what it was
    shown); whether it favours places in the prompt; what a query costs. Only the largest finished budget of each
    resample counts; what is not labelled yet is listed.
    """
    from harness.pipeline.label_tables import render_label_report

    report = harness.Workspace(workspace).plan(file, overrides or ()).label_report()
    emit(report) if as_json else display(render_label_report(report))


@labels_app.command("export")
def export_(file: LabelFileArg, workspace: WorkspaceOpt = Path("workspace"), as_json: JsonOpt = False) -> None:
    """Write every answered LLM call and all finished labels of a workspace to one file, for another machine or for
    readers of a paper.

    Requests hold messages only: no keys, no addresses. Equal workspaces give equal bytes.
    """
    from harness.pipeline.label_transfer import export_labels

    with bar("exporting") as progress:
        told = export_labels(file, harness.Workspace(workspace), progress)
    if as_json:
        emit(told)
    else:
        print(
            f"{told['file']}: {told['calls']:,} calls, {told['labels']:,} sets of labels, {told['bytes']:,} bytes",
            file=sys.stderr,
        )


@labels_app.command("import")
def import_(file: LabelFileArg, workspace: WorkspaceOpt = Path("workspace"), as_json: JsonOpt = False) -> None:
    """Take over calls and labels that `harness labels export` wrote. Sweeps then use them without a key and without a
    call.

    The whole file is checked before anything is written. What the workspace has already stays; answers that differ are
    reported.
    """
    from harness.pipeline.label_transfer import import_labels, render_import

    with bar("importing") as progress:
        told = import_labels(file, harness.Workspace(workspace), progress)
    if as_json:
        emit(told)
    else:
        print(render_import(told), file=sys.stderr)
