"""A simulated teacher that is like a real one in two numbers: how good its orders are, and how far they follow the
first stage's.

A simulation that fits quality alone is another teacher: real ones lean to what ranks high (gpt-3.5 on BM25's first 100:
tau 0.47 with it, where a fit of quality alone gives 0.10). Noise is found for the quality at every weight of the first
stage, then the weight for tau. That the same first document stays on top as often is measured, and is a third number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from pydantic import Field

from harness.errors import UserError
from harness.plugins import Settings
from harness.teachers._calibration import Lists, mix_for

TOLERANCE = 0.02
_WEIGHTS = (0.0, *(0.05 * 1.25**step for step in range(36)))
"""Weights of the first stage that are tried, in grades; between the two nearest to tau it is found by bisection."""
_STEPS = 20


class Match(Settings):
    """What `harness labels stats` says of the teacher that the simulation is to be like."""

    ndcg: float = Field(alias="nDCG@10", ge=0, le=1, description="mean nDCG@10 of its orders")
    tau: float = Field(ge=-1, le=1, description="mean Kendall tau with the first stage's order")
    first: float | None = Field(
        None, ge=0, le=1, description="share of lists whose first document is the first stage's; only compared"
    )


class MatchFit(NamedTuple):
    """The weight of the first stage and the mix of noise (`Lists.order`) that come nearest."""

    weight: float
    mix: float


def fit_match(judged: Lists, every: Lists, wanted: Match) -> MatchFit:
    """Noise and weight for `wanted`: quality over the `judged` lists, which have a relevant candidate, tau over `every`
    list of the pool. Raises UserError where a number is missed by more than `TOLERANCE`, with the nearest."""
    if not len(judged.lengths) or math.isnan(every.first_stage_tau(0.0)):
        raise UserError("no query of the pool has a relevant candidate and two candidates", key="match")
    fits = [_fit(judged, weight, wanted.ndcg) for weight in _WEIGHTS]
    best = min(fits, key=lambda fit: _distance(judged, every, fit, wanted))
    place = fits.index(best)
    low, high = fits[max(place - 1, 0)].weight, fits[min(place + 1, len(fits) - 1)].weight
    for _ in range(_STEPS):
        middle = _fit(judged, (low + high) / 2, wanted.ndcg)
        best = min(best, middle, key=lambda fit: _distance(judged, every, fit, wanted))
        low, high = (low, middle.weight) if _tau(every, middle) > wanted.tau else (middle.weight, high)
    if _distance(judged, every, best, wanted) > TOLERANCE:
        lists = judged.weighted(best.weight)
        raise UserError(
            f"not matched: no noise and weight give nDCG@10 {wanted.ndcg:g} with tau {wanted.tau:g} to within "
            f"{TOLERANCE:g}; the nearest are {lists.ndcg(best.mix):.3f} with {_tau(every, best):.3f}",
            key="match",
            remedy="take the numbers of a teacher on this collection and these candidates: harness labels stats",
        )
    return best


def agreement_facts(every: Lists, mix: float, wanted: Match | None, quality: float | None) -> dict[str, object]:
    """``{"first_stage_tau", "same_first"}`` of the orders, and with `wanted` whether all its numbers are ``matched``
    to within `TOLERANCE`, with the ``differences``."""
    reached = {"first_stage_tau": every.first_stage_tau(mix), "same_first": every.same_first(mix)}
    known: dict[str, object] = {key: round(value, 6) for key, value in reached.items() if not math.isnan(value)}
    if wanted is None:
        return known
    pairs = {
        "nDCG@10": (quality, wanted.ndcg),
        "tau": (reached["first_stage_tau"], wanted.tau),
        "first": (reached["same_first"], wanted.first),
    }
    differences = {
        name: round(one - other, 6) for name, (one, other) in pairs.items() if one is not None and other is not None
    }
    return known | {
        "matched": all(abs(value) <= TOLERANCE for value in differences.values()),
        "differences": differences,
    }


def _fit(judged: Lists, weight: float, ndcg: float) -> MatchFit:
    return MatchFit(weight, mix_for(judged.weighted(weight).ndcg, ndcg))


def _tau(every: Lists, fit: MatchFit) -> float:
    return every.weighted(fit.weight).first_stage_tau(fit.mix)


def _distance(judged: Lists, every: Lists, fit: MatchFit, wanted: Match) -> float:
    """The larger of the two differences."""
    quality = judged.weighted(fit.weight).ndcg(fit.mix)
    return max(abs(quality - wanted.ndcg), abs(_tau(every, fit) - wanted.tau))
