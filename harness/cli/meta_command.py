"""``harness meta``: what several collections say together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import JsonOpt, ResultsOpt, display, emit


def meta(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="METHOD...", help="Names or labels of methods. Default: all that stand on two collections or more."
        ),
    ] = None,
    results: ResultsOpt = Path("results"),
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", help="Method or label to compare with. Default: the one that most sweeps name."),
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", "-m", help="Default: the one that most sweeps lead with.")
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Only runs on this split.")] = None,
    same: Annotated[
        str | None,
        typer.Option(
            "--same",
            metavar="FIELD,...",
            help="Combine what is the same by these only, such as method,teacher,budget, where collections need other "
            "settings; what differs is said.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of randomisation and bootstrap within a collection.")] = 0,
    as_json: JsonOpt = False,
) -> None:
    """What several collections say together: a random-effects meta-analysis, and a table of the collections behind it.

    The effect on a collection is the mean per-query difference to the baseline there; its variance comes from the
    queries, and from resamples and seeds where there are several. Collections are combined with weights by these
    variances and by how far the collections disagree (tau, I²): never an average of averages. 'on these collections' is
    their plain mean, of these very ones; 'all together' is of the mean effect on collections like these: with two or
    three its interval is wide, and rightly so. 'on another collection' is what to expect on one that was not tried.

    harness meta intermediate --baseline zero-shot -m nDCG@10

    harness meta --json
    """
    from harness.leaderboard import collections_meta, load_results
    from harness.leaderboard.render.meta_table import terminal

    fields = same.split(",") if same else []
    runs = load_results.load_results(results)
    found = collections_meta.meta_of(
        runs, methods or [], metric=metric, baseline=baseline, split=split, same=fields, seed=seed
    )
    emit(found.as_json()) if as_json else display(terminal(found))
