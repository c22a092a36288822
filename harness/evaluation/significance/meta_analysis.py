"""One effect from several collections: a random-effects meta-analysis, in which collections differ by more than their
queries explain.

The spread between collections by Paule and Mandel (1982), intervals and p by Hartung and Knapp (2001) with Student's t,
never narrower than without their factor (Roever, Knapp and Friede 2015), a prediction interval for a collection yet
unseen (Higgins et al., JRSS A 2009). Soboroff (CIKM 2018) makes the case for it in retrieval. Written out because
importing statsmodels takes 1.6 s; held to it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from harness._lazy import lazy
from harness.errors import UserError
from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.bootstrap import Interval

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


class OnThese(NamedTuple):
    """The mean effect on the very collections that were tried, all of equal weight; says nothing of others."""

    effect: float
    standard_error: float
    interval: Interval
    """95 %."""
    p: float
    """Two-sided, that the mean effect on them is 0."""


def on_these(effects: Array, variances: Array, freedoms: Array, level: float = 0.95) -> OnThese:
    """Effects (k,) with their sampling variances (k,), each known with its own degrees of freedom (k,), as their plain
    mean: its variance is sum / k^2, its degrees of freedom Satterthwaite's. Raises UserError without any variance."""
    whole = float(variances.sum())
    if not whole > 0:
        raise UserError(
            "effects without variance cannot be averaged", remedy="leave out collections without difference"
        )
    freedom = whole**2 / float((variances**2 / freedoms).sum())
    effect, error = float(effects.mean()), float(np.sqrt(whole)) / len(effects)
    half = float(special.stdtrit(freedom, (1 + level) / 2)) * error
    p = float(2 * special.stdtr(freedom, -abs(effect) / error))
    return OnThese(
        effect, error, Interval(effect - half, effect + half), min(1.0, max(p, float(np.finfo(np.float64).tiny)))
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
