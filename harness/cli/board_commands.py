"""``harness board`` and ``harness dashboard``: the leaderboard in the terminal and in the browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import harness
from harness.cli.options import ClustersOpt, JsonOpt, ResultsOpt, WorkspaceOpt, display, emit
from harness.cli.result_output import output
from harness.leaderboard.row_sections import By

if TYPE_CHECKING:
    from harness.leaderboard.board import Board


def board(
    results: ResultsOpt = Path("results"),
    collection: Annotated[str | None, typer.Option("--collection", help="Only this collection.")] = None,
    split: Annotated[str | None, typer.Option("--split", help="Only this split.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Sort and test rows by it. [default: what most sweeps report first]")
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline",
            help="Test rows against this method; repeated, against each and all of them. [default: what most sweeps "
            "name]",
        ),
    ] = None,
    clusters: ClustersOpt = None,
    by: Annotated[
        By | None,
        typer.Option(
            "--by",
            help="Part the rows of a table; 'sees': by what methods are given, such as order, likelihoods, gold "
            "labels.",
        ),
    ] = None,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values.")] = False,
    as_latex: Annotated[bool, typer.Option("--latex", help="A LaTeX table.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A Markdown table.")] = False,
    picture: Annotated[
        Path | None, typer.Option("--svg", help="Also write the budget curves of the first table to this file.")
    ] = None,
) -> None:
    """The leaderboard in the terminal. What each method may see stands beside it; --by sees holds like against like."""
    from harness.evaluation.significance.clusters import read_clusters
    from harness.pipeline.workspace_folder import WorkspaceFolder

    table = harness.load_board(
        results,
        collection=collection,
        split=split,
        metric=metric,
        baseline=baseline,
        clusters=read_clusters(clusters) if clusters else None,
        collections=WorkspaceFolder(workspace).collections,
    )
    forms = {"json": as_json, "csv": as_csv, "latex": as_latex, "markdown": as_markdown}
    show_board(table, by, next((form for form, wanted in forms.items() if wanted), "terminal"), picture)


def show_board(found: Board, by: By | None = None, form: str = "terminal", picture: Path | None = None) -> None:
    """Print a board in the terminal's form, or as json, csv, latex or markdown; its curves go to `picture`."""
    from harness.leaderboard.render import board_files as render

    if picture is not None:
        render.draw(found, picture)
    if form == "json":
        emit(found.as_json())
    elif form == "terminal":
        display(render.terminal(found, by))
    else:
        print(render.csv(found) if form == "csv" else getattr(render, form)(found, by), file=output())


def dashboard(
    results: ResultsOpt = Path("results"),
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace", help="Folder of sweeps for the page Sweep, which follows a running one. [default: workspace]"
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", help="Port on this machine.")] = 8501,
    address: Annotated[
        str,
        typer.Option(
            "--address", metavar="HOST", help="This machine's name in a network whose people may read the results."
        ),
    ] = "localhost",
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            metavar="DIR",
            help="Write board, curves and comparisons as a site that opens from files, and serve nothing.",
        ),
    ] = None,
    hour: Annotated[
        float | None,
        typer.Option("--hour", min=0, metavar="USD", help="What the page Cost counts for an hour of the machine."),
    ] = None,
    as_json: JsonOpt = False,
) -> None:
    """The leaderboard in the browser, on this machine only; with --export as files for others."""
    from dashboard.export.site import export as write_site
    from dashboard.launch import launch

    if export is None:
        raise typer.Exit(launch(results, port, workspace, address, hour, lambda text: print(text, file=sys.stderr)))
    pages = write_site(results, export)
    if as_json:
        emit({"pages": pages, "index": str(export / "index.html")})
        return
    print(f"{pages:,} pages; open {export / 'index.html'} in a browser", file=sys.stderr)
