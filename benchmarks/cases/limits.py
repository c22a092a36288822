"""Tests of the size that a paper has: 300 queries, and all pairs of 50 runs."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, ClassVar

from benchmarks.case import Case, Goal, Timed, within
from benchmarks.timing import fastest

if TYPE_CHECKING:
    import numpy as np

QUERIES, RUNS, FLIPS = 300, 50, 10_000


class SignFlips(Case):
    """One comparison."""

    name: ClassVar[str] = "sign flips"
    quality: ClassVar[str] = "p"
    rounds: ClassVar[tuple[int, int]] = (1, 3)

    def work(self) -> str:
        return f"one pair, {QUERIES} queries, {FLIPS:,} flips"

    def ours(self) -> Timed:
        from harness.evaluation.significance.randomisation import randomisation

        values = _values()
        seconds, p = fastest(lambda: randomisation(values[:, 1:2] - values[:, :1], 0, FLIPS))
        return Timed(seconds, float(p[0]))

    def limits(self) -> tuple[Goal, ...]:
        return (within(0.015),)


class AllPairs(Case):
    """Every run against every other, with what tests a family at once."""

    name: ClassVar[str] = "all pairs"
    quality: ClassVar[str] = "smallest p"
    rounds: ClassVar[tuple[int, int]] = (1, 3)

    def work(self) -> str:
        return f"{RUNS * (RUNS - 1) // 2:,} pairs of {RUNS} runs, {QUERIES} queries, {FLIPS:,} flips, step-down maxT"

    def ours(self) -> Timed:
        import numpy as np

        from harness.evaluation.significance.joint_tests import max_t

        values = _values()
        first, second = np.array(list(combinations(range(RUNS), 2))).T
        seconds, p = fastest(lambda: max_t(values[:, second] - values[:, first], 0, flips=FLIPS))
        return Timed(seconds, float(p.min()))

    def limits(self) -> tuple[Goal, ...]:
        return (within(5.0),)


def _values() -> np.ndarray:
    import numpy as np

    draw = np.random.default_rng(0)
    return np.clip(draw.random((QUERIES, 1)) + draw.normal(0, 0.1, (QUERIES, RUNS)), 0, 1)
