"""Sorting by questions: what the answers said so far, and a heap that finds the best k."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence

from harness.labelling.strategies.strategy import ParsedResponse, PartialRanking, Presentation, overall

Winner = Generator[list[Presentation], list[ParsedResponse], int]
"""Asks which of some candidates is the best, ends with it."""


class Standings:
    """The questions of one sort: who won, who met whom, and what was replied. No question is asked twice."""

    def __init__(self, count: int) -> None:
        self.replies: list[ParsedResponse] = []
        self._known: dict[frozenset[int], int] = {}
        self._won, self._met = [0] * count, [0] * count

    def best(self, group: Sequence[int], questions: list[Presentation]) -> Winner:
        """The candidate that all clear answers to `questions`, each about the whole `group`, name.

        Without a clear answer, or with clear ones that disagree, the question is undecided, and the order of
        presentation must not decide it: the candidate with the larger share of decided questions won so far goes first
        (half for those without any), among equals a coin that depends on the candidate and on how many answers there
        are.
        """
        if (known := self._known.get(frozenset(group))) is not None:
            return known
        replies = yield questions
        self.replies += replies
        named = {question[reply.order[0]] for question, reply in zip(questions, replies, strict=True) if reply.order}
        winner = named.pop() if len(named) == 1 else None
        if winner is None:
            winner = max(group, key=self._standing)
        else:
            self._won[winner] += 1
            for number in group:
                self._met[number] += 1
        self._known[frozenset(group)] = winner
        return winner

    def _standing(self, number: int) -> tuple[float, bytes]:
        share = self._won[number] / self._met[number] if self._met[number] else 0.5
        return share, hashlib.sha256(f"{len(self.replies)} {number}".encode()).digest()

    def order(self, ranked: Sequence[int]) -> PartialRanking:
        """Of `ranked`, best first, those that won a decided question; all others are the tail, but a single one that
        lost is the last."""
        ordered = tuple(number for number in ranked if self._won[number])
        tail = tuple(number for number in range(len(self._won)) if number not in set(ordered))
        if len(ranked) == len(self._won) and len(tail) == 1 and self._met[tail[0]]:
            ordered, tail = ordered + tail, ()
        return PartialRanking(ordered, tail, *overall(self.replies, len(ordered)))


def heap_top(
    count: int, k: int, fan: int, best: Callable[[Sequence[int]], Winner]
) -> Generator[list[Presentation], list[ParsedResponse], list[int]]:
    """The best `k` of `count` candidates, best first, by a heap whose nodes have `fan` children; `best` decides among
    node and children."""
    heap = list(range(count))
    for root in range((count - 2) // fan, -1, -1):
        yield from _sift(heap, root, fan, best)
    ranked: list[int] = []
    while heap and len(ranked) < k:
        last = heap.pop()
        if not heap:
            return [*ranked, last]
        ranked.append(heap[0])
        heap[0] = last
        if len(ranked) < k:
            yield from _sift(heap, 0, fan, best)
    return ranked


def _sift(
    heap: list[int], root: int, fan: int, best: Callable[[Sequence[int]], Winner]
) -> Generator[list[Presentation], list[ParsedResponse], None]:
    while children := heap[fan * root + 1 : fan * root + fan + 1]:
        winner = yield from best([heap[root], *children])
        if winner == heap[root]:
            return
        child = heap.index(winner)
        heap[root], heap[child] = heap[child], heap[root]
        root = child


def heap_groups(count: int, k: int, fan: int) -> Iterator[int]:
    """How many children each decision of `heap_top` is about, where every candidate sinks as deep as it can."""
    for root in range((count - 2) // fan + 1):
        yield from _path(root, count, fan)
    for size in range(count - 1, count - min(k, count), -1):
        yield from _path(0, size, fan)


def _path(root: int, size: int, fan: int) -> Iterator[int]:
    # First children lead deepest.
    while (child := fan * root + 1) < size:
        yield min(fan, size - child)
        root = child
