"""``harness new`` and ``harness check``: a plug-in of one's own, and whether it keeps its contracts."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.new_sweep import new_sweep
from harness.cli.options import JsonOpt, PluginsOpt, WorkspaceOpt, display, emit, use_plugins
from harness.errors import UserError, did_you_mean
from harness.progress import bar

GivenOpt = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=V", help="A setting of the plug-in; may be repeated."),
]


class PluginKind(StrEnum):
    """What can be written anew and checked."""

    baseline = "baseline"
    teacher = "teacher"
    loss = "loss"
    student = "student"
    collection = "collection"


KindArg = Annotated[
    PluginKind, typer.Argument(metavar="KIND", help=f"One of {', '.join(PluginKind)}.", show_default=False)
]


SWEEP = "sweep"


def _new_kind(text: str) -> str:
    """A kind of plug-in, or a sweep file. Raises UserError."""
    if text not in (known := [*PluginKind, SWEEP]):
        raise UserError(f"unknown kind '{text}'", remedy=did_you_mean(text, known))
    return text


NewKindArg = Annotated[
    str,
    typer.Argument(
        parser=_new_kind,
        metavar="KIND",
        help=f"One of {', '.join([*PluginKind, SWEEP])}.",
        autocompletion=lambda: [*PluginKind, SWEEP],
        show_default=False,
    ),
]


def add_plugin_commands(app: typer.Typer) -> None:
    """The two commands, on the command line."""
    app.command()(new)
    app.command()(check)


def new(
    kind: NewKindArg,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="Its name: a Python identifier in lower case; of a sweep that of its file, sweep.yaml by default.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where the new folder or file is put.")] = Path(),
    collection: Annotated[
        str | None,
        typer.Option("--collection", help="Of a sweep: a folder, or a name such as scifact or beir/nfcorpus."),
    ] = None,
    example: Annotated[
        str | None, typer.Option("--example", help="Of a sweep: copy an example; harness list examples.")
    ] = None,
    workspace: WorkspaceOpt = Path("workspace"),
    as_json: JsonOpt = False,
) -> None:
    """Write a small package with a plug-in that runs as it stands: the class, its test, a sweep file, a README; or a
    first sweep file for a collection of your own. Overwrites nothing.

    harness new sweep --collection path/to/my/collection
    """
    from harness.scaffold.package import write_package

    if kind == SWEEP:
        new_sweep(name, folder, collection, example, workspace, as_json)
        return
    if name is None:
        raise UserError(f"the {kind} has no name", what=f"new {kind}", remedy=f"harness new {kind} NAME")

    place = write_package(kind, name, folder)
    if as_json:
        emit({"kind": kind, "name": name, "folder": str(place), "sweep": str(place / "config.yaml")})
        return
    print(f"{place}/ written. Next:\n  pip install -e {place}\n  harness check {kind} {name}", file=sys.stderr)
    print(f"  harness sweep {place / 'config.yaml'}", file=sys.stderr)


def check(
    kind: KindArg,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name, as `harness list` prints it.", show_default=False)
    ],
    given: GivenOpt = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1e-3, metavar="SECONDS", help="Most that one contract may take.")
    ] = 600.0,
    plugin_files: PluginsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Try a plug-in against the contracts of its kind, on a small built-in setting; says what fails and how to mend
    it."""
    from harness.plugin_checks.report_table import render_report
    from harness.plugin_checks.run_checks import check as check_plugin
    from harness.plugin_checks.run_checks import found

    use_plugins(plugin_files)
    plugin = found(kind.value, name)
    with bar(f"checking {name}") as progress:
        report = check_plugin(kind.value, plugin, _settings(given or []), progress, timeout)
    emit(report.as_json()) if as_json else display(render_report(report))
    raise typer.Exit(0 if report.ok else 1)


def _settings(given: list[str]) -> Any:
    """``a.b=v`` as the settings they make. Raises UserError."""
    from harness.config.located import Node, Place
    from harness.config.overrides import apply, parse_override

    tree = Node({}, Place("--set"))
    for text in given:
        tree = apply(tree, parse_override(text))
    return tree.plain()
