"""Early stopping: some training queries are held out, and the weights with the smallest loss on their lists are saved.

The held-out queries come out of the labelled ones, so a method that stops early has the same budget as one that does
not.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from harness.errors import UserError
from harness.plugins import Settings


class EarlyStopping(Settings):
    """When a training ends before its last epoch."""

    held_out: float = Field(
        default=0.1, gt=0, lt=1, description="share of the training queries whose lists are only measured; one at least"
    )
    patience: int = Field(
        default=1, ge=1, description="the training stops once so many checks in a row found no smaller loss"
    )
    checks: int = Field(
        default=1, ge=1, description="how often an epoch their loss is measured, evenly spread, the last at its end"
    )

    def is_due(self, step: int, steps: int) -> bool:
        """Whether there is a check after step `step` (from 0, over all epochs) where an epoch has `steps`."""
        within = step % steps
        return (within + 1) * self.checks // steps > within * self.checks // steps


def split_lists(query_rows: np.ndarray, stop: EarlyStopping | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the lists to train on and of those held out. All lists of a query (equal in `query_rows`, (N,)) are on
    one side.

    Raises UserError when there is only one query to hold out.
    """
    if stop is None:
        return np.arange(len(query_rows)), np.zeros(0, dtype=np.int64)
    queries = np.unique(query_rows)
    if len(queries) < 2:
        raise UserError(
            "early stopping needs two training queries at least",
            key="stop",
            remedy="leave it out, or label more queries",
        )
    count = min(max(round(stop.held_out * len(queries)), 1), len(queries) - 1)
    # Another stream than that of the batches, which is seeded with the seed alone.
    drawn = np.random.default_rng([seed, 1]).choice(queries, count, replace=False)
    is_held_out = np.isin(query_rows, drawn)
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
