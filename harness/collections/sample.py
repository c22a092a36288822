"""Which training queries a cell uses: nested subsets of the pool, drawn anew for each resample.

With sources drawn one after another, small budgets hold other kinds of query than large ones, and resamples of a large
budget share whatever was exhausted. A mixture keeps the proportion: the first n queries of a resample hold, of every
source, its share of n to within one query.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.collections.crops import SOURCES, TrainingQuery
from harness.collections.pool import Shares, shares_of
from harness.errors import UserError

if TYPE_CHECKING:
    from harness.stage import Stage


@dataclass(frozen=True)
class QuerySubset:
    """Which training queries: the first `size` of the pool as shuffled for `resample`; so budgets are nested in a
    resample."""

    pool: Stage
    resample: int
    size: int

    def drawn_from(self, rows: Sequence[TrainingQuery]) -> list[TrainingQuery]:
        """The queries of the subset, given those of its pool. Raises UserError when there are too few."""
        return draw_queries(rows, self.resample, self.size, shares_of(self.pool))

    def whole_order(self, rows: Sequence[TrainingQuery]) -> list[TrainingQuery]:
        """All queries of the pool in the order in which the resample takes them."""
        return order_queries(rows, self.resample, shares_of(self.pool))


def draw_queries(
    pool_rows: Sequence[TrainingQuery], resample: int, size: int, shares: Shares | None = None
) -> list[TrainingQuery]:
    """The first `size` queries of a resample: sources in the pool's order, or in the proportion of `shares`, shuffled
    inside each by a generator seeded from (resample, source). A smaller draw is always the beginning of a larger one.
    O(pool). Raises UserError when there are too few.
    """
    counts = source_counts(pool_rows)
    if size > largest_draw(counts, shares):
        raise too_few(counts, size, shares=shares)
    return order_queries(pool_rows, resample, shares)[:size]


def order_queries(
    pool_rows: Sequence[TrainingQuery], resample: int, shares: Shares | None = None
) -> list[TrainingQuery]:
    """All queries of the pool in the order in which a resample takes them."""
    grouped: dict[str, list[TrainingQuery]] = {}
    for row in pool_rows:
        grouped.setdefault(row.source, []).append(row)
    for source, rows in grouped.items():
        random.Random(f"{resample}:{source}").shuffle(rows)
    if shares is None:
        return [row for rows in grouped.values() for row in rows]
    waiting = {source: iter(rows) for source, rows in grouped.items()}
    counts = {source: len(rows) for source, rows in grouped.items()}
    return [next(waiting[source]) for source in source_sequence(counts, shares)]


def source_counts(rows: Iterable[TrainingQuery]) -> dict[str, int]:
    """How many queries each source has, in the order of the pool."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.source] = counts.get(row.source, 0) + 1
    return counts


def largest_draw(counts: Mapping[str, int], shares: Shares | None = None) -> int:
    """The largest budget that a pool with `counts` queries by source allows."""
    return sum(counts.values()) if shares is None else largest_mixed(counts, shares)


def too_few(counts: Mapping[str, int], size: int, collection: str = "", shares: Shares | None = None) -> UserError:
    """The error for a budget of `size` where there are only `counts` queries by source."""
    available = " and ".join(f"{count:,} from {source}" for source, count in counts.items()) or "none"
    owner = f"of '{collection}'" if collection else "there are"
    if shares is not None:
        mix = ", ".join(f"{source} {share:g}" for source, share in shares)
        most = largest_draw(counts, shares)
        return UserError(
            f"a budget of {size:,} with the mixture {mix} is larger than the training queries {owner} allow "
            f"({available}): in this proportion they last for {most:,}",
            remedy=f"take budgets up to {most:,}, or a smaller share of the source that ends first "
            "(candidates.training_queries.mix)",
        )
    unused = [source for source in SOURCES if source not in counts]
    more = f"add a source to candidates.training_queries ({', '.join(unused)}), " if unused else ""
    return UserError(
        f"a budget of {size:,} is larger than the {sum(counts.values()):,} training queries {owner} ({available})",
        remedy=f"{more}raise the cap (candidates.pool), or take smaller budgets",
    )


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
