"""Listwise: all candidates in one question."""

from __future__ import annotations

from harness.labelling.strategies.strategy import SINGLE, PartialRanking, Steps, Strategy


class Listwise(Strategy):
    """One window that shows everything; with 20 candidates or fewer the usual choice."""

    name = "listwise"
    summary = "all candidates in one question, answered by a permutation"
    source = "Sun et al., arXiv 2304.09542 (RankGPT)"
    prompt = "listwise"

    def steps(self, count: int) -> Steps:
        if count == 1:
            return SINGLE
        (reply,) = yield [tuple(range(count))]
        tail = tuple(number for number in range(count) if number not in set(reply.order))
        return PartialRanking(reply.order, tail, reply.verdict, reply.reasons)

    def calls(self, count: int) -> int:
        return 1 if count > 1 else 0
