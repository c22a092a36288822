"""``harness curves``: how many labels each way of distilling needs, as statistics."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import JsonOpt, ResultsOpt, display, emit
from harness.errors import UserError


class AxisName(StrEnum):
    """What curves run over."""

    labels = "labels"
    usd = "usd"
    tokens = "tokens"


class FitName(StrEnum):
    """Families of curves."""

    monotone = "monotone"
    power_law = "power-law"


class BandOver(StrEnum):
    """What bands are intervals over."""

    runs = "runs"
    all = "all"


class PriceOption(StrEnum):
    """What a row can cost."""

    usd = "usd"
    labels = "labels"
    tokens = "tokens"
    training = "training"
    seconds = "seconds"


class AmongOption(StrEnum):
    """Which rows a frontier is drawn among."""

    labels = "labels"
    all = "all"


TargetOpt = Annotated[
    str | None,
    typer.Option(
        "--target", help="How much does it take to reach this? A number, or the name of a row without labels."
    ),
]
AgainstOpt = Annotated[
    str | None,
    typer.Option(
        "--against",
        metavar="SERIES",
        help="Hold the others against it; the start of its name will do. Default: the best not ours.",
    ),
]
BandOpt = Annotated[
    BandOver | None,
    typer.Option("--band", help="runs: resamples and seeds; all: queries too. Default: runs where there are several."),
]
PriceOpt = Annotated[
    PriceOption | None, typer.Option("--price", help="Also: quality against this price, and which rows are dominated.")
]


HourOpt = Annotated[
    float,
    typer.Option("--hour", min=0, metavar="USD", help="Price of an hour of the machine; USD then count all its hours."),
]
AmongOpt = Annotated[
    AmongOption, typer.Option("--among", help="Rows that --price compares: those that use labels, or all.")
]
CollectionOpt = Annotated[str | None, typer.Option("--collection", help="Only this collection.")]
MetricOpt = Annotated[str | None, typer.Option("--metric", "-m", help="Default: the metric that leads the board.")]
AxisOpt = Annotated[AxisName, typer.Option("--axis", help="What the curves run over.")]
FitOpt = Annotated[FitName, typer.Option("--fit", help="power-law takes 4 budgets; series with fewer stay monotone.")]
EveryOpt = Annotated[bool, typer.Option("--every", help="All series, not only the best eight.")]
RerankedOpt = Annotated[
    bool,
    typer.Option(
        "--reranked", help="Also each method's ranker re-ranking the candidates: the best that its retriever can learn."
    ),
]
PictureOpt = Annotated[
    Path | None, typer.Option("--svg", help="Also write the curves of the first table to this file.")
]


def curves(
    results: ResultsOpt = Path("results"),
    collection: CollectionOpt = None,
    metric: MetricOpt = None,
    axis: AxisOpt = AxisName.labels,
    target: TargetOpt = None,
    against: AgainstOpt = None,
    fit: FitOpt = FitName.monotone,
    band: BandOpt = None,
    price: PriceOpt = None,
    hour: HourOpt = 0.0,
    among: AmongOpt = AmongOption.labels,
    every: EveryOpt = False,
    reranked: RerankedOpt = False,
    picture: PictureOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """How many labels does each way need? Fitted budget curves with bands, areas, targets and crossings.

    Each series of the board is one curve over its budgets. 'area' is its mean metric over the logarithm of the budget.
    With --target: the labels that reach it, 'at most' the smallest budget or 'more than' the largest where it lies
    outside what was measured. Against one series: what each other needs to equal it at its largest budget, and from
    where on it is ahead. Intervals are 95 % t intervals over queries, resamples and seeds together: with two resamples
    they are wide. docs/budget-curves.md tells what each number means.

    harness curves --target no-llm

    harness curves --axis usd --against supervised --price usd --json

    harness curves --price usd --hour 2.5
    """
    from harness.leaderboard import board, load_results
    from harness.leaderboard.curves import curve_answer, fitted, reranked_runs, series, svg
    from harness.leaderboard.render.curve_terminal import render

    result_set = load_results.load_results(results)
    if reranked:
        result_set = reranked_runs.with_reranked(result_set)
    made = board.board_of(result_set, collection=collection, metric=metric)
    if reranked:
        reranked_runs.check_metrics(result_set, [table.metric for table in made.tables])
    over = {None: None, BandOver.runs: series.RUNS, BandOver.all: fitted.ALL}[band]
    bought = price.value if price else None
    question = curve_answer.CurveQuestion(
        axis.value, fit.value, over, target, against, bought, hour, among.value, every=every
    )
    answers = [curve_answer.answer(result_set, table, question) for table in made.tables]
    if picture is not None:
        one = next((one for one in answers if one.drawn is not None), None)
        if one is None or one.drawn is None:
            raise UserError("no run has a budget, so there is no curve to draw", file=picture)
        svg.write_svg(one.drawn, picture, one.statistics)
    if as_json:
        emit({"tables": [curve_answer.as_json(one) for one in answers], "notes": list(made.notes)})
    else:
        display(render(answers, made.folder))
