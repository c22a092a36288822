"""``python -m benchmarks.calibrate_methods [--sweeps N] [--results DIR]``: do verdicts about methods err as they say?

Methods whose true differences are known are made of the per-query scores of published runs, queries x runs: on each
query a method has the score of a published one, all means moved to the same; each run of it has what two published
resamples of one configuration differ by, and luck of its draw of labels. Queries are drawn with replacement, alone or
in clusters, whose queries are partly the same; resamples may share a part of their luck. A Markdown table says how
often each verdict is false, and how often the interval holds the truth. Rates above the goal are marked (!), and then
the exit code is 1; † marks what claims nothing about methods.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.method_difference import MeanDifference, MethodRuns, difference_of
from harness.evaluation.significance.randomisation import randomisation
from harness.leaderboard.configuration import configurations
from harness.leaderboard.row_statistics import method_runs, queries_of
from harness.published.result_folder import read_results

ALPHA, MARGIN, GOAL = 0.05, 0.02, 0.06
FLIPS = 1_000
BASELINES = 3
METRIC = "nDCG@10"
COLUMNS = ("different", "interval", "as good", "one-sided margins", "beats all", "any of all", "these runs †")


@dataclass(frozen=True)
class ScorePool:
    """Per-query scores to draw from, every column with the mean 0: `methods` (queries, configurations), `noise`
    (queries, pairs of resamples), what one run has beside its method."""

    methods: Array
    noise: Array

    @classmethod
    def of(cls, results: Path) -> ScorePool:
        """Of the collection with the most configurations under `results`."""
        runs, _ = read_results(results)
        names = [run.card.collection.name for run in runs]
        members = [run for run in runs if run.card.collection.name == max(set(names), key=names.count)]
        queries = queries_of(members)
        found = [method_runs(one, METRIC, queries).values for one in configurations(members)[0]]
        methods = np.unique(np.column_stack([one.mean(axis=1) for one in found]), axis=1)
        noise = np.column_stack([(one[:, 0] - one[:, 1]) / math.sqrt(2) for one in found if one.shape[1] > 1])
        return cls(methods - methods.mean(axis=0), noise - noise.mean(axis=0))


@dataclass(frozen=True)
class MethodSetting:
    """Test queries, runs of each method, luck as the standard deviation of a run's difference, clusters (0 where
    queries are independent) of which a tenth hold half of the queries, and the part of its luck that all resamples of
    a method share, as those do that share training queries."""

    queries: int
    runs: int
    luck: float
    clusters: int = 0
    overlap: float = 0.0


SETTINGS = [MethodSetting(queries, 1, 0.0) for queries in (43, 93, 231, 2500)]
SETTINGS += [
    MethodSetting(queries, runs, luck)
    for queries in (43, 93, 231, 2500)
    for runs in (2, 3, 5)
    for luck in (0.0, 0.0065, 0.015)
]
SETTINGS += [
    MethodSetting(queries, runs, luck, clusters)
    for queries, clusters in ((1451, 515), (231, 60), (500, 40), (100, 10))
    for runs, luck in ((1, 0.0), (2, 0.01), (3, 0.01), (5, 0.0), (5, 0.01))
]
SETTINGS += [
    MethodSetting(queries, runs, 0.01, overlap=overlap)
    for queries in (231, 2500)
    for overlap in (0.25, 0.56, 0.82)
    for runs in (2, 3, 5)
]
SAME = math.sqrt(0.4)
"""Chance that a query of a cluster is its first one: two of a cluster are the same in 40 % of cases."""


def simulated(
    setting: MethodSetting, pool: ScorePool, generator: np.random.Generator
) -> tuple[list[Array], Clusters | None]:
    """Values (queries, runs) of BASELINES + 1 methods with the same true mean, and the clusters of the queries."""
    n, u, m = setting.queries, setting.runs, BASELINES + 1
    drawn, clusters = generator.integers(0, len(pool.methods), n), None
    if setting.clusters:
        # Half of the queries are in a tenth of the clusters, as those of long articles are.
        names = generator.integers(0, setting.clusters, n)
        large = generator.integers(0, max(1, setting.clusters // 10), n)
        names = np.where(generator.random(n) < 0.5, large, names)
        clusters = Clusters.of(names.tolist())
        first = generator.integers(0, len(pool.methods), setting.clusters)
        drawn = np.where(generator.random(n) < SAME, first[names], drawn)
    # A difference of two methods has the luck that was asked for, so each has it by the square root of two.
    luck = setting.luck / math.sqrt(2)
    common = generator.normal(0, luck * math.sqrt(setting.overlap), (m, 1))
    own = common + generator.normal(0, luck * math.sqrt(1 - setting.overlap), (m, u))
    chosen = generator.choice(pool.methods.shape[1], m, replace=False)
    found = []
    for method in range(m):
        kinds, signs = generator.integers(0, pool.noise.shape[1], u), generator.choice((-1, 1), u)
        noise = pool.noise[drawn][:, kinds] * signs if u > 1 else 0.0
        found.append(pool.methods[drawn, chosen[method]][:, None] + noise + own[method] * (u > 1))
    return found, clusters


def verdicts(setting: MethodSetting, pool: ScorePool, generator: np.random.Generator) -> list[bool]:
    """Which of COLUMNS are false claims; of the interval whether it holds the truth."""
    values, clusters = simulated(setting, pool, generator)
    design = ((None, None),) if setting.runs == 1 else tuple((resample, 0) for resample in range(setting.runs))
    methods = [MethodRuns(one, design, setting.overlap) for one in values]
    own, others = methods[0], methods[1:]

    def against(shift: float) -> MeanDifference:
        return difference_of(own._replace(values=own.values + shift), others[0], clusters)

    still, each = against(0.0), [difference_of(own, other, clusters) for other in others]
    p = np.array([one.p() for one in each])
    # The worst case of 'better than all': better than all but one by far.
    far = own._replace(values=own.values + 1)
    worst = [each[0].p(), *(difference_of(far, other, clusters).p() for other in others[1:])]
    ends = still.interval()
    mean = (own.values.mean(axis=1) - others[0].values.mean(axis=1))[:, None]
    of_runs = randomisation(clusters.sums(mean) if clusters else mean, int(generator.integers(1 << 31)), FLIPS)[0]
    return [
        still.p() < ALPHA,
        ends is not None and ends.low <= 0 <= ends.high,
        against(MARGIN).p_within(MARGIN) < ALPHA,
        against(-MARGIN).p_above(-MARGIN) < ALPHA,
        max(worst) < ALPHA and each[0].difference > 0,
        bool((correct(p, "holm") < ALPHA).any()),
        bool(of_runs < ALPHA),
    ]


def rates(pool: ScorePool, sweeps: int, seed: int, settings: Sequence[MethodSetting]) -> Iterator[str]:
    """Rows: share of simulated pairs in which each verdict is false."""
    yield f"| queries | runs | luck | {' | '.join(COLUMNS)} |"
    yield "|--:|--:|--:|" + "--:|" * len(COLUMNS)
    for setting in settings:
        mark = (setting.queries, setting.runs, round(1e4 * setting.luck), setting.clusters)
        generator = np.random.default_rng((seed, *mark, round(100 * setting.overlap)))
        found = np.mean([verdicts(setting, pool, generator) for _ in range(sweeps)], axis=0)
        cells = [_cell(name, float(rate), sweeps) for name, rate in zip(COLUMNS, found, strict=True)]
        queries = f"{setting.queries:,}" + (f" in {setting.clusters}" if setting.clusters else "")
        queries += f", {setting.overlap:.0%} shared" if setting.overlap else ""
        yield f"| {queries} | {setting.runs} | {setting.luck:g} | {' | '.join(cells)} |"


def _cell(name: str, rate: float, sweeps: int) -> str:
    wrong = 1 - rate if name == "interval" else rate
    sure = GOAL + 3 * math.sqrt(GOAL * (1 - GOAL) / sweeps)
    return f"{rate:.3f}{' (!)' if wrong > sure and '†' not in name else ''}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate_methods", description=__doc__)
    parser.add_argument("--sweeps", type=int, default=1_000, help="simulated families a row of the table")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("results"), help="published runs to draw scores from")
    parser.add_argument("--rows", default="0:", metavar="FROM:TO", help="only these rows of the table")
    options = parser.parse_args()
    first, last = (int(end) if end else None for end in options.rows.split(":"))
    failed = False
    for row in rates(ScorePool.of(options.results), options.sweeps, options.seed, SETTINGS[first:last]):
        print(row, flush=True)
        failed = failed or "(!)" in row
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
