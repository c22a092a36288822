"""``harness new sweep``: a first sweep file, or a copy of an example."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness._lazy import lazy
from harness.cli.options import emit

if TYPE_CHECKING:
    from harness.scaffold import starter_sweep
else:
    starter_sweep = lazy("harness.scaffold.starter_sweep")


def new_sweep(
    name: str | None, folder: Path, collection: str | None, example: str | None, workspace: Path, as_json: bool
) -> None:
    """Write the sweep file `name` in `folder` for a collection, once it is known that it plans; or copy an example.
    Raises UserError with nothing written."""
    if (collection is None) == (example is None):
        raise harness.UserError(
            "what the sweep is about is not said" if collection is None else "a sweep is of a collection or an example",
            what="new sweep",
            remedy="--collection NAME or FOLDER (harness list collections), or --example NAME (harness list examples)",
        )
    if example is not None:
        files = starter_sweep.copy_example(example, folder)
        if as_json:
            emit({"kind": "sweep", "files": [str(file) for file in files]})
            return
        print(f"{', '.join(map(str, files))} written. Next:\n  harness plan {files[0]}", file=sys.stderr)
        return
    file = folder / (f"{(name or 'sweep').removesuffix('.yaml')}.yaml")
    starter_sweep.refuse_existing(file)
    home, spec = harness.Workspace(workspace), starter_sweep.collection_spec(str(collection), folder)
    starter_sweep.write_new(file, starter_sweep.starter_sweep(file, spec, home.collection(spec, folder)))
    try:
        report = home.plan(file).report()
    except BaseException:
        file.unlink()
        raise
    if as_json:
        emit({"kind": "sweep", "files": [str(file)], "cells": report["cells"]})
        return
    stages = report["stages"]
    print(
        f"{file} written: {report['cells']} cells, {stages['distinct'] - stages['cached']} stages to run.",
        file=sys.stderr,
    )
    print(f"Next:\n  harness sweep {file}\n  harness board", file=sys.stderr)
