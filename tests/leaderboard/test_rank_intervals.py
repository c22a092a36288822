"""First and last places are those of scipy's ranks, with ties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from harness.leaderboard.row_statistics import rank_intervals


@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_places_are_those_of_scipy(rows: int, decimals: int) -> None:
    drawn = np.random.default_rng(rows).normal(size=(rows, 200)).round(decimals)
    ranks = stats.rankdata(-drawn.T, method="min", axis=1)

    found = rank_intervals(dict(enumerate(drawn)), level=0.8)

    low, high = (np.quantile(ranks, q, axis=0, method=method) for q, method in ((0.1, "lower"), (0.9, "higher")))
    assert found == {row: (int(low[row]), int(high[row])) for row in range(rows)}
