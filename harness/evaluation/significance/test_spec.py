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
    goes with the test; `margin` asks for equivalence too.
    """

    __test__ = False

    test: str = "randomisation"
    correction: str | None = None
    side: Alternative = Alternative.both
    interval: str | None = None
    margin: float | None = None
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
        if not (0 < self.alpha < 1 and self.alpha < self.power < 1):
            raise UserError(
                f"alpha {self.alpha:g} and power {self.power:g}", remedy="both lie between 0 and 1, power above alpha"
            )

    @property
    def own_correction(self) -> str:
        """What adjusts p: the test's own way, or the correction."""
        return self.test if paired_test(self.test).joint else self.correction or HOLM
