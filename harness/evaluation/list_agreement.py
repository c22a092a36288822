"""How far one way of scoring lists of documents follows another that taught it: its fidelity, as distillation calls it.

Two measures of a list: nDCG@10 of the order of the scores, with the target's order as gains, and Kendall's tau-b. The
gain of a document is the number of documents in its list that the target puts below it, so an unordered tail gains
nothing and a full order of n gains n - 1 to 0. As such gains are high for many documents, nDCG is far above 0 by
chance: `chance` says how far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.evaluation.metrics.lookup import evaluate, mean

METRIC, CUTOFF = "nDCG@10", 10


class ListScores(NamedTuple):
    """Documents of one list with the target's values and the scores of who follows it, one a document; higher is
    better."""

    documents: Sequence[str]
    target: Sequence[float]
    scores: Sequence[float]


class ScoreAgreement(NamedTuple):
    """Means over `lists` lists. `chance` is the nDCG@10 that orders by lot have on average; tau is 0 then."""

    lists: int
    ndcg: float
    chance: float
    tau: float | None
    """Over the lists whose scores differ; None where there is no such list."""


def list_agreement(lists: Sequence[ListScores]) -> ScoreAgreement | None:
    """How the scores agree with the target over those lists whose target tells documents apart; None where none
    does."""
    told = {f"{number}": one for number, one in enumerate(lists) if len(set(one.target)) > 1}
    if not told:
        return None
    gains = {name: gains_of(one.target) for name, one in told.items()}
    qrels = {name: dict(zip(one.documents, gains[name], strict=True)) for name, one in told.items()}
    run = {name: dict(zip(one.documents, one.scores, strict=True)) for name, one in told.items()}
    taus = [tau for one in told.values() if (tau := tau_b(one.target, one.scores)) is not None]
    return ScoreAgreement(
        len(told),
        mean(evaluate(run, qrels, [METRIC])[METRIC]),
        math.fsum(map(chance_ndcg, gains.values())) / len(gains),
        math.fsum(taus) / len(taus) if taus else None,
    )


def gains_of(target: Sequence[float]) -> list[int]:
    """For each document how many the target puts below it."""
    values = np.asarray(target, dtype=np.float64)
    return [int(below) for below in np.searchsorted(np.sort(values), values, side="left")]


def chance_ndcg(gains: Sequence[int]) -> float:
    """The mean nDCG@10 over all orders of documents with these gains, some above 0."""
    discounts = 1 / np.log2(np.arange(2, min(len(gains), CUTOFF) + 2))
    ideal = np.sort(np.asarray(gains))[::-1][: len(discounts)]
    return float(np.mean(gains) * discounts.sum() / (ideal @ discounts))


def tau_b(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's tau-b (Biometrika 1945), which allows for ties; None where either has but one value. O(n^2)."""
    signs = [np.sign(values[:, None] - values[None, :]) for values in (np.asarray(first), np.asarray(second))]
    untied = [float(np.abs(one).sum()) for one in signs]
    if not min(untied):
        return None
    # The root of a product of like counts can fall short of them by a last digit.
    return min(max(float((signs[0] * signs[1]).sum()) / math.sqrt(untied[0] * untied[1]), -1.0), 1.0)
