"""``harness new`` and ``harness check``: a plug-in of one's own, and whether it keeps its contracts."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.options import JsonOpt, PluginsOpt, display, emit, use_plugins
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


def add_plugin_commands(app: typer.Typer) -> None:
    """The two commands, on the command line."""
    app.command()(new)
    app.command()(check)


def new(
    kind: KindArg,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name: a Python identifier in lower case.", show_default=False)
    ],
    folder: Annotated[Path, typer.Option("--dir", help="Where the new folder NAME is put.")] = Path(),
    as_json: JsonOpt = False,
) -> None:
    """Write a small package with a plug-in that runs as it stands: the class, its test, a sweep file, a README.
    Overwrites nothing."""
    from harness.scaffold.package import write_package

    place = write_package(kind.value, name, folder)
    if as_json:
        emit({"kind": kind.value, "name": name, "folder": str(place), "sweep": str(place / "config.yaml")})
        return
    print(f"{place}/ written. Next:\n  pip install -e {place}\n  harness check {kind} {name}", file=sys.stderr)
    print(f"  harness sweep {place / 'config.yaml'}", file=sys.stderr)


def check(
    kind: KindArg,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name, as `harness list` prints it.", show_default=False)
    ],
    given: GivenOpt = None,
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
        report = check_plugin(kind.value, plugin, _settings(given or []), progress)
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
