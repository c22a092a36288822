"""``harness add``: runs that were made elsewhere, onto the board."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.board_commands import show_board
from harness.cli.options import JsonOpt, WorkspaceOpt, WrittenResultsOpt, emit

RunsArg = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...",
        help="TREC runs, rankings of MS MARCO or files that ranx reads, plain or compressed.",
        show_default=False,
    ),
]
CollectionOpt = Annotated[
    str,
    typer.Option(
        "--collection",
        metavar="SPEC",
        help="As in a sweep file (scifact, beir/scifact, '{folder: PATH}'), or the path of a BEIR folder.",
        show_default=False,
    ),
]
NameOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--name",
        help="What the system is called; several times for several runs, in their order. Default: the name in the "
        "run; the file's, where several have the same.",
    ),
]
KindOpt = Annotated[str, typer.Option("--kind", help="external, baseline, reference, control or ours.")]
SeesOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--sees",
        help="What it was given beside the collection, e.g. 'gold labels', order, nothing; may be repeated. Default: "
        "not told.",
    ),
]
MetricOpt = Annotated[
    list[str] | None,
    typer.Option("--metric", "-m", help="May be repeated. Default: those of the rows on this collection."),
]


def add(
    runs: RunsArg,
    collection: CollectionOpt,
    split: Annotated[str, typer.Option("--split", help="The split whose queries the runs answer.")] = "test",
    name: NameOpt = None,
    kind: KindOpt = "external",
    sees: SeesOpt = None,
    budget: Annotated[int | None, typer.Option("--budget", min=0, help="Labelled queries it was trained on.")] = None,
    teacher: Annotated[str, typer.Option("--teacher", help="Who labelled them, e.g. gpt-4.1-mini.")] = "",
    usd: Annotated[float | None, typer.Option("--usd", min=0, help="What the labels cost.")] = None,
    url: Annotated[str, typer.Option("--url", help="Where the system is described.")] = "",
    metric: MetricOpt = None,
    results: WrittenResultsOpt = Path("results"),
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Put runs of any system on the board: score them, write a result folder with a card for each, print the board.

    harness add colbert.trec --collection scifact --name ColBERTv2 --sees "gold labels" --url https://example.org/paper

    harness add runs/*.trec.gz --collection path/to/my-collection --split dev

    Nothing is trained and nothing is asked. Queries and documents that the collection does not have are counted and
    said; a run that has none of its own is an error. Adding the same run again changes nothing. To hand the folders to
    somebody else's board, see docs/submit.md; `harness verify` checks them there.
    """
    from harness.pipeline.publish import external_run

    system = external_run.ExternalSystem(kind, tuple(sees or ()), budget, teacher, usd, url)
    found = external_run.typed_collection(collection, workspace)
    added = external_run.add_runs(runs, found, split, results, system, name or (), metric or ())
    board = harness.load_board(
        results, collection=found.name, split=split, collections=harness.Workspace(workspace).collections
    )
    if as_json:
        emit({"added": added, "board": board.as_json()})
        return
    show_board(board)
    for row in added:
        print(external_run.summary_of(row), file=sys.stderr)
