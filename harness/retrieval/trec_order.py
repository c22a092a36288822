"""The order of results that trec_eval sees: score (float32) descending, then document id descending."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from harness._lazy import lazy

pa = lazy("pyarrow")
pc = lazy("pyarrow.compute")


class Hits(NamedTuple):
    """What was found for one query, best first: rows of the corpus (n,) int64 and their scores (n,) float32."""

    rows: np.ndarray
    scores: np.ndarray


def id_ranks(ids: Iterable[str]) -> np.ndarray:
    """int64 place of each id among all ids in ascending order of their UTF-8 bytes; the higher place wins a tie."""

    ascending = pc.sort_indices(pa.chunked_array([pa.array(list(ids), pa.large_string())])).to_numpy()
    ranks = np.empty(len(ascending), dtype=np.int64)
    ranks[ascending] = np.arange(len(ascending))
    return ranks


def best(rows: np.ndarray, scores: np.ndarray, ranks: np.ndarray, depth: int) -> Hits:
    """The first `depth` of the candidates `rows` with `scores`, both (n,), in trec_eval's order; `ranks` (n,) as of
    `id_ranks`.

    Ties across the last place are broken by document id too, so the result does not depend on the order of the
    candidates.
    """
    if len(scores) > depth:
        kept = np.flatnonzero(scores >= np.partition(scores, -depth)[-depth])
        rows, scores, ranks = rows[kept], scores[kept], ranks[kept]
    order = np.lexsort((ranks, scores))[::-1][:depth]
    return Hits(rows[order], scores[order])
