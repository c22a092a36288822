"""The order in which trec_eval reads a ranked list."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def top(documents: Mapping[str, float], k: int) -> list[str]:
    """The first `k` document ids: score descending, equal scores by id descending.

    Scores are compared as 32-bit floats, for that is what trec_eval holds; ids are compared by code point, as their UTF-8 bytes are.
    """
    ids = list(documents)
    with np.errstate(over="ignore"):
        scores = np.fromiter(documents.values(), np.float64, len(ids)).astype(np.float32)
    if k < len(ids):
        least = np.partition(scores, len(ids) - k)[len(ids) - k]
        rows = np.nonzero(scores >= least)[0]
    else:
        rows = np.arange(len(ids))
    pairs = sorted(((scores[row], ids[row]) for row in rows.tolist()), reverse=True)
    return [document for _, document in pairs[:k]]
