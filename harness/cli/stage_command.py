"""``harness stage``: one stage of a sweep, by its key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import harness
from harness.cli.error_output import FAILED
from harness.cli.options import JsonOpt, MaxCostOpt, PluginsOpt, SetOpt, WorkspaceOpt, emit, use_plugins
from harness.cli.result_output import output
from harness.masking import masked
from harness.text import clock


def stage(
    sweep_file: Annotated[Path, typer.Option("--sweep", metavar="FILE", help="The sweep file.", show_default=False)],
    key: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="Its key, or how that begins; left out, all are listed."),
    ] = None,
    overrides: SetOpt = None,
    workspace: WorkspaceOpt = Path("workspace"),
    max_cost: MaxCostOpt = None,
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Run one stage of a sweep whose inputs are made, and nothing else: to mend it, or from another engine. Without a
    key: list them."""
    use_plugins(plugin_files)
    planned = harness.Workspace(workspace, prepares=key is not None).plan(sweep_file, overrides or ())
    if key is None:
        rows = planned.stage_rows()
        emit({"stages": rows}) if as_json else print("\n".join(map(_line, rows)), file=output())
        return
    report = planned.run_stage(key, max_cost)
    emit(report) if as_json else print(masked(_words(report)), file=output())
    raise typer.Exit(FAILED if report["state"] == "failed" else 0)


def _line(row: dict[str, Any]) -> str:
    return f"{row['key'][:12]}  {row['state']:7}  {row['kind']} {row['label']}".rstrip()


def _words(report: dict[str, Any]) -> str:
    name = f"{report['kind']} {report['label']}".rstrip()
    if report["state"] == "failed":
        return f"failed: {name}: {report['reason']}\n  traceback: {report['traceback']}"
    how = "was there" if report["state"] == "cached" else f"made in {clock(report['seconds'])}"
    return f"{name}: {how}\n  {report['folder']}"
