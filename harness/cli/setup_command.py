"""``harness setup``: the models and the collection that come as packages of the index."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from harness._lazy import lazy
from harness.cli.options import JsonOpt, emit
from harness.cli.result_output import output

if TYPE_CHECKING:
    from harness.scaffold import bundled_parts
else:
    bundled_parts = lazy("harness.scaffold.bundled_parts")


def setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is there; install nothing.")] = False,
    as_json: JsonOpt = False,
) -> None:
    """Install the bundled models and the bundled collection into this environment, in exact versions checked by hash.

    By pip, with pip's own settings (index, proxy, certificates), or by uv where there is no pip. None of their own
    dependencies come along. What is there already is said; then nothing is fetched.
    """
    report = bundled_parts.install_parts(lambda line: print(line, file=sys.stderr), dry_run)
    emit(report) if as_json else print(bundled_parts.render_parts(report), file=output())
    raise typer.Exit(0 if all(part["installed"] == part["version"] for part in report["parts"]) else 1)
