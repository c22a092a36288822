"""``python -m benchmarks.calibrate_methods [--sweeps N]``: do the verdicts about methods err as often as they say?

Pairs of methods whose true difference is known are simulated, queries x runs, with luck of the draw of labels and with
queries in clusters; a Markdown table says how often each verdict is false, and how often the interval holds the truth.
Rates above the goal are marked (!), and then the exit code is 1; † marks what claims nothing about methods.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of
from harness.evaluation.significance.randomisation import randomisation

ALPHA, MARGIN, GOAL = 0.05, 0.02, 0.06
QUERY, RUN = 0.19, 0.10
"""Standard deviations of a query's difference: what all runs share, and of each run."""
FLIPS = 1_000
BASELINES = 3
COLUMNS = ("different", "interval", "as good", "not worse", "better by", "beats all", "any of all", "these runs †")


@dataclass(frozen=True)
class MethodSetting:
    """Test queries, runs of each method, luck as the standard deviation of a run's difference, and clusters (0 where
    queries are independent), which hold `shared` of the queries' variance."""

    queries: int
    runs: int
    luck: float
    clusters: int = 0
    shared: float = 0.4


SETTINGS = [MethodSetting(queries, 1, 0.0) for queries in (43, 93, 231, 2500)]
SETTINGS += [
    MethodSetting(queries, runs, luck)
    for queries in (43, 93, 231, 2500)
    for runs in (2, 3, 5)
    for luck in (0.0, 0.003, 0.0065, 0.01, 0.015)
]
SETTINGS += [MethodSetting(1451, runs, luck, 515) for runs, luck in ((1, 0.0), (3, 0.01), (5, 0.01))]


def simulated(setting: MethodSetting, generator: np.random.Generator) -> tuple[list[Array], Clusters | None]:
    """Values (queries, runs) of BASELINES + 1 methods with the same true mean, and the clusters of the queries."""
    n, u, clusters = setting.queries, setting.runs, None
    inside = np.zeros((n, BASELINES + 1))
    left = 1.0
    if setting.clusters:
        # A tenth of the clusters hold half of the queries, as articles do.
        sizes = generator.permutation(np.arange(n) % setting.clusters)
        large = generator.random(n) < 0.5
        numbers = np.where(large, sizes % max(1, setting.clusters // 10), sizes)
        clusters = Clusters.of(numbers.tolist())
        left = 1 - setting.shared
        own = generator.normal(0, math.sqrt(setting.shared), (clusters.count, BASELINES + 1))
        inside = own[np.array(clusters.numbers)]
    # Differences of two methods have the deviations QUERY, RUN and luck, so each has them by the square root of two.
    scale = 1 / math.sqrt(2)
    queries = QUERY * scale * (math.sqrt(left) * generator.normal(0, 1, (n, BASELINES + 1)) + inside)
    luck = generator.normal(0, setting.luck * scale, (BASELINES + 1, u))
    noise = RUN * scale if u > 1 else 0.0
    found = [
        queries[:, [method]] + luck[method] + generator.normal(0, noise, (n, u)) for method in range(BASELINES + 1)
    ]
    return found, clusters


def verdicts(setting: MethodSetting, generator: np.random.Generator) -> list[bool]:
    """Which of COLUMNS are false claims; of the interval whether it holds the truth."""
    values, clusters = simulated(setting, generator)
    design = ((None, None),) if setting.runs == 1 else tuple((resample, 0) for resample in range(setting.runs))
    methods = [MethodRuns(one, design) for one in values]
    own, others = methods[0], methods[1:]

    def against(shift: float) -> MeanDifference:
        return difference_of(MethodRuns(own.values + shift, design), others[0], clusters)

    still, each = against(0.0), [difference_of(own, other, clusters) for other in others]
    p = np.array([one.p() for one in each])
    # The worst case of 'better than all': better than all but one by far.
    worst = [
        each[0].p(),
        *(one.p() for one in (difference_of(MethodRuns(own.values + 1, design), o) for o in others[1:])),
    ]
    ends = still.interval()
    mean = (own.values.mean(axis=1) - others[0].values.mean(axis=1))[:, None]
    of_runs = randomisation(clusters.sums(mean) if clusters else mean, int(generator.integers(1 << 31)), FLIPS)[0]
    return [
        still.p() < ALPHA,
        ends is not None and ends.low <= 0 <= ends.high,
        against(MARGIN).p_within(MARGIN) < ALPHA,
        against(-MARGIN).p_above(-MARGIN) < ALPHA,
        against(MARGIN).p_above(MARGIN) < ALPHA,
        max(worst) < ALPHA and each[0].difference > 0,
        bool((correct(p, "holm") < ALPHA).any()),
        bool(of_runs < ALPHA),
    ]


def rates(sweeps: int, seed: int) -> Iterator[str]:
    """Rows: share of simulated pairs in which each verdict is false."""
    yield f"| queries | runs | luck | {' | '.join(COLUMNS)} |"
    yield "|--:|--:|--:|" + "--:|" * len(COLUMNS)
    for setting in SETTINGS:
        generator = np.random.default_rng((seed, setting.queries, setting.runs, round(1e4 * setting.luck)))
        found = np.mean([verdicts(setting, generator) for _ in range(sweeps)], axis=0)
        cells = [_cell(name, float(rate), sweeps) for name, rate in zip(COLUMNS, found, strict=True)]
        queries = f"{setting.queries:,}" + (f" in {setting.clusters} clusters" if setting.clusters else "")
        yield f"| {queries} | {setting.runs} | {setting.luck:g} | {' | '.join(cells)} |"


def _cell(name: str, rate: float, sweeps: int) -> str:
    wrong = 1 - rate if name == "interval" else rate
    sure = GOAL + 3 * math.sqrt(GOAL * (1 - GOAL) / sweeps)
    return f"{rate:.3f}{' (!)' if wrong > sure and '†' not in name else ''}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate_methods", description=__doc__)
    parser.add_argument("--sweeps", type=int, default=2_000, help="simulated families a row of the table")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = False
    for row in rates(options.sweeps, options.seed):
        print(row, flush=True)
        failed = failed or "(!)" in row
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
