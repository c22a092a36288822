"""Pairwise: two passages a question; all pairs, a heap, or bubble passes for the best k."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import combinations
from typing import Literal

from pydantic import Field

from harness.labelling.strategies._choice import Choosing
from harness.labelling.strategies._sorting import Standings, Winner, heap_groups, heap_top
from harness.labelling.strategies.strategy import SINGLE, ParsedResponse, PartialRanking, Presentation, Steps, overall
from harness.plugins import Settings


class PairwiseSettings(Settings):
    """Settings of `Pairwise`."""

    method: Literal["all-pairs", "heapsort", "top-k"] = Field(
        "all-pairs",
        description="all-pairs: every pair, in one round; heapsort, top-k (bubble passes): the best k only, one pair "
        "after another",
    )
    k: int = Field(10, ge=1, description="places that heapsort and top-k fill; all others are the unordered tail")
    both_orders: bool = Field(
        True, description="ask about every pair in both orders of presentation; costs twice as many questions"
    )


class Pairwise(Choosing):
    """Which of two passages is more relevant.

    All pairs: a candidate's score is its share of the answers; an answer without a clear choice counts half for each
    side, and so do two answers that disagree. Candidates about which there is no clear answer at all are left in the
    tail.

    Heapsort and top-k: a pair is decided when its clear answers agree. An undecided pair never falls back on the order
    of presentation: the candidate that won the larger share of its decided pairs goes first, among equals a coin
    decides. A candidate that won no decided pair is left in the tail (unless it alone is left to be the last), and a
    failed answer makes the order partial.
    """

    name = "pairwise"
    summary = "two passages a question: all pairs, or a sort for the best k"
    source = "Qin et al., arXiv 2306.17563 (PRP)"
    prompt = "pairwise"
    placeholders = frozenset({"query", "first", "second"})
    settings: PairwiseSettings

    def values(self, query: str, passages: Sequence[str]) -> dict[str, str]:
        first, second = passages
        return {"query": query, "count": "2", "first": first, "second": second}

    def steps(self, count: int) -> Steps:
        if count == 1:
            return SINGLE
        if self.settings.method == "all-pairs":
            return (yield from self._all(count))
        standings = Standings(count)
        if self.settings.method == "top-k":
            ranked = yield from self._bubbled(count, standings)
        else:
            ranked = yield from heap_top(count, self.settings.k, 2, lambda group: self._best(standings, group))
        return standings.order(ranked)

    def most_presented(self, count: int) -> int:
        return 2

    def calls(self, count: int) -> int:
        k, questions = self.settings.k, 2 if self.settings.both_orders else 1
        if self.settings.method == "all-pairs":
            return questions * count * (count - 1) // 2
        if self.settings.method == "heapsort":
            return questions * sum(heap_groups(count, k, 2))
        return questions * sum(count - 1 - done for done in range(min(k, count - 1)))

    def _questions(self, one: int, other: int) -> list[Presentation]:
        pair = (min(one, other), max(one, other))
        return [pair, pair[::-1]] if self.settings.both_orders else [pair]

    def _all(self, count: int) -> Steps:
        questions = [question for pair in combinations(range(count), 2) for question in self._questions(*pair)]
        replies = yield questions
        points = [0.0] * count
        clear: set[int] = set()
        for question, reply in zip(questions, replies, strict=True):
            for place, number in enumerate(question):
                points[number] += float(place == reply.order[0]) if reply.order else 0.5
            clear.update(question if reply.order else ())
        ordered = tuple(sorted(clear, key=lambda number: -points[number]))
        tail = tuple(number for number in range(count) if number not in clear)
        return PartialRanking(
            ordered, tail, *overall(replies, len(ordered)), scores=tuple(points[number] for number in ordered)
        )

    def _best(self, standings: Standings, group: Sequence[int]) -> Winner:
        best = group[0]
        for other in group[1:]:
            best = yield from standings.best((best, other), self._questions(best, other))
        return best

    def _bubbled(
        self, count: int, standings: Standings
    ) -> Generator[list[Presentation], list[ParsedResponse], list[int]]:
        order = list(range(count))
        for done in range(min(self.settings.k, count - 1)):
            for place in range(count - 1, done, -1):
                if order[place] == (yield from self._best(standings, order[place - 1 : place + 1])):
                    order[place - 1 : place + 1] = order[place], order[place - 1]
        return order[: self.settings.k]
