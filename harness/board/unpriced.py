"""Prices that no row of a table has, and why."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.frontier import PRICES
from harness.board.model import Row

REASONS = {
    "usd": "labels of teachers that run on one's own machine, and rows without labels, cost no money",
    "labels": "no method here was given labels",
    "tokens": "no teacher here read or wrote any",
    "training": "the cards tell of no stage that trains",
    "seconds": "the cards tell of no times",
}
"""Why nothing is known of a price, by the names of `PRICES`."""


def unpriced(rows: Sequence[Row]) -> dict[str, str]:
    """The prices of `PRICES` that are 0 for all `rows`, each with the reason."""
    return {price: REASONS[price] for price, (_, of) in PRICES.items() if not any(of(row) for row in rows)}
