"""``harness labels``: what is to be done with the labels that teachers gave."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.options import (
    JsonOpt,
    PluginsOpt,
    SetOpt,
    SweepArg,
    WorkspaceOpt,
    WrittenResultsOpt,
    display,
    emit,
    use_plugins,
)
from harness.cli.result_command import ResultTyper
from harness.labelling.exchange.label_forms import LABEL_FORMS
from harness.labelling.exchange.training_forms import TRAINING_FORMS
from harness.progress import bar

labels_app = ResultTyper(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What teachers said: how good, how steady, how biased; and its way to other machines.",
)


LabelFileArg = Annotated[
    Path, typer.Argument(metavar="FILE", help="A file of labels: NAME.jsonl.gz.", show_default=False)
]


@labels_app.command()
def stats(
    file: SweepArg,
    overrides: SetOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    plugin_files: PluginsOpt = None,
    gate: Annotated[
        bool,
        typer.Option(
            "--gate",
            help="Only whether each teacher's order beats the candidates' order and the ranker's start, with p.",
        ),
    ] = False,
    as_json: JsonOpt = False,
) -> None:
    """Know your teacher before you train on it. Reads finished labels of a sweep; labels nothing, calls no LLM.

    Shows for every collection and teacher: how many answers could be read and why others could not; nDCG@10 of its
    order beside the first stage's on the same queries (no better? then it teaches nothing new); how far it agrees with
    other teachers, with itself on queries it labelled twice, and with the first stage (near 1: it copies what it was
    shown); whether it favours places in the prompt; what a query costs. Only the largest finished budget of each
    resample counts; what is not labelled yet is listed.

    With --gate: nDCG@10 of the teacher's order on training queries with judgments, paired t one-sided against the order
    of the candidates and against the untrained ranker, which scores them here where it has not yet.

    harness labels stats configs/semanlink.yaml --gate
    """
    from harness.pipeline.labels import label_gate, label_tables

    use_plugins(plugin_files)
    planned = harness.Workspace(workspace, prepares=gate).plan(file, overrides or ())
    if gate:
        report = label_gate.gate_report(planned)
        emit(report) if as_json else display(label_gate.render_gate(report))
        return
    report = planned.label_report()
    emit(report) if as_json else display(label_tables.render_label_report(report))


TeachersOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--teacher",
        metavar="NAME",
        help="A teacher of the sweep; may be repeated. Default: all that cost something to ask.",
        show_default=False,
    ),
]
CollectionsOpt = Annotated[
    list[str] | None,
    typer.Option("--collection", metavar="NAME", help="A collection of the sweep; may be repeated. Default: all."),
]
OwnLicenceOpt = Annotated[
    str | None, typer.Option("--licence", help="Licence of the labels; stands on their card and of runs with them.")
]
TextsLicenceOpt = Annotated[
    str | None,
    typer.Option("--texts-licence", help="Licence of the collection's texts. Default: what its source says."),
]


@labels_app.command()
def publish(
    file: SweepArg,
    overrides: SetOpt = None,
    teacher: TeachersOpt = None,
    collection: CollectionsOpt = None,
    licence: OwnLicenceOpt = None,
    texts_licence: TextsLicenceOpt = None,
    results: WrittenResultsOpt = Path("results"),
    workspace: WorkspaceOpt = Path("workspace"),
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Publish the finished labels of a sweep as data sets, for anybody to train on without paying.

    Writes results/labels/COLLECTION/TEACHER.jsonl.gz, the labels of all budgets and resamples together, by ids alone,
    and TEACHER.card.yaml: who labelled, how, how well, at what cost. What is published there is added to; labels that
    contradict it are refused. Asks no teacher.

    harness labels publish configs/budget.yaml --licence "CC BY 4.0"

    The teacher {kind: recorded, file: TEACHER.jsonl.gz} of a sweep file gives them again: the same training lists, no
    call.
    """
    from harness.pipeline.labels import label_publishing

    use_plugins(plugin_files)
    planned = harness.Workspace(workspace, prepares=False).plan(file, overrides or ())
    wanted = label_publishing.LabelPublication(
        results, tuple(teacher or ()), tuple(collection or ()), licence, texts_licence
    )
    report = label_publishing.publish_labels(planned, wanted)
    emit(report) if as_json else print(label_publishing.render_publication(report), file=sys.stderr)


TrainingFormOpt = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="FORM",
        help="JSON lines for training elsewhere. "
        f"{'; '.join(f'{one.name}: {one.summary}' for one in TRAINING_FORMS.values())}. Default: our own export.",
        show_default=False,
    ),
]
CollectionOpt = Annotated[
    str | None, typer.Option("--collection", help="With --as: the collection whose queries and documents they are of.")
]
FromOpt = Annotated[
    Path | None, typer.Option("--from", help="With --as: a file of labels instead of those of the workspace.")
]
LabelSetOpt = Annotated[str, typer.Option("--set", help="With --as: the beginning of the key of a set of labels.")]
PositivesOpt = Annotated[int, typer.Option("--positives", min=1, help="With --as: the first N are positives.")]


@labels_app.command("export")
def export_(
    file: LabelFileArg,
    form: TrainingFormOpt = None,
    collection: CollectionOpt = None,
    labels: FromOpt = None,
    of_set: LabelSetOpt = "",
    positives: PositivesOpt = 1,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Write every answered LLM call and all finished labels of a workspace to one file, for another machine or for
    readers of a paper.

    Requests hold messages only: no keys, no addresses. Equal workspaces give equal bytes.

    With --as, one set of labels becomes training data of another project: what the teacher placed, with its own scores
    or else 1/place.

    harness labels export train.jsonl --as flagembedding --collection semanlink
    """
    from harness.pipeline.labels import label_transfer, training_export

    home = harness.Workspace(workspace)
    if form is not None:
        wanted = training_export.Wanted(form, _needed(collection), labels, of_set, positives)
        told = training_export.export_training(file, wanted, home)
        emit(told) if as_json else print(training_export.render_training(told), file=sys.stderr)
        return
    _need_form("labels export", collection, labels, of_set or None)
    with bar("exporting") as progress:
        told = label_transfer.export_labels(file, home, progress)
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
        help="Labels that others published, for --collection. "
        f"{'; '.join(f'{one.name}: {one.summary}' for one in LABEL_FORMS.values())}. "
        "Default: our own export.",
        show_default=False,
    ),
]
HitsOpt = Annotated[
    Path | None, typer.Option("--hits", help="With --as rankgpt: the JSON lines of what was presented.")
]
SourceOpt = Annotated[str | None, typer.Option("--source", help="Who published them; stands on the card.")]
DateOpt = Annotated[str | None, typer.Option("--date", help="When they were published; stands on the card.")]
LicenceOpt = Annotated[str | None, typer.Option("--licence", help="Their licence; stands on the card.")]
OutOpt = Annotated[Path | None, typer.Option("--out", help="The file to write; by default one in the workspace.")]
ForSweepOpt = Annotated[
    Path | None,
    typer.Option(
        "--sweep",
        metavar="SWEEP",
        help="FILE is a published set (results/labels): what its teacher was asked is not asked again by this sweep.",
        show_default=False,
    ),
]


@labels_app.command("import")
def import_(
    file: LabelFileArg,
    form: FormOpt = None,
    collection: CollectionOpt = None,
    hits: HitsOpt = None,
    source: SourceOpt = None,
    date: DateOpt = None,
    licence: LicenceOpt = None,
    out: OutOpt = None,
    sweep: ForSweepOpt = None,
    overrides: SetOpt = None,
    plugin_files: PluginsOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Take over calls and labels that `harness labels export` wrote, or labels that others published.

    Sweeps then use ours without a key and without a call. The whole file is checked before anything is written; what
    the workspace has already stays, and answers that differ are reported.

    With --as, labels of other projects become a file that the teacher `recorded` replays. Raw answers are read by our
    parser; queries and documents that the collection lacks are counted and left out.

    With --sweep, a set that `harness labels publish` wrote becomes the calls that it stands for, where labels say what
    calls brought (likelihoods). The sweep, and `harness reproduce` of its runs, then ask for none of them.

    harness labels import marco-train-10k-gpt3.5.json --as rankgpt --collection folder/marco --licence MIT

    harness labels import results/labels/scifact/smollm2.jsonl.gz --sweep configs/claims-strong-scifact.yaml
    """
    from harness.pipeline.labels import foreign_labels, label_set_import, label_transfer

    if sweep is not None:
        others = (form, collection, hits, source, date, licence, out)
        _need_form("labels import", *others, remedy="leave them out, or --sweep")
        use_plugins(plugin_files)
        planned = harness.Workspace(workspace).plan(sweep, overrides or ())
        told = label_set_import.import_label_set(file, planned)
        emit(told) if as_json else print(label_set_import.render_set_import(told), file=sys.stderr)
        return
    home = harness.Workspace(workspace)
    if form is not None:
        publication = foreign_labels.Publication(file, form, hits, source, date, licence)
        told = foreign_labels.import_published(publication, _needed(collection), home, out)
        emit(told) if as_json else print(foreign_labels.render_published(told), file=sys.stderr)
        return
    _need_form("labels import", collection, hits, source, date, licence, out)
    with bar("importing") as progress:
        told = label_transfer.import_labels(file, home, progress)
    emit(told) if as_json else print(label_transfer.render_import(told), file=sys.stderr)


def _needed(collection: str | None) -> str:
    if collection is None:
        raise harness.UserError("the labels are of no collection", what="--as", remedy="name it with --collection")
    return collection


def _need_form(command: str, *further: object, remedy: str = "give --as FORM") -> None:
    """Refuse options that mean nothing for our own forms."""
    if any(one is not None for one in further):
        raise harness.UserError("these options are for other forms of labels", what=command, remedy=remedy)
