"""Candidates of many queries at once, kept as flat arrays: which of them can still be among the first, and which
are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Shortlist(NamedTuple):
    """Candidates of a block of queries: query (n,), row of the corpus (n,) int64 and score (n,) float32."""

    queries: np.ndarray
    rows: np.ndarray
    scores: np.ndarray

    def where(self, mask: np.ndarray) -> Shortlist:
        """Those that `kept`, a mask or places, selects."""
        return Shortlist(*(column[mask] for column in self))


NOTHING = Shortlist(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))


def joined(parts: list[Shortlist]) -> Shortlist:
    """All of them, one after another."""
    return Shortlist(*map(np.concatenate, zip(*parts, strict=True)))


def floors(found: Shortlist, size: int, depth: int) -> np.ndarray:
    """The `depth`-th best score of each of `size` queries (size, 1), -inf where there are fewer."""
    bits = found.scores.view(np.uint32)
    # As unsigned numbers, floats are in order once the negative ones are inverted and the others moved above them.
    ordered = np.where(bits >> 31, ~bits, bits | 0x8000_0000)
    keys = np.sort(found.queries.astype(np.uint64) << 32 | ordered)
    ends = np.searchsorted(keys, np.arange(1, size + 1, dtype=np.uint64) << 32)
    full = np.diff(ends, prepend=0) >= depth
    last = keys[ends[full] - depth].astype(np.uint32)
    floor = np.full((size, 1), -np.inf, dtype=np.float32)
    floor[full, 0] = np.where(last >> 31, last & 0x7FFF_FFFF, ~last).view(np.float32)
    return floor


def first(found: Shortlist, size: int, ranks: np.ndarray, depth: int) -> Shortlist:
    """The `depth` best of each of `size` queries, ascending by query, score and rank; `ranks` (N,) are those of the
    corpus rows."""
    found = found.where(found.scores >= floors(found, size, depth)[found.queries, 0])
    order = np.lexsort((ranks[found.rows], found.scores, found.queries))
    queries = found.queries[order]
    from_end = np.searchsorted(queries, queries, side="right") - np.arange(len(queries))
    return found.where(order[from_end <= depth])
