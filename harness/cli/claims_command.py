"""``harness claims``: what was claimed before the runs, and what they say of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import harness
from harness.cli.options import JsonOpt, WorkspaceOpt, WrittenResultsOpt, display, emit, existing
from harness.cli.result_output import output


def claims(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A file of claims, or a sweep file with `claims`.", show_default=False),
    ],
    results: WrittenResultsOpt = Path("results"),
    freeze: Annotated[
        bool,
        typer.Option("--freeze", help="Write down hypotheses, sweeps and data as they are now, before the runs."),
    ] = False,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="A Markdown document.")] = False,
    picture: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Also write a forest plot to this file.")
    ] = None,
) -> None:
    """Hypotheses that were frozen before the runs: holds, fails or undecided, and what would decide.

    First `harness claims FILE --freeze`, which writes FILE's hash beside it; then the sweeps, whose runs carry it; then
    `harness claims FILE`. Runs made before, or from changed files, are exploratory and enter no verdict. What is
    missing or failed is told. The runs are those of RESULTS/NAME, where FILE is NAME.yaml and there is such a folder.

    harness claims configs/claims.yaml --freeze

    harness claims configs/claims.yaml --svg claims.svg
    """
    from harness.claims import claim_report, claim_tables, claims_file, forest_plot, freezing

    if freeze:
        frozen = freezing.freeze_claims(claims_file.load_claims(file), harness.Workspace(workspace).collection)
        text = f"frozen since {frozen.since:%Y-%m-%d %H:%M} UTC as {frozen.hash[:12]}: {', '.join(frozen.collections)}"
        emit(frozen.model_dump(mode="json") | {"hash": frozen.hash}) if as_json else print(text, file=sys.stderr)
        return
    report = claim_report.claim_report(file, claim_report.results_of_claims(file, existing(results)))
    if picture is not None:
        picture.write_text(forest_plot.forest_plot(report), encoding="utf-8")
    if as_json:
        emit(report.as_json())
    elif as_markdown:
        print(claim_tables.claims_markdown(report), file=output())
    else:
        display(claim_tables.claims_terminal(report))
