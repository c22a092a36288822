"""Setwise: the model names the most relevant of a few passages; a heap makes the best k of that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.labelling.strategies._choice import Choosing
from harness.labelling.strategies._sorting import Standings, heap_groups, heap_top
from harness.labelling.strategies.strategy import SINGLE, Steps
from harness.plugins import Settings


class SetwiseSettings(Settings):
    """Settings of `Setwise`."""

    set_size: int = Field(4, ge=2, le=26, description="passages of one question: a node of the heap and its children")
    k: int = Field(10, ge=1, description="places that are filled; all others are the unordered tail")
    method: Literal["heapsort"] = Field("heapsort", description="how the questions make an order")


class Setwise(Choosing):
    """Which of a few passages is the most relevant, shown in the order of presentation.

    A question without a clear answer never falls back on the order of presentation: the candidate that won the larger
    share of its decided questions goes first, among equals a coin decides. A candidate that won no decided question is
    left in the tail (unless it alone is left to be the last), and a failed answer makes the order partial.
    """

    name = "setwise"
    summary = "the most relevant of a few passages a question, a heap for the best k"
    source = "Zhuang et al., arXiv 2310.09497 (Setwise)"
    prompt = "setwise"
    settings: SetwiseSettings

    def values(self, query: str, passages: Sequence[str]) -> dict[str, str]:
        lines = [f"{self.identifier(position)}: {text}" for position, text in enumerate(passages)]
        return {"query": query, "count": str(len(passages)), "passages": "\n".join(lines)}

    def steps(self, count: int) -> Steps:
        if count == 1:
            return SINGLE
        standings = Standings(count)
        ranked = yield from heap_top(
            count,
            self.settings.k,
            self.settings.set_size - 1,
            lambda group: standings.best(group, [tuple(sorted(group))]),
        )
        return standings.order(ranked)

    def most_presented(self, count: int) -> int:
        return min(count, self.settings.set_size)

    def calls(self, count: int) -> int:
        return sum(1 for _ in heap_groups(count, self.settings.k, self.settings.set_size - 1))
