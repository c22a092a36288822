"""One effect from several collections: a random-effects meta-analysis, in which collections differ by more than their
queries explain.

The spread between collections by Paule and Mandel (1982), intervals and p by Hartung and Knapp (2001) with Student's t,
never narrower than without their factor (Roever, Knapp and Friede 2015), a prediction interval for a collection yet
unseen (Higgins et al., JRSS A 2009). Soboroff (CIKM 2018) makes the case for it in retrieval. Written out because
importing statsmodels takes 1.6 s; held to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval
from harness.evaluation.significance.method_difference import MeanDifference

special = lazy("scipy.special")

_STEPS = 200


class Combined(NamedTuple):
    """What k collections say together. `effect` is of the mean collection of their kind, not of the pooled queries."""

    effect: float
    standard_error: float
    interval: Interval
    """95 %, of the effect."""
    p: float
    """Two-sided, that the effect is 0."""
    deviation: float
    """Between collections (tau), in units of the metric."""
    q: float
    """Cochran's Q."""
    q_p: float
    """That all collections have the same effect."""
    i2: float
    """Share of the differences between collections that their queries do not explain."""
    prediction: Interval | None
    """95 %, of the effect on another collection; None with two."""
    weights: tuple[float, ...]
    """Of the collections, summing to 1."""


def combine(effects: Array, variances: Array, level: float = 0.95) -> Combined:
    """Effects (k,) with their sampling variances (k,) as one. Raises UserError with fewer than two, or one without any
    variance."""

    count = len(effects)
    if count < 2:
        raise UserError(f"{count} collections to combine", remedy="a meta-analysis needs at least two")
    if not (variances > 0).all():
        raise UserError(
            "an effect without variance cannot be weighed", remedy="leave out collections where both are the same"
        )
    spread = paule_mandel(effects, variances)
    weights = 1 / (variances + spread)
    effect = float((weights * effects).sum() / weights.sum())
    factor = max(1.0, _q(effects, variances, spread) / (count - 1))
    error = float(np.sqrt(factor / weights.sum()))
    half = float(special.stdtrit(count - 1, (1 + level) / 2)) * error
    q = _q(effects, variances, 0.0)
    wide = float(special.stdtrit(count - 2, (1 + level) / 2) * np.sqrt(spread + error**2)) if count > 2 else None
    return Combined(
        effect=effect,
        standard_error=error,
        interval=Interval(effect - half, effect + half),
        p=max(float(2 * special.stdtr(count - 1, -abs(effect) / error)), float(np.finfo(np.float64).tiny)),
        deviation=float(np.sqrt(spread)),
        q=q,
        q_p=float(special.chdtrc(count - 1, q)),
        i2=max(0.0, 1 - (count - 1) / q) if q > 0 else 0.0,
        prediction=None if wide is None else Interval(effect - wide, effect + wide),
        weights=tuple((weights / weights.sum()).tolist()),
    )


def on_these(parts: Sequence[MeanDifference]) -> MeanDifference:
    """The mean difference on the very collections of `parts`, all of equal weight; says nothing of others. Its variance
    is the sum of theirs / k^2, its degrees of freedom Satterthwaite's over theirs."""
    k = len(parts)
    whole = math.fsum(one.variance for one in parts)
    below = math.fsum(one.variance**2 / one.freedom for one in parts)
    shared = [one.shared for one in parts]
    known = [part for part in shared if part is not None]
    return MeanDifference(
        difference=math.fsum(one.difference for one in parts) / k,
        of_queries=math.fsum(one.of_queries for one in parts) / k**2,
        of_runs=math.fsum(one.of_runs for one in parts) / k**2,
        freedom=whole**2 / below if below else 1.0,
        count=sum(one.count for one in parts),
        effective=sum(one.effective for one in parts),
        nonzero=sum(one.nonzero for one in parts),
        is_single=any(one.is_single for one in parts),
        reach=max(one.reach for one in parts),
        runs=min(one.runs for one in parts),
        shared=None if len(known) < k else max(known),
    )


def paule_mandel(effects: Array, variances: Array) -> float:
    """The variance between collections that makes the generalised Q equal to its expectation k - 1; 0 where Q is below
    it already.

    Q is convex and falls with the variance, so Newton's steps from 0 come up to the root and never pass it (DerSimonian
    and Kacker 2007).
    """
    spread, wanted = 0.0, len(effects) - 1
    for _ in range(_STEPS):
        weights = 1 / (variances + spread)
        off = effects - (weights * effects).sum() / weights.sum()
        step = ((weights * off**2).sum() - wanted) / (weights**2 * off**2).sum() if off.any() else 0.0
        if step <= spread * 1e-14:
            break
        spread += float(step)
    return spread


def _q(effects: Array, variances: Array, spread: float) -> float:
    weights = 1 / (variances + spread)
    return float((weights * (effects - (weights * effects).sum() / weights.sum()) ** 2).sum())
