"""What a sweep could show at all, before it runs: the least difference and the least margin on each collection."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from harness.claims.pilot_spread import pilot_spread
from harness.evaluation.query_clusters import query_clusters
from harness.evaluation.significance.clusters import clusters_of
from harness.evaluation.significance.planned_power import Spread, least_difference, least_margin
from harness.evaluation.significance.power import ALPHA, POWER
from harness.leaderboard.load_results import load_results
from harness.pipeline.builder import PlannedCell
from harness.pipeline.forecast.shared_queries import shared_queries
from harness.pipeline.planned_sweep import PlannedSweep

Report = dict[str, Any]


def power_report(plan: PlannedSweep, margin: float, pilot: Path | None = None) -> Report:
    """``{"margin", "alpha", "power", "metric", "collections": [...], "pooled"}``; runs nothing.

    Of every collection ``queries``, ``clusters`` (None where queries are independent), ``resamples``, ``deviation``
    and ``luck`` with their ``source`` (the runs under `pilot`, or defaults), ``shared_queries``, ``difference`` and
    ``margin`` as ``{"alone", "holm"}``: the least that is seen with 80 % power, two-sided for a difference, for one
    comparison and at the worst step of Holm over collections; deviations are of clusters where there are some;
    ``shows`` says whether `margin` can be. ``pooled`` is over all, with equal weights. What cannot be seen is None.
    """
    runs = load_results(pilot).runs if pilot is not None else ()
    evaluate = plan.sweep.evaluate
    metric = evaluate.metrics[0]
    shared: dict[str, float] = {}
    for row in shared_queries(plan.cells, plan.workspace.store):
        shared[row["collection"]] = max(shared.get(row["collection"], 0.0), row["part"] or 0.0)
    rows, spreads = [], []
    collections = plan.collections
    for collection in collections:
        found = pilot_spread(runs, collection.name, metric, plan.sweep.baseline)
        judged = list(collection.judgments(evaluate.split).qrels)
        named = query_clusters(collection, evaluate.split, evaluate.cluster)
        clusters = clusters_of(named.names, judged) if named is not None else None
        part = shared.get(collection.name, 0.0)
        units = round(clusters.effective) if clusters else len(judged)
        spread = Spread(found.deviation, found.luck, units, _resamples(plan.cells, collection.name), part)
        spreads.append(spread)
        rows.append(
            {
                "collection": collection.name,
                "queries": len(judged),
                "clusters": clusters.count if clusters else None,
                "resamples": spread.runs,
                "shared_queries": part,
                "deviation": found.deviation,
                "luck": found.luck,
                "source": found.source,
                **_least(spread, len(collections), margin),
            }
        )
    pooled = _least(_pooled(spreads), 1, margin) if len(spreads) > 1 else None
    return {
        "margin": margin,
        "alpha": ALPHA,
        "power": POWER,
        "metric": metric,
        "collections": rows,
        "pooled": pooled,
    }


def _resamples(cells: Sequence[PlannedCell], collection: str) -> int:
    here = {cell.cell.resample for cell in cells if cell.inputs.collection.name == collection} - {None}
    return max(len(here), 1)


def _pooled(spreads: Sequence[Spread]) -> Spread:
    """One spread with the variances of a mean over collections of equal weight."""
    k, queries, runs = len(spreads), sum(one.queries for one in spreads), min(one.runs for one in spreads)
    of_queries = sum(one.of_queries for one in spreads) / k**2
    of_runs = sum(one.of_runs for one in spreads) / k**2
    # Runs of different collections are different draws: each adds its degrees of freedom.
    runs = k * (runs - 1) + 1
    return Spread(math.sqrt(of_queries * queries), math.sqrt(of_runs * runs), queries, runs)


def _least(spread: Spread, family: int, margin: float) -> Report:
    steps = {"alone": ALPHA, "holm": ALPHA / family}
    difference = {name: _finite(least_difference(spread, alpha)) for name, alpha in steps.items()}
    least = {name: _finite(least_margin(spread, alpha)) for name, alpha in steps.items()}
    return {
        "difference": difference,
        "margin": least,
        "shows": {
            "difference": difference["holm"] is not None and difference["holm"] <= margin,
            "margin": least["holm"] is not None and least["holm"] <= margin,
        },
    }


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def render_power(report: Report) -> Group:
    """The power for people."""
    margin = report["margin"]
    table = Table("collection", "queries x runs", box=None, title_justify="left")
    for heading in ("sd", "luck", "difference", "Holm", "margin", "Holm", f"shows {margin:g}?"):
        table.add_column(heading, justify="right")
    for row in report["collections"]:
        queries = f"{row['queries']:,}" + (f" in {row['clusters']:,}" if row["clusters"] else "")
        spread = (f"{queries} x {row['resamples']}", f"{row['deviation']:.3f}", f"{row['luck']:.3f}")
        table.add_row(escape(row["collection"]), *spread, *_cells(row))
    if report["pooled"] is not None:
        table.add_row("pooled", "", "", "", *_cells(report["pooled"]))
    sources = (f"{escape(row['collection'])}: {row['source']}" for row in report["collections"])
    head = (
        f"least difference (two-sided) and least margin of non-inferiority on {report['metric']} that are seen with "
        f"{report['power']:.0%} power at {report['alpha']:g}, one rival; Holm: the worst step over collections"
    )
    return Group(head, table, *sources, *_single(report["collections"]))


def _single(rows: Sequence[Report]) -> Iterator[str]:
    for row in rows:
        if row["resamples"] == 1:
            yield f"{escape(row['collection'])}: one resample says nothing of luck with the draw, whatever stands here"


def _cells(row: Report) -> list[str]:
    numbers = [row["difference"]["alone"], row["difference"]["holm"], row["margin"]["alone"], row["margin"]["holm"]]
    shows = [what for what in ("difference", "margin") if row["shows"][what]]
    return [*("–" if value is None else f"{value:.3f}" for value in numbers), " and ".join(shows) or "no"]
