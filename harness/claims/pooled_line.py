"""All collections of a hypothesis together: the mean of their differences, every collection counting the same.

The standard error is that of these collections, sqrt(sum of se^2) / k, with Satterthwaite's degrees of freedom. What to
expect on other collections of their kind (random effects) is another question, answered beside it and deciding nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.claims.collection_result import CollectionResult
from harness.claims.comparison_test import interval_of, p_of
from harness.config.claims.claims_section import Hypothesis
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.corrections import correct
from harness.evaluation.significance.meta_analysis import combine, on_these
from harness.evaluation.significance.method_difference import MeanDifference


class PooledDifference(NamedTuple):
    """One rival over all collections that have it."""

    rival: str
    mean: float
    interval: Interval
    p: float
    collections: tuple[str, ...]
    elsewhere: Interval | None
    """On collections like these: the random-effects interval; None with one collection."""


def pooled_lines(results: Sequence[CollectionResult], hypothesis: Hypothesis, margin: float) -> list[PooledDifference]:
    """For every rival, over the collections of `results` that were compared with it and tell of methods."""
    lines = []
    for rival in hypothesis.several.names:
        parts = {
            result.collection: one.difference
            for result in results
            for one in result.comparisons
            if one.rival == rival and not one.difference.is_single
        }
        if parts:
            mean = on_these(list(parts.values()))
            p = p_of(mean, hypothesis, margin)
            elsewhere = _elsewhere(list(parts.values()))
            lines.append(PooledDifference(rival, mean.difference, interval_of(mean), p, tuple(parts), elsewhere))
    return lines


def pooled_p(lines: Sequence[PooledDifference], hypothesis: Hypothesis) -> float:
    """Over the rivals: the largest (all), the smallest of Holm (any)."""
    p = np.array([line.p for line in lines] or [1.0])
    return float(p.max()) if hypothesis.several.all is not None else float(correct(p, "holm").min())


def _elsewhere(parts: Sequence[MeanDifference]) -> Interval | None:
    known = [(one.difference, one.variance) for one in parts if one.error > 0]
    if len(known) < 2:
        return None
    effects, variances = (np.array(column) for column in zip(*known, strict=True))
    return combine(effects, variances).interval
