"""Several orders of the same candidates as one: Borda counts, or Kemeny's order, which disagrees with the fewest
pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from harness._lazy import lazy
from harness.labelling.strategies.strategy import PartialRanking, overall

csgraph = lazy("scipy.sparse.csgraph")
optimize = lazy("scipy.optimize")
sparse = lazy("scipy.sparse")

Matrix = np.ndarray[Any, np.dtype[np.float64]]

EXACT = 30


def merged(orders: Sequence[PartialRanking], how: str) -> PartialRanking:
    """One order of all candidates that any of `orders` places; the others are its tail. Raises KeyError for an unknown
    `how`.

    ``borda``: by mean rank; candidates in a tail share the mean of the ranks behind the placed ones, equal scores that
    of theirs. Equal sums are equal scores. ``kemeny``: the order that contradicts the fewest preferences of all orders,
    as in permutation self-consistency (Tang et al., arXiv 2310.07712); a placed candidate is preferred to those in the
    tail, pairs in one tail or with equal scores count nothing. Of several such orders one that agrees best with the
    Borda order. It is exact where no more than `EXACT` candidates beat one another in a circle; those of a larger
    circle stand among themselves in Borda order.

    The verdict is the worst of all, partial instead of failed when any candidate has a place.
    """
    placed = sorted({number for order in orders for number in order.ranked})
    tail = tuple(sorted({number for order in orders for number in order.unranked} - set(placed)))
    scores = _WAYS[how](_preferences(orders, [*placed, *tail]))[: len(placed)]
    best = sorted(zip(placed, scores, strict=True), key=lambda item: -item[1])
    verdict, reasons = overall(orders, len(placed))
    return PartialRanking(
        tuple(number for number, _ in best), tail, verdict, reasons, tuple(score for _, score in best)
    )


def _preferences(orders: Sequence[PartialRanking], numbers: Sequence[int]) -> Matrix:
    """How many orders prefer the row's candidate to the column's."""
    levels = np.array([[level[number] for number in numbers] for level in map(_levels, orders)])
    return np.asarray((levels[:, :, None] < levels[:, None, :]).sum(axis=0), dtype=float)


def _levels(order: PartialRanking) -> dict[int, int]:
    """0 for the best, the same for equal ones, the last for the tail."""
    scores = order.scores if order.scores is not None else range(0, -len(order.ranked), -1)
    rungs = {score: level for level, score in enumerate(sorted(set(scores), reverse=True))}
    return {number: rungs[score] for number, score in zip(order.ranked, scores, strict=True)} | dict.fromkeys(
        order.unranked, len(rungs)
    )


def _borda(preferences: Matrix) -> list[float]:
    """Points: candidates behind, less those ahead, over all orders; what mean ranks say, in whole numbers."""
    return [float(points) for points in preferences.sum(axis=1) - preferences.sum(axis=0)]


def _kemeny(preferences: Matrix) -> list[float]:

    borda = np.array(_borda(preferences))
    unbeaten = preferences >= preferences.T
    # Who beats everybody else of another circle goes before them in some order that is the best (Truchon 1998), so
    # circles are apart.
    circles, circle = csgraph.connected_components(unbeaten, connection="strong")
    members = [np.flatnonzero(circle == number) for number in range(circles)]
    order: list[int] = []
    for inside in sorted(members, key=lambda inside: -unbeaten[inside[0]].sum()):
        order += [int(inside[place]) for place in _circle(preferences[np.ix_(inside, inside)], borda[inside])]
    return _shared(order, preferences, borda)


def _circle(preferences: Matrix, borda: Matrix) -> list[int]:
    """The best order of candidates that beat one another in a circle."""
    if not 2 <= len(borda) <= EXACT:
        return [int(place) for place in np.argsort(-borda, kind="stable")]
    first, second = np.triu_indices(len(borda), 1)
    # Less than one preference decides for Borda's order: there are fewer pairs than each preference weighs.
    cost = (preferences.T - preferences)[first, second] * (len(first) + 1) + np.sign(borda[second] - borda[first])
    before = np.zeros((len(borda), len(borda)))
    before[first, second] = _solved(cost, len(borda))
    wins = before.sum(axis=1) + np.tril(1 - before.T, -1).sum(axis=1)
    return [int(place) for place in np.argsort(-wins, kind="stable")]


def _solved(cost: Matrix, count: int) -> Matrix:
    """1 where the first of a pair goes before the second, 0 elsewhere: the cheapest such choice without circles."""

    pair = {both: number for number, both in enumerate(combinations(range(count), 2))}
    threes = list(combinations(range(count), 3))
    columns = [pair[both] for a, b, c in threes for both in ((a, b), (b, c), (a, c))]
    rows = np.repeat(np.arange(len(threes)), 3)
    signs = sparse.csr_array((np.tile([1, 1, -1], len(threes)), (rows, columns)), shape=(len(threes), len(pair)))
    found = optimize.milp(
        cost,
        integrality=np.ones(len(pair)),
        bounds=optimize.Bounds(0, 1),
        constraints=optimize.LinearConstraint(signs, 0, 1),
        options={"mip_rel_gap": 0.0},
    )
    return np.asarray(found.x).round()


def _shared(order: Sequence[int], preferences: Matrix, borda: Matrix) -> list[float]:
    """A score a candidate; neighbours between which neither the preferences nor the Borda points decide share
    theirs."""
    scores = [0.0] * len(order)
    run: list[int] = []
    for place, number in enumerate(order):
        if not all(
            preferences[number, other] == preferences[other, number] and borda[number] == borda[other] for other in run
        ):
            run = []
        run.append(number)
        scores[number] = scores[run[0]] if len(run) > 1 else -float(place)
    return scores


_WAYS: dict[str, Callable[[Matrix], list[float]]] = {"borda": _borda, "kemeny": _kemeny}
