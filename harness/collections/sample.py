"""Which training queries a cell uses: nested subsets of the pool, drawn anew for each resample."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.collections.crops import SOURCES, TrainingQuery
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


def draw_queries(pool_rows: Sequence[TrainingQuery], resample: int, size: int) -> list[TrainingQuery]:
    """The first `size` queries of a resample: sources in the pool's order, shuffled inside each by a generator seeded
    from (resample, source). A smaller draw is always the beginning of a larger one. O(pool). Raises UserError when
    there are too few.
    """
    if size > len(pool_rows):
        raise too_few(pool_rows, size)
    drawn: list[TrainingQuery] = []
    for source, rows in _by_source(pool_rows).items():
        if len(drawn) >= size:
            break
        random.Random(f"{resample}:{source}").shuffle(rows)
        drawn += rows
    return drawn[:size]


def _by_source(rows: Iterable[TrainingQuery]) -> dict[str, list[TrainingQuery]]:
    grouped: dict[str, list[TrainingQuery]] = {}
    for row in rows:
        grouped.setdefault(row.source, []).append(row)
    return grouped


def too_few(rows: Sequence[TrainingQuery], size: int, collection: str = "") -> UserError:
    """The error for a budget of `size` where there are only `rows`."""
    counts = {source: len(found) for source, found in _by_source(rows).items()}
    shown = " and ".join(f"{count:,} from {source}" for source, count in counts.items()) or "none"
    unused = [source for source in SOURCES if source not in counts]
    more = f"add a source to candidates.training_queries ({', '.join(unused)}), " if unused else ""
    owner = f"of '{collection}'" if collection else "there are"
    return UserError(
        f"a budget of {size:,} is larger than the {len(rows):,} training queries {owner} ({shown})",
        remedy=f"{more}raise the cap (candidates.pool), or take smaller budgets",
    )
