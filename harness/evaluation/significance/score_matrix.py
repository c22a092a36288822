"""A family of paired comparisons of per-query values: each with its size, its uncertainty and its verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import mean_intervals
from harness.evaluation.significance.comparison_result import (
    Bounds,
    Comparison,
    ComparisonResult,
    Equivalence,
    RunMean,
    Verdict,
)
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.equivalence import equivalence
from harness.evaluation.significance.paired_tests import TestResult, outcomes, paired_test
from harness.evaluation.significance.power import detectable, queries_needed
from harness.evaluation.significance.test_spec import HOLM, TestSpec
from harness.text import counted


@dataclass(frozen=True)
class ScoreMatrix:
    """Per-query values (n queries, metrics x runs), all runs of the first metric first.

    `missing` says for each run for how many queries it has nothing. `baseline` is the place of the run that all others
    are compared with; None compares all pairs.
    """

    metrics: Sequence[str]
    names: Sequence[str]
    values: Array
    missing: Sequence[int]
    baseline: int | None = None

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Pairs (a, b) of runs."""
        runs = len(self.names)
        if self.baseline is None:
            return list(combinations(range(runs), 2))
        return [(self.baseline, row) for row in range(runs) if row != self.baseline]

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

    @property
    def family(self) -> str:
        """What p is adjusted over, in words."""
        whom = f"of {len(self.names)} runs" if self.baseline is None else f"with {self.names[self.baseline]}"
        return f"{counted(len(self.all_pairs), 'comparison')} {whom} on {' and '.join(self.metrics)}"


def compare_matrix(columns: ScoreMatrix, asked: TestSpec) -> ComparisonResult:
    """All comparisons of `columns` as one family. Raises UserError with fewer than two runs, no queries, or several
    metrics in a test of one.
    """
    if len(columns.names) < 2:
        raise UserError("a comparison needs at least two runs")
    if not len(columns.values):
        raise UserError("there is no judged query to test on")
    if len(columns.metrics) > 1 and paired_test(asked.test).one_metric:
        raise UserError(
            f"test '{asked.test}' is of one metric",
            remedy="take maxt, or any other test with a correction, for several",
        )
    answer = ComparisonResult(
        metric=", ".join(columns.metrics),
        test=asked.test,
        correction=asked.own_correction,
        family=columns.family,
        seed=asked.seed,
        alternative=asked.side.value,
        interval=asked.interval or paired_test(asked.test).interval,
        alpha=asked.alpha,
        power=asked.power,
        queries=len(columns.values),
        runs=_means(columns, asked.seed),
        comparisons=_comparisons(columns, asked),
    )
    return answer if asked.margin is None else ComparisonResult({**answer, "margin": asked.margin})


def _means(columns: ScoreMatrix, seed: int) -> list[RunMean]:
    values = columns.values
    intervals: Sequence[Bounds] = mean_intervals(values, seed) if len(values) > 1 else [None] * values.shape[1]
    told = [
        (of, name, lost) for of in columns.metrics for name, lost in zip(columns.names, columns.missing, strict=True)
    ]
    rows = zip(told, values.T, intervals, strict=True)
    return [
        RunMean(name=name, metric=of, mean=math.fsum(column) / len(column), interval=interval, missing=lost)
        for (of, name, lost), column, interval in rows
    ]


def _comparisons(columns: ScoreMatrix, asked: TestSpec) -> list[Comparison]:
    differences = columns.differences
    found = outcomes(differences, asked.test, asked.seed, asked.side, asked.interval)
    raw = np.array([outcome.p for outcome in found])
    joint = paired_test(asked.test).joint
    if joint and len(differences) > 1:
        adjusted = np.maximum(raw, joint(columns.values, columns.all_pairs, asked.seed, asked.side))
    else:
        adjusted = raw if joint else correct(raw, asked.own_correction)
    alike = _equivalences(differences, asked)
    deviations = differences.std(axis=0, ddof=1).tolist() if len(differences) > 1 else [0.0] * len(found)
    rows = zip(_comparison_names(columns), found, adjusted.tolist(), alike, deviations, strict=True)
    return [
        _comparison(names, outcome, p, same, deviation, len(differences), asked)
        for names, outcome, p, same, deviation in rows
    ]


def _comparison_names(columns: ScoreMatrix) -> list[tuple[str, str, str]]:
    return [(of, columns.names[a], columns.names[b]) for of in columns.metrics for a, b in columns.pairs]


def _equivalences(differences: Array, asked: TestSpec) -> list[Equivalence | None]:
    if asked.margin is None:
        return [None] * differences.shape[1]
    p = equivalence(differences, asked.margin)
    adjusted = correct(p, asked.correction or HOLM)
    return [Equivalence(p=one, p_adjusted=other) for one, other in zip(p.tolist(), adjusted.tolist(), strict=True)]


def _comparison(
    names: tuple[str, str, str],
    found: TestResult,
    adjusted: float,
    equivalence: Equivalence | None,
    deviation: float,
    n: int,
    asked: TestSpec,
) -> Comparison:
    of, a, b = names
    effect = detectable(n, asked.power, asked.alpha, asked.side)
    enough = (
        None if found.effect_size is None else queries_needed(found.effect_size, asked.power, asked.alpha, asked.side)
    )
    row = Comparison(
        metric=of,
        a=a,
        b=b,
        difference=found.difference,
        interval=found.interval,
        effect_size=found.effect_size,
        p=found.p,
        p_adjusted=adjusted,
        wins=found.wins,
        ties=found.ties,
        losses=found.losses,
        superiority=found.superiority,
        detectable=None if effect is None else effect * deviation,
        queries_needed=enough,
        verdict=verdict(found.difference, adjusted, equivalence, asked.alpha),
    )
    return row if equivalence is None else Comparison({**row, "equivalence": equivalence})


def verdict(difference: float, adjusted: float, equivalence: Equivalence | None, alpha: float) -> Verdict:
    """What a comparison allows to say of b against a."""
    if adjusted < alpha:
        return "better" if difference > 0 else "worse"
    return "equivalent" if equivalence and equivalence["p_adjusted"] < alpha else "inconclusive"
