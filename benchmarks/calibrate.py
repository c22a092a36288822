"""``python -m benchmarks.calibrate [--results DIR] [--pairs N]``: do the tests err as often as they say?

Null hypotheses that are known to be true are made from the per-query scores of published runs; a Markdown table says
how often each test claims a difference, each correction makes any false claim, and each interval holds the true mean.
Numbers outside their goal are marked: † where none is claimed, (!) otherwise, and then the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.corrections import CORRECTIONS, correct
from harness.evaluation.significance.intervals import INTERVALS
from harness.evaluation.significance.joint_tests import max_t, tukey
from harness.evaluation.significance.method_difference import difference_of, fixed_run
from harness.evaluation.significance.paired_tests import TESTS
from harness.evaluation.significance.randomisation import randomisation
from harness.published.result_folder import read_results

ALPHA = 0.05
METRICS = ("nDCG@10", "AP", "RR@10")
QUERIES = (50, 200)
RUNS = 6
"""In a family."""
FLIPS = 1_000
"""Of tests of families, of which there are as many as pairs."""
FALSE_POSITIVES, FAMILY, COVERAGE = (0.04, 0.06), (0.0, 0.06), (0.93, 0.97)
"""Goals: least and most."""
NO_CLAIM = {("wilcoxon", "centred"), ("bca", 50), "none"}
"""What is known not to keep its goal, and is not said to: docs/statistics.md tells why."""


def tables_of(results: Path) -> list[Array]:
    """Values (queries, runs) of each metric of each collection that has enough different runs for a family."""
    found, _ = read_results(results)
    groups: dict[tuple[str, str, tuple[str, ...]], list[list[float]]] = {}
    for run in found:
        for name in METRICS:
            values = run.scores.get(name, {})
            groups.setdefault((run.card.collection.content_hash, name, tuple(values)), []).append(list(values.values()))
    tables = [np.unique(np.array(runs), axis=0).T for (_, _, queries), runs in groups.items() if queries]
    return [table for table in tables if table.shape[1] >= RUNS]


def _drawn(tables: list[Array], queries: int, runs: int, generator: np.random.Generator) -> Array:
    """All queries of a few runs of one table, then `queries` of them drawn with replacement: (all + queries, runs)."""
    table = tables[generator.integers(len(tables))]
    chosen = table[:, generator.choice(table.shape[1], runs, replace=False)]
    return np.vstack([chosen, chosen[generator.integers(0, len(chosen), queries)]])


def pairs(tables: list[Array], queries: int, number: int, seed: int) -> tuple[Array, Array]:
    """Differences (queries, number) of pairs of runs, a sample of queries each, and the true mean (number,) over all
    queries."""
    generator = np.random.default_rng((seed, queries))
    differences: list[Array] = []
    truth: list[float] = []
    while len(truth) < number:
        values = _drawn(tables, queries, 2, generator)
        both = values[:, 1] - values[:, 0]
        if both[-queries:].any():
            differences.append(both[-queries:])
            truth.append(float(both[:-queries].mean()))
    return np.column_stack(differences), np.array(truth)


def families(tables: list[Array], queries: int, runs: int, number: int, seed: int) -> Iterator[Array]:
    """Values (queries, runs) of runs that differ by chance only: on each query their values are dealt out at random."""
    generator = np.random.default_rng((seed, queries, runs))
    for _ in range(number):
        yield generator.permuted(_drawn(tables, queries, runs, generator)[-queries:], axis=1)


def _cell(rate: float, goal: tuple[float, float], claimed: bool = True) -> str:
    mark = "" if goal[0] <= rate <= goal[1] else " (!)" if claimed else " †"
    return f"{rate:.3f}{mark}"


def false_positives(tables: list[Array], number: int, seed: int) -> Iterator[str]:
    """Rows: share of pairs without a true difference that each test calls different."""
    yield (
        "| test | "
        + " | ".join(f"{kind}, {queries} queries" for kind in ("swapped", "centred") for queries in QUERIES)
        + " |"
    )
    yield "|---|" + "--:|" * 2 * len(QUERIES)
    nulls = []
    for kind in ("swapped", "centred"):
        for queries in QUERIES:
            differences, truth = pairs(tables, queries, number, seed)
            signs = np.random.default_rng(seed).choice([-1.0, 1.0], differences.shape)
            nulls.append((kind, differences * signs if kind == "swapped" else differences - truth))
    for name, test in TESTS.items():
        if test.joint is None:
            rates = ((kind, float(np.mean(test.p(null, seed, Alternative.both) < ALPHA))) for kind, null in nulls)
            cells = [_cell(rate, FALSE_POSITIVES, (name, kind) not in NO_CLAIM) for kind, rate in rates]
            yield f"| {name} | {' | '.join(cells)} |"


def equivalence_errors(tables: list[Array], number: int, seed: int, margin: float = 0.05) -> Iterator[str]:
    """Row: share of pairs whose true difference is just the margin that TOST calls equivalent."""
    rates = []
    for queries in QUERIES:
        differences, truth = pairs(tables, queries, number, seed)
        still = fixed_run(np.zeros(len(differences)))
        shifted = (differences - truth + margin).T
        p = np.array([difference_of(fixed_run(column), still).p_within(margin) for column in shifted])
        rates.append(_cell(float(np.mean(p < ALPHA)), FAMILY))
    yield f"| equivalence | | | {' | '.join(rates)} |"


def coverage(tables: list[Array], number: int, seed: int) -> Iterator[str]:
    """Rows: share of 95 % intervals that hold the true mean difference."""
    yield "| interval | " + " | ".join(f"{queries} queries" for queries in QUERIES) + " |"
    yield "|---|" + "--:|" * len(QUERIES)
    drawn = [pairs(tables, queries, number, seed) for queries in QUERIES]
    for name, made in INTERVALS.items():
        rates = []
        for queries, (differences, truth) in zip(QUERIES, drawn, strict=True):
            found = zip(made(differences, seed), truth, strict=True)
            rate = np.mean([bounds is not None and bounds.low <= mean <= bounds.high for bounds, mean in found])
            rates.append(_cell(float(rate), COVERAGE, (name, queries) not in NO_CLAIM))
        yield f"| {name} | {' | '.join(rates)} |"


def family_errors(tables: list[Array], number: int, seed: int, queries: int = 50, runs: int = RUNS) -> Iterator[str]:
    """Rows: share of families without any true difference in which at least one is claimed."""
    designs = {
        "against one baseline": [(0, run) for run in range(1, runs)],
        "all pairs": list(combinations(range(runs), 2)),
    }
    yield "| correction | " + " | ".join(f"{name} ({len(wanted)})" for name, wanted in designs.items()) + " |"
    yield "|---|" + "--:|" * len(designs)
    claims: dict[str, list[list[bool]]] = {name: [[] for _ in designs] for name in (*CORRECTIONS, "tukey", "maxt")}
    for values in families(tables, queries, runs, number, seed):
        for design, wanted in enumerate(designs.values()):
            differences = values[:, [b for _, b in wanted]] - values[:, [a for a, _ in wanted]]
            p = randomisation(differences, seed, FLIPS)
            adjusted = {name: correct(p, name) for name in CORRECTIONS}
            adjusted |= {"tukey": tukey(values, wanted, seed, FLIPS), "maxt": max_t(differences, seed, flips=FLIPS)}
            for name, of in adjusted.items():
                claims[name][design].append(bool((of < ALPHA).any()))
    for name, per_design in claims.items():
        cells = (_cell(float(np.mean(made)), FAMILY, name not in NO_CLAIM) for made in per_design)
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibrate", description=__doc__)
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="published runs whose scores are drawn from"
    )
    parser.add_argument("--pairs", type=int, default=2_000, help="pairs, and families, of each kind")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tables = tables_of(options.results)
    if not tables:
        parser.error(f"{options.results} holds no collection with {RUNS} different runs")
    failed = False
    for part in (false_positives, equivalence_errors, coverage, family_errors):
        if part in (coverage, family_errors):
            print()
        for row in part(tables, options.pairs, options.seed):
            print(row, flush=True)
            failed = failed or "(!)" in row
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
