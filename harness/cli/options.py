"""Arguments and output that commands of several files share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

SweepArg = Annotated[
    Path, typer.Argument(metavar="FILE", help="A sweep file, for example configs/budget.yaml.", show_default=False)
]
SetOpt = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=V", help="Override a value of the sweep file; may be repeated."),
]
WorkspaceOpt = Annotated[
    Path, typer.Option("--workspace", help="Folder of artefacts, collections and the ledger; safe to move.")
]
RetryFailedOpt = Annotated[
    bool, typer.Option("--retry-failed", help="Ask once more what has no answer: refused, too long, failed each time.")
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
JsonOpt = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, nothing else there.")]


def emit(value: Any) -> None:
    """Print one JSON document; a number that is not finite is a ValueError."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1))


def display(renderable: Any) -> None:
    """Print what rich renders, for people."""
    from rich.console import Console

    Console().print(renderable)
