"""One mixture of sources at every budget: which training queries come first, how far each budget can go, and what
resamples have in common.

With sources drawn one after another, small budgets hold other kinds of query than large ones, and resamples of a large
budget share whatever was exhausted. A mixture keeps the proportion: the first n queries of a resample hold, of every
source, its share of n to within one query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Shares = tuple[tuple[str, float], ...]
"""(source, share); shares are positive and sum to 1."""


def source_sequence(counts: Mapping[str, int], shares: Shares) -> list[str]:
    """The source of the 1st, 2nd, ... query of a resample, until all `counts` are used up.

    At every place comes the source that lags most behind its share of the queries so far; of equals the one named
    first. A source without queries left is passed over, from where on the proportion does not hold (`largest_mixed`).
    """
    used = dict.fromkeys((source for source, _ in shares), 0)
    sequence = []
    for place in range(1, sum(counts.get(source, 0) for source in used) + 1):
        open_shares = [(source, share) for source, share in shares if used[source] < counts.get(source, 0)]
        source = max(open_shares, key=lambda one: one[1] * place - used[one[0]])[0]
        used[source] += 1
        sequence.append(source)
    return sequence


def largest_mixed(counts: Mapping[str, int], shares: Shares) -> int:
    """The largest budget that `counts` queries by source allow with the proportion of `shares`."""
    used = dict.fromkeys((source for source, _ in shares), 0)
    size = 0
    while True:
        source = max(shares, key=lambda one: one[1] * (size + 1) - used[one[0]])[0]
        if used[source] >= counts.get(source, 0):
            return size
        used[source] += 1
        size += 1


def drawn_counts(counts: Mapping[str, int], size: int, shares: Shares | None) -> dict[str, int]:
    """How many queries of each source the first `size` of a resample are; `counts` is in the order of the pool."""
    if shares is not None:
        sequence: Sequence[str] = source_sequence(counts, shares)[:size]
        return {source: sequence.count(source) for source in counts}
    taken, rest = {}, size
    for source, count in counts.items():
        taken[source] = min(count, rest)
        rest -= taken[source]
    return taken


def shared_part(counts: Mapping[str, int], size: int, shares: Shares | None) -> float:
    """The share of its `size` queries that a resample is expected to have in common with another one.

    n of a source's N queries, drawn twice without looking, share n * n / N in the mean; 0 for an empty draw.
    """
    taken = drawn_counts(counts, size, shares)
    return sum(one * one / counts[source] for source, one in taken.items() if one) / size if size else 0.0
