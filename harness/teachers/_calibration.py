"""Orders of a Plackett-Luce model with a noise scale, their mean quality, and the scale at which it has a wanted value.

A document's score is ``(1 - t) * utility + t * noise`` with Gumbel noise: the order of ``utility + s * noise`` for ``s
= t / (1 - t)``, but t = 1 (noise alone) is a number like any other. Sorting such scores draws from the Plackett-Luce
model of ``utility / s`` (Yellott, Journal of Mathematical Psychology 1977).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property

import numpy as np

from harness.labelling.labels.teacher import Task

CUTOFF = 10
_ABSENT = -1e30
"""Score of the padding: behind every document, and finite so that 0 times it is 0."""
_STEPS = 50


def gumbel(seed: int, query: str, document: str) -> float:
    """Standard Gumbel noise of a pair, the same in every list and at every scale."""
    hashed = hashlib.blake2b(f"{seed}\0{query}\0{document}".encode(), digest_size=8).digest()
    # 52 bits: with more, the largest would round to 1, whose noise is infinite.
    uniform = ((int.from_bytes(hashed, "big") >> 12) + 0.5) / 2**52
    return -math.log(-math.log(uniform))


class Lists:
    """Candidate lists of Q queries, at most K documents each, as arrays (Q, K) padded at the end."""

    def __init__(self, tasks: Sequence[Task], seed: int, first_stage_weight: float) -> None:
        """Utility is the grade (0 below 0, and where there is none) plus `first_stage_weight` times 1 (first) to 1/n
        (last of n)."""
        self.lengths = np.array([len(task.candidates) for task in tasks], dtype=np.int64)
        shape = (len(tasks), int(self.lengths.max(initial=0)))
        self.grades, self.noise = np.zeros(shape), np.full(shape, _ABSENT)
        self.ideal = np.zeros((len(tasks), CUTOFF))
        for row, task in enumerate(tasks):
            gold = {id: max(grade, 0) for id, grade in (task.gold or {}).items()}
            self.grades[row, : self.lengths[row]] = [gold.get(candidate.id, 0) for candidate in task.candidates]
            self.noise[row, : self.lengths[row]] = [
                gumbel(seed, task.query, candidate.id) for candidate in task.candidates
            ]
            best = sorted(gold.values(), reverse=True)[:CUTOFF]
            self.ideal[row, : len(best)] = best
        places = np.arange(shape[1])
        first_stage = 1 - places / np.maximum(self.lengths, 1)[:, None]
        self._first_stage = first_stage
        self._is_listed = places < self.lengths[:, None]
        self.utility = self._utility(first_stage_weight)

    def _utility(self, first_stage_weight: float) -> np.ndarray:
        return np.where(self._is_listed, self.grades + first_stage_weight * self._first_stage, _ABSENT)

    def weighted(self, first_stage_weight: float) -> Lists:
        """The same lists with another weight of the first stage's order."""
        other = copy(self)
        other.utility = self._utility(first_stage_weight)
        return other

    def graded(self, grades: np.ndarray, first_stage_weight: float) -> Lists:
        """The same lists ordered by other `grades` (Q, K); quality is still measured by their own."""
        other = copy(self)
        other.utility = np.where(self._is_listed, grades + first_stage_weight * self._first_stage, _ABSENT)
        return other

    def first_stage_tau(self, mix: float) -> float:
        """Mean Kendall tau with the order of the lists, over those of two documents or more; nan without any."""
        places = np.argsort(self.order(mix), axis=1)
        agreeing = np.zeros(len(self.lengths))
        for column in range(places.shape[1] - 1):
            later = self._is_listed[:, column + 1 :]
            agreeing += ((places[:, column, None] < places[:, column + 1 :]) & later).sum(axis=1)
        pairs = self.lengths * (self.lengths - 1) / 2
        return float((2 * agreeing[pairs > 0] / pairs[pairs > 0] - 1).mean()) if (pairs > 0).any() else math.nan

    def same_first(self, mix: float) -> float:
        """Share of the lists of two documents or more whose first document stays the first; nan where there is none."""
        several = self.lengths > 1
        return float((self.order(mix)[several, 0] == 0).mean()) if several.any() else math.nan

    def order(self, mix: float) -> np.ndarray:
        """(Q, K) columns, best first, for t = `mix` in [0, 1]; equal scores in the order of the list, padding last."""
        return np.argsort(-((1 - mix) * self.utility + mix * self.noise), axis=1, kind="stable")

    def ndcg(self, mix: float) -> float:
        """Mean nDCG@10 as trec_eval computes it (linear gains, ideal over all judged documents). Every query needs a
        relevant document."""
        gains = np.take_along_axis(self.grades, self.order(mix)[:, :CUTOFF], axis=1)
        return float((_discounted(gains) / _discounted(self.ideal)).mean())

    def tau(self, mix: float) -> float:
        """Mean Kendall tau-b with the grades, over queries whose candidates differ in grade; nan where none does."""
        places = np.argsort(self.order(mix), axis=1).ravel()
        rows, better, worse = self._pairs
        agreement = np.bincount(rows, np.sign(places[worse] - places[better]), minlength=len(self.lengths))
        pairs = np.bincount(rows, minlength=len(self.lengths))
        known = pairs > 0
        # The order has no ties, so of tau-b's two factors one is all pairs and one those that the grades tell apart.
        every = (self.lengths * (self.lengths - 1) / 2)[known]
        return float((agreement[known] / np.sqrt(every * pairs[known])).mean()) if known.any() else math.nan

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Query, better and worse document (flat positions) of every pair with different grades."""
        width = self.grades.shape[1]
        parts = []
        for row, (grades, length) in enumerate(zip(self.grades, self.lengths, strict=True)):
            better, worse = np.nonzero(grades[:length, None] > grades[None, :length])
            parts.append(np.stack([np.full(len(better), row), row * width + better, row * width + worse]))
        rows, better, worse = np.concatenate([np.zeros((3, 0), dtype=np.int64), *parts], axis=1)
        return rows, better, worse


def _discounted(gains: np.ndarray) -> np.ndarray:
    return np.asarray(gains @ (1 / np.log2(np.arange(2, gains.shape[1] + 2))))


def mix_for(quality: Callable[[float], float], wanted: float) -> float:
    """The t in (0, 1) whose `quality` comes nearest to `wanted`, by bisection: quality falls, but for small steps, as t
    rises."""
    low, high = 0.0, 1.0
    tried: list[tuple[float, float]] = []
    for _ in range(_STEPS):
        middle = (low + high) / 2
        found = quality(middle)
        tried.append((abs(found - wanted), middle))
        low, high = (middle, high) if found > wanted else (low, middle)
    return min(tried)[1]
