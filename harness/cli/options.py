"""Arguments and output that commands of several files share."""

from __future__ import annotations

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.result_output import output
from harness.errors import UserError
from harness.plugins import use_plugin_files

_WHOLE = 10_000
"""Columns of an output that nobody's window cuts."""
SweepArg = Annotated[Path, typer.Argument(metavar="FILE", help="A sweep file; harness new sweep writes sweep.yaml.")]
SetOpt = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=V", help="Override a value of the sweep file; may be repeated."),
]
WorkspaceOpt = Annotated[
    Path, typer.Option("--workspace", help="Folder of artefacts, collections and the ledger; safe to move.")
]
PluginsOpt = Annotated[
    list[Path] | None,
    typer.Option("--plugins", metavar="FILE", help="A Python file with plug-ins of your own; may be repeated."),
]
WrittenResultsOpt = Annotated[Path, typer.Option("--results", help="Folder of published runs.")]


def existing(folder: Path) -> Path:
    """`folder`, where results are only read. Raises UserError when it is not there."""
    if not folder.is_dir():
        raise UserError(
            "there is no such folder of results",
            file=folder,
            remedy="run a sweep first, or name the folder of published runs with --results",
        )
    return folder


ResultsOpt = Annotated[Path, typer.Option("--results", help="Folder of published runs.", callback=existing)]
ClustersOpt = Annotated[
    Path | None,
    typer.Option(
        "--clusters",
        metavar="FILE",
        help="Queries that are not independent: lines of query, tabulator, cluster (its article, its passage); or a "
        "queries.jsonl with metadata.cluster. Default: what result folders or the collection tell of.",
    ),
]
RetryFailedOpt = Annotated[
    bool, typer.Option("--retry-failed", help="Ask once more what has no answer: refused, too long, failed each time.")
]
MaxCostOpt = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        min=0,
        metavar="USD",
        help="Stop before LLM calls of this sweep, in all its runs, cost more than this.",
    ),
]
MaxCostWorkspaceOpt = Annotated[
    float | None,
    typer.Option(
        "--max-cost-workspace",
        min=0,
        metavar="USD",
        help="Stop before all that ever ran in this workspace costs more than this.",
    ),
]


class ExecutorChoice(StrEnum):
    """Where stages run."""

    local = "local"
    ray = "ray"


ExecutorOpt = Annotated[
    ExecutorChoice, typer.Option("--executor", help="Where stages run: on this machine, or on a Ray cluster.")
]
AddressOpt = Annotated[
    str,
    typer.Option(
        "--address", metavar="HOST:PORT", help="With --executor ray: the cluster; auto is the one of this machine."
    ),
]
JsonOpt = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]


def emit(value: Any) -> None:
    """Print one JSON document; a number that is not finite is a ValueError."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1), file=output())


def display(renderable: Any) -> None:
    """Print what rich renders, for people: as wide as their terminal, or whole where it goes into a file or a pipe."""
    from rich.console import Console

    console = Console(file=output())
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(file=output(), width=_WHOLE)
    console.print(renderable)


def use_plugins(files: list[Path] | None) -> None:
    """Find the plug-ins of the files that were named. Raises UserError."""
    use_plugin_files(files or ())
