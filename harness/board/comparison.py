"""Rows of the board against each other: what ``harness compare`` says of their runs, from the published per-query values."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from harness.board.per_query import PerQuery
from harness.errors import UserError
from harness.evaluation.answers import Compared, Comparison, RunMean
from harness.evaluation.bootstrap import mean_intervals
from harness.evaluation.comparing import Question, verdict
from harness.evaluation.corrections import correct
from harness.evaluation.grid import Array
from harness.evaluation.power import detectable, queries_needed
from harness.evaluation.significance import Outcome, outcomes, paired_test
from harness.evaluation.text import counted

FEWEST, MOST = 2, 6
"""How many rows a comparison is readable with."""


def compare_rows(values: PerQuery, question: Question, baseline: str | None = None) -> Compared:
    """Each row against the one named `baseline`, or all pairs without one; the family is all comparisons made.

    The shape and, for rows of one run, every number is that of ``harness compare`` on their run files. Raises UserError with fewer
    than two rows or more than six.
    """
    if not FEWEST <= len(values.names) <= MOST:
        raise UserError(f"{counted(len(values.names), 'row')} to compare", remedy=f"choose {FEWEST} to {MOST}")
    pairs = _pairs(values.names, baseline)
    whom = f"of {len(values.names)} runs" if baseline is None else f"with {baseline}"
    return Compared(
        metric=values.metric,
        test=question.test,
        correction=question.own_correction,
        family=f"{counted(len(pairs), 'comparison')} {whom} on {values.metric}",
        seed=question.seed,
        alternative=question.side.value,
        interval=question.interval or paired_test(question.test).interval,
        alpha=question.alpha,
        power=question.power,
        queries=len(values.queries),
        runs=_means(values, question.seed),
        comparisons=_comparisons(values, pairs, question),
    )


def _pairs(names: tuple[str, ...], baseline: str | None) -> list[tuple[int, int]]:
    if baseline is None:
        return list(combinations(range(len(names)), 2))
    first = names.index(baseline)
    return [(first, other) for other in range(len(names)) if other != first]


def _means(values: PerQuery, seed: int) -> list[RunMean]:
    several = len(values.queries) > 1
    intervals = mean_intervals(values.values, seed) if several else [None] * len(values.names)
    rows = zip(values.names, values.values.T, intervals, values.missing, strict=True)
    return [
        RunMean(name=name, metric=values.metric, mean=math.fsum(own) / len(own), interval=interval, missing=missing)
        for name, own, interval, missing in rows
    ]


def _comparisons(values: PerQuery, pairs: list[tuple[int, int]], question: Question) -> list[Comparison]:
    differences = values.values[:, [b for _, b in pairs]] - values.values[:, [a for a, _ in pairs]]
    found = outcomes(differences, question.test, question.seed, question.side, question.interval)
    adjusted = _adjusted(values.values, pairs, np.array([outcome.p for outcome in found]), question)
    deviations = differences.std(axis=0, ddof=1).tolist() if len(differences) > 1 else [0.0] * len(found)
    names = [(values.names[a], values.names[b]) for a, b in pairs]
    rows = zip(names, found, adjusted.tolist(), deviations, strict=True)
    return [_comparison(values, pair, outcome, p, deviation, question) for pair, outcome, p, deviation in rows]


def _adjusted(values: Array, pairs: list[tuple[int, int]], p: Array, question: Question) -> Array:
    joint = paired_test(question.test).joint
    if joint is None:
        return correct(p, question.own_correction)
    return np.maximum(p, joint(values, pairs, question.seed, question.side)) if len(values) > 1 else p


def _comparison(
    values: PerQuery, pair: tuple[str, str], found: Outcome, adjusted: float, deviation: float, question: Question
) -> Comparison:
    effect = detectable(len(values.queries), question.power, question.alpha, question.side)
    enough = None if found.effect_size is None else queries_needed(found.effect_size, question.power, question.alpha, question.side)
    return Comparison(
        metric=values.metric,
        a=pair[0],
        b=pair[1],
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
        verdict=verdict(found.difference, adjusted, None, question.alpha),
    )
