"""How runs are to be compared."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import UserError
from harness.evaluation.significance.alternative import Alternative
from harness.evaluation.significance.corrections import correction_of
from harness.evaluation.significance.paired_tests import SEED, paired_test
from harness.evaluation.significance.power import ALPHA, POWER

HOLM = "holm"


@dataclass(frozen=True)
class TestSpec:
    """How to compare. Raises UserError, when made, on names that do not exist and on what does not go together.

    `correction` None is Holm, or the test's own where it is of all comparisons at once; `interval` None is the one that
    goes with the test. `margin` asks for equivalence too, `noninferior` whether b is worse by less than that,
    `superior` whether it is better by more. Intervals have the level 1 - alpha, those of one-sided tests 1 - 2 alpha.
    """

    __test__ = False

    test: str = "t"
    correction: str | None = None
    side: Alternative = Alternative.both
    interval: str | None = None
    margin: float | None = None
    noninferior: float | None = None
    superior: float | None = None
    alpha: float = ALPHA
    power: float = POWER
    seed: int = SEED

    def __post_init__(self) -> None:
        chosen = paired_test(self.test)
        if self.correction is not None:
            correction_of(self.correction)
            if chosen.joint:
                raise UserError(
                    f"test '{self.test}' covers the whole family by itself", remedy="leave the correction out"
                )
        for name, wanted in (
            ("equivalence", self.margin),
            ("non-inferiority", self.noninferior),
            ("superiority", self.superior),
        ):
            if wanted is not None and not wanted > 0:
                raise UserError(
                    f"the {name} margin is {wanted:g}", remedy="give a difference that would not matter, such as 0.01"
                )
        if not (0 < self.alpha < 0.5 and self.alpha < self.power < 1):
            raise UserError(
                f"alpha {self.alpha:g} and power {self.power:g}",
                remedy="alpha lies between 0 and 0.5, power between alpha and 1",
            )

    @property
    def level(self) -> float:
        """Of the intervals of differences."""
        return 1 - (self.alpha if self.side is Alternative.both else 2 * self.alpha)

    @property
    def own_correction(self) -> str:
        """What adjusts p: the test's own way, or the correction."""
        return self.test if paired_test(self.test).joint else self.correction or HOLM
