"""What can be said of teachers from their rankings alone: agreement of two orders, place in the prompt, quality against
gold.

Orders are document ids, best first. Two orders are compared over the documents that both place, and over the queries
where these are two at least.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from harness._lazy import lazy
from harness.evaluation.metrics.lookup import evaluate, mean
from harness.labelling.labels.ranking import Ranking

special = lazy("scipy.special")

P, TOP = 0.9, (1, 3, 10)
_LEAST_EXPECTED = 5.0
"""Picks that must be expected at every position for the chi-squared test to hold (Cochran, Biometrics 1954)."""
Orders = Mapping[str, Sequence[str]]
"""query -> documents, best first"""
Pair = tuple[Sequence[str], Sequence[str]]


def kendall(first: Sequence[str], second: Sequence[str]) -> float:
    """Kendall's tau of two orders of the same documents, two at least; orders have no ties, so tau-a and tau-b are
    one."""
    place = {document: number for number, document in enumerate(first)}
    places = np.array([place[document] for document in second])
    inversions = int(np.triu(places[:, None] > places[None, :], 1).sum())
    return 1 - 4 * inversions / (len(places) * (len(places) - 1))


def rbo(first: Sequence[str], second: Sequence[str], p: float = P) -> float:
    """Extrapolated rank-biased overlap of two orders without repetitions, in [0, 1]; they may differ in length and
    documents.

    Webber, Moffat and Zobel, A similarity measure for indefinite rankings, TOIS 2010, equation 32. O(length). An empty
    order: 0.
    """
    short, long = sorted((first, second), key=len)
    if not short:
        return 0.0
    s, seen, shared, total, shared_at_s = len(short), set[str](), 0, 0.0, 0
    for depth, document in enumerate(long, 1):
        for new in (document, short[depth - 1]) if depth <= s else (document,):
            shared += new in seen
            seen.add(new)
        shared_at_s = shared if depth <= s else shared_at_s
        # Past its end the shorter order is taken to go on agreeing as it did up to there.
        extrapolated = shared_at_s * (depth - s) / s if depth > s else 0.0
        total += (shared + extrapolated) / depth * p**depth
    tail = (shared - shared_at_s) / len(long) + shared_at_s / s
    return (1 - p) / p * total + tail * p ** len(long)


def overlap(first: Sequence[str], second: Sequence[str], k: int) -> float:
    """Share of the first k documents (all, where there are fewer) that two orders have in common."""
    depth = min(k, len(first), len(second))
    return len(set(first[:depth]) & set(second[:depth])) / depth


def agreement(first: Orders, second: Orders) -> dict[str, Any]:
    """How two teachers, or two draws of one, agree on the queries that both ordered."""
    return agreement_of((first[query], second[query]) for query in first if query in second)


def agreement_of(pairs: Iterable[Pair]) -> dict[str, Any]:
    """``{"queries", "tau", "rbo", "top": {"1", "3", "10"}}``: means over pairs of orders, None where there is nothing
    to compare.

    Top-k counts only lists of more than k shared documents, for on others any two orders have all k in common.
    """
    shared = [found for pair in pairs if len((found := _both(*pair))[0]) > 1]
    return {
        "queries": len(shared),
        "tau": _mean(kendall(*pair) for pair in shared),
        "rbo": _mean(rbo(*pair) for pair in shared),
        "top": {str(k): _mean(overlap(*pair, k) for pair in shared if len(pair[0]) > k) for k in TOP},
    }


def repeats(draws: Sequence[Orders]) -> dict[str, Any]:
    """`agreement` of a teacher with itself: every query that was ordered in several of `draws`, every two of its
    orders."""
    return agreement_of(
        (one[query], other[query]) for one, other in combinations(draws, 2) for query in one if query in other
    )


def orders(rankings: Iterable[Ranking]) -> dict[str, tuple[str, ...]]:
    """The orders of those rankings that have one."""
    return {ranking.query: ranking.ranked for ranking in rankings if ranking.ranked}


def position_bias(rankings: Iterable[Ranking], first_stage: Orders) -> dict[str, Any]:
    """Where documents end up by the place at which the teacher was shown them (`Ranking.presented`, else the first
    stage's order).

    ``{"queries", "reordered", "tau", "positions": [{"position", "documents", "rank", "shift"}]}``: `reordered` queries
    were shown in another order than the first stage's, `tau` compares given and shown order. `rank` is the mean rank of
    the `documents` shown at a position, `shift` that rank less the position (negative: moved up). Documents in the tail
    share the mean of the ranks left. Shown in random order, a teacher without bias gives every position the same mean
    rank.
    """
    ranks: dict[int, list[float]] = defaultdict(list)
    pairs: list[Pair] = []
    reordered = 0
    for ranking in rankings:
        if not ranking.ranked:
            continue
        given = first_stage.get(ranking.query, ())
        shown = ranking.presented or given
        place = _ranks(ranking)
        for position, document in enumerate(shown, 1):
            ranks[position].append(place[document])
        reordered += tuple(shown) != tuple(given)
        pairs.append((ranking.ranked, shown))
    means = {position: float(np.mean(found)) for position, found in sorted(ranks.items())}
    return {
        "queries": len(pairs),
        "reordered": reordered,
        "tau": agreement_of(pairs)["tau"],
        "positions": [
            {"position": position, "documents": len(ranks[position]), "rank": rank, "shift": rank - position}
            for position, rank in means.items()
        ],
    }


def order_presented(rankings: Iterable[Ranking], first_stage: Orders) -> dict[str, float]:
    """How far orders follow the one in which the teacher was shown the candidates: ``{"queries", "reordered", "tau",
    "deviation"}``.

    `tau` is the mean over `queries` that were shown in another order than the first stage's, whose number is
    `reordered`; where there are none, over all, and then merit looks the same. A query that was asked in several
    orders has the mean over its answers, each against the order that it was shown. `deviation` is the standard
    deviation of that mean for a teacher that does not mind the order (Kendall, Biometrika 1938).
    """
    queries: dict[bool, list[list[Pair]]] = {True: [], False: []}
    for ranking in rankings:
        answers = ranking.answers or ((ranking.presented, ranking.ranked),)
        other = any(tuple(shown) != tuple(first_stage.get(ranking.query, ())) for shown, _ in answers)
        pairs = [pair for shown, ranked in answers if len((pair := _both(ranked, shown))[0]) > 1]
        if pairs:
            queries[other].append(pairs)
    counted = queries[True] or queries[False]
    variance = sum(
        2 * (2 * len(one) + 5) / (9 * len(one) * (len(one) - 1)) / len(pairs) ** 2
        for pairs in counted
        for one, _ in pairs
    )
    return {
        "queries": len(counted),
        "reordered": len(queries[True]),
        "tau": _mean(_mean(kendall(*pair) for pair in pairs) or 0.0 for pairs in counted) or 0.0,
        "deviation": math.sqrt(variance) / max(len(counted), 1),
    }


def first_picks(rankings: Iterable[Ranking], first_stage: Orders) -> dict[str, Any]:
    """Where in the order in which the teacher was shown the candidates its first pick stood, against a uniform choice.

    ``{"queries", "reordered", "p", "positions": [{"position", "picked", "share", "interval", "expected"}]}``: `share`
    of the first picks with its 95 % interval (Wilson, JASA 1927), `expected` the share under a choice by chance, which
    is uniform in each list. `p` is that of Pearson's chi-squared test against it; with lists of different lengths it is
    conservative, for the counts then vary less than the test assumes. It is None where fewer than 5 picks are expected
    at a position. Lists of one document say nothing and are left out.
    """
    picked: Counter[int] = Counter()
    expected: dict[int, float] = defaultdict(float)
    queries = reordered = 0
    for ranking in rankings:
        given = first_stage.get(ranking.query, ())
        shown = ranking.presented or given
        if not ranking.ranked or len(shown) < 2:
            continue
        picked[shown.index(ranking.ranked[0]) + 1] += 1
        for position in range(1, len(shown) + 1):
            expected[position] += 1 / len(shown)
        queries += 1
        reordered += tuple(shown) != tuple(given)
    positions = sorted(expected)
    return {
        "queries": queries,
        "reordered": reordered,
        "p": _chi_squared([picked[position] for position in positions], [expected[position] for position in positions]),
        "positions": [
            {
                "position": position,
                "picked": picked[position],
                "share": picked[position] / queries,
                "interval": _wilson(picked[position], queries),
                "expected": expected[position] / queries,
            }
            for position in positions
        ],
    }


def _chi_squared(seen: Sequence[int], expected: Sequence[float]) -> float | None:
    if len(seen) < 2 or min(expected) < _LEAST_EXPECTED:
        return None

    statistic = sum((count - mean) ** 2 / mean for count, mean in zip(seen, expected, strict=True))
    return float(special.chdtrc(len(seen) - 1, statistic))


def _wilson(count: int, total: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The score interval of a share."""
    share, spread = count / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _ranks(ranking: Ranking) -> dict[str, float]:
    """1 for the best; the tail is unordered, so its documents are tied."""
    placed = len(ranking.ranked)
    tied = placed + (len(ranking.unranked) + 1) / 2
    return {
        **{document: float(rank) for rank, document in enumerate(ranking.ranked, 1)},
        **dict.fromkeys(ranking.unranked, tied),
    }


def quality(
    rankings: Iterable[Ranking], first_stage: Orders, gold: Mapping[str, Mapping[str, int]]
) -> dict[str, Any] | None:
    """``{"queries", "nDCG@10", "first_stage"}``: mean nDCG@10 of the teacher's orders and of the first stage's on the
    same queries.

    Those are the queries with an order and a relevant candidate. The tail follows in the first stage's order, as a
    re-ranker would leave it. None where there is no such query.
    """

    found: dict[str, list[str]] = {}
    for ranking in rankings:
        given = first_stage.get(ranking.query, ())
        if ranking.ranked and any(gold.get(ranking.query, {}).get(document, 0) > 0 for document in given):
            placed = set(ranking.ranked)
            found[ranking.query] = [*ranking.ranked, *(document for document in given if document not in placed)]
    if not found:
        return None
    qrels = {query: gold[query] for query in found}
    teacher, first = (
        mean(evaluate({query: _scored(lists[query]) for query in found}, qrels, ["nDCG@10"])["nDCG@10"])
        for lists in (found, first_stage)
    )
    return {"queries": len(found), "nDCG@10": teacher, "first_stage": first}


def _scored(order: Sequence[str]) -> dict[str, float]:
    return {document: float(len(order) - rank) for rank, document in enumerate(order)}


def _both(first: Sequence[str], second: Sequence[str]) -> Pair:
    shared = set(first) & set(second)
    return [document for document in first if document in shared], [
        document for document in second if document in shared
    ]


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None
