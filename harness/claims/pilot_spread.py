"""What differences vary by, from the runs of a finished pilot: planning takes it for what is to come."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from harness.evaluation.significance.clusters import clusters_of
from harness.evaluation.significance.method_difference import MethodRuns, difference_of
from harness.evaluation.significance.planned_power import Spread
from harness.leaderboard.configuration import configurations
from harness.leaderboard.row_statistics import method_runs, queries_of
from harness.leaderboard.run_group import carried_clusters
from harness.published.result_folder import Published
from harness.text import counted

DEVIATION, LUCK = 0.15, 0.01
"""Taken where no pilot says better: on semanlink queries differed by 0.14 and luck with a draw was 0.003 to 0.015."""


class PilotSpread(NamedTuple):
    """Standard deviations of a query's difference and between runs, and where they are from."""

    deviation: float
    luck: float
    source: str


def pilot_spread(runs: Sequence[Published], collection: str, metric: str, baseline: str | None) -> PilotSpread:
    """Of trained configurations against the `baseline` (method or label) on that collection: the median over them.
    What the pilot does not know is a default, and the source says so."""
    present = [run for run in runs if run.card.collection.name == collection and metric in run.scores]
    spreads = list(_spreads(present, metric, baseline))
    if not spreads:
        return PilotSpread(DEVIATION, LUCK, "defaults, no pilot")
    deviation = float(np.median([one.deviation for one in spreads]))
    lucks = [one.luck for one in spreads if one.runs > 1 and math.isfinite(one.luck)]
    source = f"pilot, {counted(len(spreads), 'comparison')} with {baseline}"
    if not lucks:
        return PilotSpread(deviation, LUCK, f"{source}; luck is a default, each has one run")
    return PilotSpread(deviation, float(np.median(lucks)), source)


def _spreads(runs: Sequence[Published], metric: str, baseline: str | None) -> Iterator[Spread]:
    found, _ = configurations(runs)
    queries = queries_of(runs)
    clusters = clusters_of(carried_clusters(runs).names, queries)
    measured = [(one, method_runs(one, metric, queries)) for one in found]
    for reference in (made for one, made in measured if baseline in (one.card.method.name, one.card.method.label)):
        for one, made in measured:
            if one.card.resample is not None and made is not reference and _are_paired(made, reference):
                yield Spread.of(difference_of(made, reference, clusters))


def _are_paired(one: MethodRuns, other: MethodRuns) -> bool:
    """Whether resamples can be held against each other, with two queries at least."""
    resamples = {resample for resample, _ in other.design}
    return len(one.values) > 1 and (resamples == {None} or bool(resamples & {resample for resample, _ in one.design}))
