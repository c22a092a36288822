"""A family of paired comparisons of per-query values: each with its size, its uncertainty and its verdict."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.metrics.lookup import reach
from harness.evaluation.significance.bootstrap import SAMPLES, mean_intervals
from harness.evaluation.significance.clusters import Clusters
from harness.evaluation.significance.comparison_result import (
    AgainstAll,
    Bounds,
    Comparison,
    ComparisonResult,
    RunMean,
)
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.method_difference import (
    MethodRuns,
    difference_of,
    fixed_run,
    mean_of,
    unknown_overlap,
)
from harness.evaluation.significance.pair_statistics import PairedFamily, comparison, deviations, verdict
from harness.evaluation.significance.paired_tests import (
    FEW_QUERIES,
    TOO_FEW_QUERIES,
    least_p,
    outcomes,
    paired_test,
)
from harness.evaluation.significance.randomisation import flips_for, randomisation
from harness.evaluation.significance.test_spec import HOLM, TestSpec
from harness.text import counted


@dataclass(frozen=True)
class ScoreMatrix:
    """Per-query values (n queries, metrics x runs), all runs of the first metric first.

    `missing` says for each run for how many queries it has nothing. `baselines` are the places of the runs that all
    others are compared with; without one all pairs are compared. `methods` hold for each column the runs that its
    values are the means of; None where columns are runs that are taken as they are.
    """

    metrics: Sequence[str]
    names: Sequence[str]
    values: Array
    missing: Sequence[int]
    baselines: Sequence[int] = ()
    methods: Sequence[MethodRuns] | None = None
    clusters: Clusters | None = None

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs (a, b) of runs."""
        runs = range(len(self.names))
        if not self.baselines:
            return list(combinations(runs, 2))
        return [(a, row) for a in self.baselines for row in runs if row not in self.baselines]

    @property
    def all_pairs(self) -> list[tuple[int, int]]:
        """Pairs of columns, those of the first metric first."""
        runs = len(self.names)
        return [(a + number * runs, b + number * runs) for number in range(len(self.metrics)) for a, b in self.pairs]

    @property
    def differences(self) -> Array:
        """b - a (n, comparisons)."""
        pairs = self.all_pairs
        return self.values[:, [b for _, b in pairs]] - self.values[:, [a for a, _ in pairs]]

    @cached_property
    def columns(self) -> Sequence[MethodRuns]:
        """The runs behind each column."""
        if self.methods is not None:
            return self.methods
        reaches = [reach(of) for of in self.metrics for _ in self.names]
        return [fixed_run(column, far) for column, far in zip(self.values.T, reaches, strict=True)]

    @cached_property
    def keys(self) -> list[Hashable]:
        """Of each comparison; equal for those of runs with the same values to the last bit."""
        known: dict[bytes, int] = {}
        numbers = [known.setdefault(one.values.tobytes(), len(known)) for one in self.columns]
        return [(numbers[a], numbers[b]) for a, b in self.all_pairs]

    @property
    def family(self) -> str:
        """What p is adjusted over, in words."""
        called = [self.names[place] for place in self.baselines]
        whom = f"with {' and '.join(called)}" if called else f"of {len(self.names)} runs"
        once = len(self.all_pairs) - len(set(self.keys))
        same = f", {once} of them of identical runs and counted once" if once else ""
        return f"{counted(len(self.all_pairs), 'comparison')} {whom} on {' and '.join(self.metrics)}{same}"


def compare_matrix(columns: ScoreMatrix, asked: TestSpec) -> ComparisonResult:
    """All comparisons of `columns` as one family. Raises UserError with fewer than two runs, no queries, or several
    metrics in a test of one.
    """
    if len(columns.names) < 2 or not columns.pairs:
        raise UserError("a comparison needs at least two runs")
    if not len(columns.values):
        raise UserError("there is no judged query to test on")
    if len(columns.metrics) > 1 and paired_test(asked.test).one_metric:
        raise UserError(
            f"test '{asked.test}' is of one metric",
            remedy="take maxt, or any other test with a correction, for several",
        )
    comparisons = _comparisons(columns, asked)
    answer = ComparisonResult(
        metric=", ".join(columns.metrics),
        test=asked.test,
        correction=asked.own_correction,
        family=columns.family,
        seed=asked.seed,
        alternative=asked.side.value,
        interval=asked.interval or _usual_interval(columns, asked),
        alpha=asked.alpha,
        power=asked.power,
        level=asked.level,
        queries=len(columns.values),
        runs=_means(columns, asked),
        comparisons=comparisons,
        notes=_notes(columns, asked),
    )
    if asked.margin is not None:
        answer["margin"] = asked.margin
    if asked.noninferior is not None:
        answer["noninferiority_margin"] = asked.noninferior
    if asked.superior is not None:
        answer["superiority_margin"] = asked.superior
    if columns.clusters is not None:
        answer["clusters"] = columns.clusters.count
    if len(columns.baselines) > 1:
        answer["against_all"] = _against_all(comparisons, asked)
    return answer


def _count(columns: ScoreMatrix) -> int:
    """What is independent: queries, or clusters of them."""
    return columns.clusters.count if columns.clusters else len(columns.values)


def _usual_interval(columns: ScoreMatrix, asked: TestSpec) -> str:
    return "t" if _count(columns) < FEW_QUERIES else paired_test(asked.test).interval


def _means(columns: ScoreMatrix, asked: TestSpec) -> list[RunMean]:
    values = columns.values
    intervals: Sequence[Bounds]
    if columns.methods is not None or columns.clusters is not None or _count(columns) < FEW_QUERIES:
        intervals = [mean_of(one, columns.clusters).interval(1 - asked.alpha) for one in columns.columns]
    else:
        intervals = mean_intervals(values, asked.seed, SAMPLES, 1 - asked.alpha)
    told = [
        (of, name, lost) for of in columns.metrics for name, lost in zip(columns.names, columns.missing, strict=True)
    ]
    rows = zip(told, values.T, intervals, strict=True)
    return [
        RunMean(name=name, metric=of, mean=math.fsum(column) / len(column), interval=interval, missing=lost)
        for (of, name, lost), column, interval in rows
    ]


def _comparisons(columns: ScoreMatrix, asked: TestSpec) -> list[Comparison]:
    differences, clusters = columns.differences, columns.clusters
    found = outcomes(
        differences, asked.test, asked.seed, asked.side, asked.interval, level=asked.level, clusters=clusters
    )
    spread = [difference_of(columns.columns[b], columns.columns[a], clusters) for a, b in columns.all_pairs]
    family = PairedFamily(found, spread, columns.keys, asked)
    raw = family.p()
    joint = paired_test(asked.test).joint
    adjusted: list[float | None]
    if joint and len(differences) > 1:
        flat = clusters.sums(columns.values) if clusters else columns.values
        found_jointly = joint(flat, columns.all_pairs, asked.seed, asked.side)
        adjusted = np.maximum([one.p for one in found], found_jointly).tolist()
    else:
        adjusted = family.adjusted(raw, "none" if joint else asked.own_correction)
    these_runs = _these_runs(columns, family, asked)
    margins = family.margins()
    seen = clusters.linearised(differences) if clusters else differences
    names = [(of, columns.names[a], columns.names[b]) for of in columns.metrics for a, b in columns.pairs]
    rows = zip(names, raw, adjusted, margins, these_runs, deviations(seen), strict=True)
    return [
        comparison(family, place, name, (p, corrected), margin, known, deviation)
        for place, (name, p, corrected, margin, known, deviation) in enumerate(rows)
    ]


def _these_runs(columns: ScoreMatrix, family: PairedFamily, asked: TestSpec) -> Sequence[tuple[float, float] | None]:
    """p of the sign-flip test, own and adjusted, where any of the methods is random."""
    pairs = columns.all_pairs
    if columns.methods is None or not any(one.is_random for one in columns.methods):
        return [None] * len(pairs)
    flat = columns.clusters.sums(columns.differences) if columns.clusters else columns.differences
    p = (
        randomisation(flat, asked.seed, flips_for(len(pairs)), asked.side).tolist()
        if len(flat) > 1
        else [1.0] * len(pairs)
    )
    adjusted = family.adjusted(p, asked.correction or HOLM)
    return [(one, 1.0 if other is None else other) for one, other in zip(p, adjusted, strict=True)]


def _against_all(comparisons: Sequence[Comparison], asked: TestSpec) -> list[AgainstAll]:
    """Each run against all baselines together."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for one in comparisons:
        groups.setdefault((one["metric"], one["b"]), []).append(one)
    whole = [_of_all(rows) for rows in groups.values()]
    known = np.array([one for one in whole if one is not None])
    adjusted = iter(correct(known, asked.correction or HOLM).tolist() if len(known) else [])
    corrected = [None if one is None else next(adjusted) for one in whole]
    return [
        AgainstAll(
            metric=of,
            b=b,
            p_all=p,
            p_any=min((one["p_adjusted"] for one in rows if one["p_adjusted"] is not None), default=None),
            verdict=verdict(rows[0]["difference"], (0.0, 0.0) if any(map(_holds_zero, rows)) else None, p, asked.alpha),
        )
        for ((of, b), rows), p in zip(groups.items(), corrected, strict=True)
    ]


def _of_all(rows: Sequence[Comparison]) -> float | None:
    """The largest p, 1 where the differences have different signs; None where one is not known."""
    known = [one["p"] for one in rows if one["p"] is not None]
    if len(known) < len(rows):
        return None
    return max(known) if len({one["difference"] > 0 for one in rows}) == 1 else 1.0


def _holds_zero(one: Comparison) -> bool:
    return one["interval"] is not None and one["interval"][0] <= 0 <= one["interval"][1]


def _notes(columns: ScoreMatrix, asked: TestSpec) -> list[str]:
    """What so few queries, or so many comparisons, cannot show."""
    n, family = _count(columns), len(set(columns.keys))
    unit = "cluster" if columns.clusters else "query"
    notes = [note] if (note := unknown_overlap(columns.methods or ())) else []
    if 1 < n < TOO_FEW_QUERIES:
        notes.append(f"{counted(n, unit)}: too few for means to be near normal; read p and intervals as rough")
    least = float(least_p(np.array([n]), asked.side)[0])
    correction = asked.own_correction
    if correction in ("holm", "hochberg", "bonferroni") and least * family >= asked.alpha:
        notes.append(
            f"{counted(n, unit)} and {counted(family, 'comparison')} can show nothing: the least p is "
            f"{least:.2g}, adjusted {min(1.0, least * family):.2g}. Compare fewer, or give more queries"
        )
    elif asked.test == "randomisation" and family > 1:
        flips = flips_for(len(columns.all_pairs))
        least = family / (flips + 1)
        notes.append(f"{flips:,} sign flips: the least adjusted p of {counted(family, 'comparison')} is {least:.2g}")
    return notes
