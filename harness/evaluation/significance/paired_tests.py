"""Paired tests over queries, effect sizes and intervals of a difference.

All functions take differences (n queries, m comparisons) in [-1, 1] or any other finite range and treat each column by
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness._lazy import lazy
from harness.errors import UserError, did_you_mean
from harness.evaluation.exact_sums import Array, on_grid
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.bootstrap import SAMPLES, Interval, bootstrap, bootstrap_t
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.intervals import LEVEL, intervals, t_intervals
from harness.evaluation.significance.joint_tests import max_t, tukey
from harness.evaluation.significance.method_difference import fixed_run, mean_of
from harness.evaluation.significance.randomisation import ALL_UP_TO, flips_for, randomisation

special = lazy("scipy.special")
stats = lazy("scipy.stats")

__all__ = [
    "FEW_QUERIES",
    "SEED",
    "TESTS",
    "TOO_FEW_QUERIES",
    "TestResult",
    "least_p",
    "outcomes",
    "paired_test",
    "t_intervals",
]

SEED = 0
FEW_QUERIES, TOO_FEW_QUERIES = 100, 30
"""Queries (or clusters of them) below which bootstrap intervals are too narrow, and below which no mean is near
normal."""
_LEAST = float(np.finfo(np.float64).tiny)
"""What is reported for a p that underflows: never 0."""
_NOISE = 1e-12


def _randomisation(differences: Array, seed: int, side: Alternative) -> Array:
    return randomisation(differences, seed, flips_for(differences.shape[1]), side)


def _bootstrap(differences: Array, seed: int, side: Alternative) -> Array:
    return bootstrap(differences, seed, side=side)


def _bootstrap_t(differences: Array, seed: int, side: Alternative) -> Array:
    return bootstrap_t(differences, seed, side=side)


def _t(differences: Array, _seed: int, side: Alternative) -> Array:

    n = len(differences)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = differences.mean(axis=0) / (differences.std(axis=0, ddof=1) / np.sqrt(n))
    tails = 2 if side is Alternative.both else 1
    return np.asarray(np.nan_to_num(tails * special.stdtr(n - 1, -side.distance(t)), nan=1.0))


def _wilcoxon(differences: Array, _seed: int, side: Alternative) -> Array:

    return np.array(
        [stats.wilcoxon(column, alternative=side.value).pvalue if column.any() else 1.0 for column in differences.T]
    )


Pairs = list[tuple[int, int]]


def least_p(nonzero: NDArray[np.int64], side: Alternative) -> Array:
    """What signs alone can give for so many differences that are not 0, all of one sign: 2 / 2**k, one-sided 1 / 2**k.

    No test here says less: three differences that happen to be the same have no variance, and are three signs.
    """
    return np.asarray(np.minimum((2.0 if side is Alternative.both else 1.0) * 0.5**nonzero, 1.0))


def _tukey(values: Array, pairs: Pairs, seed: int, side: Alternative) -> Array:
    if side is not Alternative.both:
        raise UserError(
            "the Tukey test is two-sided", remedy="take another test for a one-sided question, for example maxt"
        )
    return tukey(values, pairs, seed)


def _max_t(values: Array, pairs: Pairs, seed: int, side: Alternative) -> Array:
    return max_t(values[:, [b for _, b in pairs]] - values[:, [a for a, _ in pairs]], seed, side)


class PairedTest(NamedTuple):
    """A paired test and the interval of the mean difference that goes with it."""

    p: Callable[[Array, int, Alternative], Array]
    interval: str
    summary: str
    joint: Callable[[Array, Pairs, int, Alternative], Array] | None = None
    """For a test of all comparisons at once: their adjusted p, from values (n queries, m runs) and pairs of runs."""
    one_metric: bool = False
    """Whether `joint` compares all runs with each other, which they can be on one metric only."""
    of_signs: bool = False
    """Whether signs are flipped, which those of clusters are as their sums."""


TESTS: dict[str, PairedTest] = {
    "t": PairedTest(_t, "t", "Student's paired t; over queries and runs where methods have several runs"),
    "randomisation": PairedTest(
        _randomisation,
        "percentile",
        f"sign flips of the differences; all with up to {ALL_UP_TO} that are not 0",
        of_signs=True,
    ),
    "wilcoxon": PairedTest(_wilcoxon, "percentile", "Wilcoxon's signed ranks, queries without a difference left out"),
    "bootstrap": PairedTest(_bootstrap, "percentile", "bootstrap of the centred differences"),
    "bootstrap-t": PairedTest(
        _bootstrap_t, "studentised", "bootstrap of the centred differences over their standard error"
    ),
    "tukey": PairedTest(
        _randomisation,
        "percentile",
        "all runs against all: two-way randomised Tukey HSD",
        _tukey,
        one_metric=True,
        of_signs=True,
    ),
    "maxt": PairedTest(
        _randomisation,
        "percentile",
        "all comparisons at once: step-down maxT over sign flips",
        _max_t,
        of_signs=True,
    ),
}


class TestResult(NamedTuple):
    """What a paired comparison says; `interval` and `effect_size` are None where they are not defined (one query, no
    variance)."""

    difference: float
    interval: Interval | None
    effect_size: float | None
    """Cohen's d_z: mean difference over the standard deviation of the differences."""
    p: float
    wins: int
    ties: int
    losses: int

    @property
    def superiority(self) -> float:
        """How often b is better than a on a query, half a tie counted: probability of superiority for paired data."""
        return (self.wins + self.ties / 2) / (self.wins + self.ties + self.losses)


def paired_test(name: str) -> PairedTest:
    """The test of that name. Raises UserError with the nearest known name."""
    if name not in TESTS:
        raise UserError(f"unknown test '{name}'", remedy=did_you_mean(name, TESTS))
    return TESTS[name]


def outcomes(
    differences: Array,
    test: str = "t",
    seed: int = SEED,
    side: Alternative = Alternative.both,
    interval: str | None = None,
    *,
    level: float = LEVEL,
    clusters: Clusters | None = None,
) -> list[TestResult]:
    """One outcome for each column of `differences` (n queries, m comparisons); uncorrected p.

    The `interval` is two-sided whatever `side` is; without a name it is the one that goes with the test, below
    FEW_QUERIES that of t; None where nothing varies. Over `clusters` where there are some. Differences below 1e-12 are
    rounding noise and count as ties. Raises UserError on an unknown test or interval, or without queries.
    """
    chosen = paired_test(test)
    whole, step = on_grid(differences)
    values = whole * step
    if len(values) == 0:
        raise UserError("there is no judged query to test on")
    seen = clusters.linearised(values) if clusters else values
    flat = clusters.sums(values) if clusters else values
    n = len(seen)
    name = interval or ("t" if n < FEW_QUERIES else chosen.interval)
    bounds = intervals(name)
    means = (whole.sum(axis=0) * (step / len(values))).tolist()
    if n > 1:
        p = np.clip(chosen.p(flat if chosen.of_signs else seen, seed, side), _LEAST, 1.0)
        nonzero = np.count_nonzero(np.abs(flat) > _NOISE, axis=0)
        p = np.maximum(p, least_p(nonzero, side))
        varies = np.ptp(seen, axis=0) > _NOISE
        ends: Sequence[Interval | None]
        if name == "t" and clusters:
            ends = [mean_of(fixed_run(column), clusters).interval(level) for column in values.T]
        else:
            ends = bounds(seen, seed, SAMPLES, level)
        found = [one if some else None for one, some in zip(ends, varies, strict=True)]
    else:
        p, found = np.ones(values.shape[1]), [None] * values.shape[1]
    counts = [np.count_nonzero(sign, axis=0).tolist() for sign in (whole > 0, whole == 0, whole < 0)]
    return [TestResult(*row) for row in zip(means, found, _effects(values), p.tolist(), *counts, strict=True)]


def _effects(values: Array) -> list[float | None]:
    means = values.mean(axis=0)
    deviations = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    noise = np.abs(means) * 1e-12
    return [_effect(float(m), float(s), float(e)) for m, s, e in zip(means, deviations, noise, strict=True)]


def _effect(mean: float, deviation: float, noise: float) -> float | None:
    if mean == 0:
        return 0.0
    return mean / deviation if deviation > noise else None
