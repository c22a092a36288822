"""``harness trace``: where between a teacher and a retriever knowledge was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import JsonOpt, ResultsOpt, display, emit

RowArg = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ROW...",
        help="Names of rows (their beginning or some of their words will do: all that fit), or ids of runs. Default: "
        "all with a trace.",
    ),
]
CollectionOpt = Annotated[str | None, typer.Option("--collection", help="Only this collection.")]
SplitOpt = Annotated[str | None, typer.Option("--split", help="Only this split.")]


def trace(
    rows: RowArg = None,
    results: ResultsOpt = Path("results"),
    collection: CollectionOpt = None,
    split: SplitOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Where is it lost? A row as one line, from the judgments over teacher and ranker to the retriever.

    'judgments': nDCG@10 of the candidates' and of the teacher's order by the judgments of the training queries. 'own'
    and 'held-out': how far the ranker follows the teacher, and the student the ranker, on lists that they learnt and on
    others: nDCG@10 with the order of whom they follow as gains, and Kendall's τ. 're-ranks': the ranker itself on the
    candidates of the evaluated queries, the best that the retriever can learn of it. Means over a row's resamples and
    seeds; docs/trace.md tells what each number means.

    harness trace "intermediate smollm2 300 labels"

    harness trace --json
    """
    from harness.leaderboard.inspect.row_trace import load_traces
    from harness.leaderboard.render.trace_terminal import terminal

    found = load_traces(results, rows or (), collection=collection, split=split)
    emit({"rows": [one.as_json() for one in found]}) if as_json else display(terminal(found))
