"""The bootstrap over queries x resamples x seeds: many runs of one method, its resamples drawn whole and its queries
drawn for all runs.

Queries and runs are crossed, so both are drawn and their counts multiplied (Owen, Annals of Applied Statistics 2007).
Runs are nested: seeds inside resamples. Drawing the upper level alone, with all that is in it, gives the variance of
both; drawing seeds inside drawn resamples would count theirs twice (Davison and Hinkley 1997, 3.8). Cells of the design
may be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import SAMPLES, bootstrap_means, run_weights

Design = tuple[tuple[int | None, int | None], ...]
"""(resample, seed) of each run, None where it makes no difference to the method."""


class Sampled(NamedTuple):
    """Bootstrapped means (samples,) of one method; `runs` has its runs drawn and queries as they are, None with one
    run."""

    means: Array
    runs: Array | None


def hierarchical_means(
    groups: Sequence[Array],
    designs: Sequence[Design],
    seed: int,
    samples: int = SAMPLES,
    factors: Sequence[float] | None = None,
) -> list[Sampled]:
    """Bootstrapped means of each method's values (n queries, its runs), from the same draws of queries for all methods.

    `factors` are what the variance between its runs is multiplied by, where resamples share queries
    (`resample_overlap`). The same on any number of threads: sums over queries are exact, those over runs are taken in
    their order.
    """
    drawn = bootstrap_means(np.column_stack(groups), seed, samples)
    weights = {runs: run_weights(runs, seed, samples) for runs in set(designs)}
    ends = np.cumsum([group.shape[1] for group in groups])[:-1]
    parts = zip(np.split(drawn, ends, axis=1), groups, designs, factors or [1.0] * len(groups), strict=True)
    return [_sampled(means, group, weights[runs], factor) for means, group, runs, factor in parts]


def _sampled(means: Array, group: Array, weights: Array, factor: float) -> Sampled:
    if group.shape[1] == 1:
        # A copy: a view would keep the draws of all methods in memory.
        return Sampled(means[:, 0].copy(), None)
    of_runs = (weights * group.mean(axis=0)).sum(axis=1)
    # What runs add to each sample, by as much more as makes their variance `factor` times what is seen.
    more = (np.sqrt(factor) - 1) * (of_runs - group.mean())
    return Sampled((means * weights).sum(axis=1) + more, of_runs + more)
