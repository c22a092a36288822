"""The paired randomisation test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from benchmarks.case import Case, Peer, Timed
from benchmarks.timing import fastest

if TYPE_CHECKING:
    import numpy as np

FLIPS = 10_000


class Testing(Case):
    """Sign flips of per-query differences against scipy's permutation test and, but for quick mode, ranx' compiled
    Fisher test."""

    name: ClassVar[str] = "randomisation test"
    quality: ClassVar[str] = "p"
    rounds: ClassVar[tuple[int, int]] = (1, 3)

    @property
    def queries(self) -> int:
        """Pairs of values."""
        return 1_000 if self.quick else 6_980

    def work(self) -> str:
        return f"{self.queries:,} queries, {FLIPS:,} flips"

    def prepare(self) -> None:
        if self.quick:
            return
        # Behind this, ranx finds its compiled function on disk.
        os.environ["NUMBA_CACHE_DIR"] = str(self.folder / "numba")
        self._ranx(flips=10)

    def _values(self) -> tuple[np.ndarray, np.ndarray]:
        import numpy as np

        draw = np.random.default_rng(0)
        control = draw.random(self.queries)
        return control, np.clip(control + draw.normal(0.1 / self.queries**0.5, 0.1, self.queries), 0, 1)

    def ours(self) -> Timed:
        from harness.evaluation.significance.randomisation import randomisation

        control, treatment = self._values()
        seconds, p = fastest(lambda: randomisation((treatment - control)[:, None], 0, FLIPS))
        return Timed(seconds, float(p[0]))

    def peers(self) -> tuple[Peer, ...]:
        warm = {"NUMBA_CACHE_DIR": str(self.folder / "numba")}
        scipy = Peer("scipy.stats.permutation_test", self._scipy)
        return (
            (scipy,)
            if self.quick
            else (scipy, Peer("ranx fisher_randomization_test, compiled", self._ranx, environment=warm))
        )

    def _ranx(self, flips: int = FLIPS) -> Timed:
        from ranx.statistical_tests import fisher_randomization_test

        control, treatment = self._values()
        fisher_randomization_test(control[:10], treatment[:10], 10)
        seconds, found = fastest(lambda: fisher_randomization_test(control, treatment, flips), 2)
        return Timed(seconds, float(found[0]))

    def _scipy(self) -> Timed:
        import numpy as np
        from scipy.stats import permutation_test

        control, treatment = self._values()

        def mean_difference(values: np.ndarray, axis: int) -> np.ndarray:
            return np.asarray(np.mean(values, axis=axis))

        seconds, found = fastest(
            lambda: permutation_test(
                (treatment - control,),
                mean_difference,
                permutation_type="samples",
                n_resamples=FLIPS,
                vectorized=True,
                batch=500,
                rng=0,
            ),
            1,
        )
        return Timed(seconds, float(found.pvalue))
