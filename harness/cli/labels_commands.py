"""``harness labels``: what is to be done with the labels that teachers gave."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.options import JsonOpt, SetOpt, SweepArg, WorkspaceOpt, display, emit
from harness.labelling.exchange.label_forms import LABEL_FORMS
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


FormOpt = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="FORM",
        help=f"Labels that others published, for --collection. {'; '.join(f'{one.name}: {one.summary}' for one in LABEL_FORMS.values())}. Default: our own export.",
        show_default=False,
    ),
]
ImportCollectionOpt = Annotated[
    str | None, typer.Option("--collection", help="The collection whose queries and documents they are of.")
]
HitsOpt = Annotated[Path | None, typer.Option("--hits", help="The second file of a form that has two.")]
SourceOpt = Annotated[str | None, typer.Option("--source", help="Who published them; stands on the card.")]
DateOpt = Annotated[str | None, typer.Option("--date", help="When they were published; stands on the card.")]
LicenceOpt = Annotated[str | None, typer.Option("--licence", help="Their licence; stands on the card.")]
OutOpt = Annotated[Path | None, typer.Option("--out", help="The file to write; by default one in the workspace.")]


@labels_app.command("import")
def import_(
    file: LabelFileArg,
    form: FormOpt = None,
    collection: ImportCollectionOpt = None,
    hits: HitsOpt = None,
    source: SourceOpt = None,
    date: DateOpt = None,
    licence: LicenceOpt = None,
    out: OutOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Take over calls and labels that `harness labels export` wrote, or labels that others published.

    Sweeps then use ours without a key and without a call. The whole file is checked before anything is written; what
    the workspace has already stays, and answers that differ are reported.

    With --as, labels of other projects become a file that the teacher `recorded` replays. Raw answers are read by our
    parser; queries and documents that the collection lacks are counted and left out.

    harness labels import marco-train-10k-gpt3.5.json --as rankgpt --collection folder/marco --licence MIT
    """
    from harness.pipeline.label_transfer import import_labels, render_import
    from harness.pipeline.labels.foreign_labels import Publication, import_published, render_published

    home, further = harness.Workspace(workspace), (collection, hits, source, date, licence, out)
    if form is not None:
        if collection is None:
            raise harness.UserError("the labels are of no collection", what="--as", remedy="name it with --collection")
        told = import_published(Publication(file, form, hits, source, date, licence), collection, home, out)
        emit(told) if as_json else print(render_published(told), file=sys.stderr)
        return
    if any(one is not None for one in further):
        raise harness.UserError("say in which form the labels are", what="labels import", remedy="give --as FORM")
    with bar("importing") as progress:
        told = import_labels(file, home, progress)
    emit(told) if as_json else print(render_import(told), file=sys.stderr)
