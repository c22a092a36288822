"""Curves through the means of a metric at several amounts (labels, tokens, USD), for many bootstrap samples at once.

Between measured amounts all of them run over the logarithm of the amount; none says anything beyond the amounts that
were measured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.errors import UserError, did_you_mean
from harness.evaluation.exact_sums import Array


class FittedLines(ABC):
    """s curves over the same amounts, from the smallest measured to the largest."""

    @abstractmethod
    def at(self, amounts: Array) -> Array:
        """Values (s, g) at `amounts` (g,) within the measured range."""

    @abstractmethod
    def reach(self, targets: Array) -> Array:
        """The least amount (s,) at which each curve is at least its target (s,).

        The smallest measured amount where that is there already, infinity where the largest is not enough.
        """


class Fit(ABC):
    """A family of curves."""

    name: ClassVar[str]
    summary: ClassVar[str]
    source: ClassVar[str]
    least: ClassVar[int]
    """Fewest amounts that say anything about it."""

    @abstractmethod
    def lines(self, amounts: Array, values: Array, weights: Array) -> FittedLines:
        """Curves through `values` (s, p) at `amounts` (p,), ascending and above 0; `weights` (p,) say how much each
        amount counts."""


@dataclass(frozen=True)
class Knots(FittedLines):
    """Never falling, straight over log amounts between `values` (s, p) at `amounts` (p,)."""

    amounts: Array
    values: Array

    def at(self, amounts: Array) -> Array:
        """See `FittedLines`."""
        if len(self.amounts) == 1:
            return np.repeat(self.values, len(amounts), axis=1)
        logs, wanted = np.log(self.amounts), np.log(amounts)
        right = np.clip(np.searchsorted(self.amounts, amounts), 1, len(logs) - 1)
        share = (wanted - logs[right - 1]) / (logs[right] - logs[right - 1])
        return np.asarray(self.values[:, right - 1] * (1 - share) + self.values[:, right] * share)

    def reach(self, targets: Array) -> Array:
        """See `FittedLines`."""
        logs = np.log(self.amounts)
        there = self.values >= targets[:, None]
        place = there.argmax(axis=1)
        left, rows = np.maximum(place - 1, 0), np.arange(len(targets))
        start, stop = self.values[rows, left], self.values[rows, place]
        share = (targets - start) / np.where(stop > start, stop - start, 1.0)
        between = np.exp(logs[left] + share * (logs[place] - logs[left]))
        found = np.where(place == 0, self.amounts[0], between)
        return np.asarray(np.where(there.any(axis=1), found, np.inf))


class Monotone(Fit):
    """Isotonic regression at the measured amounts, straight over log amounts between them."""

    name = "monotone"
    summary = "never falls; straight over log amounts between the measured ones; assumes only that more does not hurt"
    source = "isotonic regression by the min-max formula: Barlow, Bartholomew, Bremner and Brunk 1972"
    least = 1

    def lines(self, amounts: Array, values: Array, weights: Array) -> Knots:
        """See `Fit`."""
        fitted = np.array(values, np.float64)
        # A row that rises throughout is its own regression, to the last bit.
        falls = (np.diff(fitted, axis=1) < 0).any(axis=1)
        fitted[falls] = _isotonic(fitted[falls], weights)
        return Knots(amounts, fitted)


def _isotonic(values: Array, weights: Array) -> Array:
    """Isotonic regression of each row of `values` (s, p): at j the greatest over i <= j of the least over k >= j of the
    mean of i to k.

    All rows at once, in s p^2 numbers; a library takes them one by one (the tests hold this to scikit-learn).
    """
    points = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values * weights, axis=1)], axis=1)
    totals = np.concatenate([[0.0], np.cumsum(weights)])
    start, stop = np.indices((points, points))
    spans = np.where(stop >= start, totals[1:] - totals[:-1, None], 1.0)
    means = np.where(stop >= start, (sums[:, None, 1:] - sums[:, :-1, None]) / spans, np.inf)
    least = np.minimum.accumulate(means[:, :, ::-1], axis=2)[:, :, ::-1]
    return np.asarray(np.where(stop >= start, least, -np.inf).max(axis=1))


@dataclass(frozen=True)
class Powers(FittedLines):
    """limit - gap (n / first)^-exponent with arrays (s,) of each; gap >= 0, so that no curve falls."""

    first: float
    last: float
    limit: Array
    gap: Array
    exponent: Array

    def at(self, amounts: Array) -> Array:
        """See `FittedLines`."""
        return np.asarray(self.limit[:, None] - self.gap[:, None] * (amounts / self.first) ** -self.exponent[:, None])

    def reach(self, targets: Array) -> Array:
        """See `FittedLines`."""
        below = self.limit - targets
        # A curve that never rises, or ends below the target, has no such amount: the logarithm is then of no use and
        # replaced.
        possible = (below > 0) & (self.gap > 0)
        ratio = np.where(possible, self.gap, 1.0) / np.where(possible, below, 1.0)
        amounts = self.first * np.exp(np.minimum(np.log(ratio) / self.exponent, 700.0))
        met = (self.limit - self.gap) >= targets
        return np.asarray(np.where(met, self.first, np.where(possible & (amounts <= self.last), amounts, np.inf)))


_EXPONENTS = np.geomspace(0.02, 8.0, 600)


class PowerLaw(Fit):
    """metric = limit - gap * n^-exponent, by least squares."""

    name = "power-law"
    summary = (
        "limit - gap n^-exponent: rises ever more slowly towards a limit; three parameters, so it takes four amounts"
    )
    source = "learning curves: Hestness et al. 2017, arXiv 1712.00409; separable least squares: Golub and Pereyra 1973"
    least = 4

    def lines(self, amounts: Array, values: Array, weights: Array) -> Powers:
        """See `Fit`. For each of 600 exponents (0.02 to 8, 1 % apart) limit and gap are exact; the exponent with the
        least error wins."""
        share = weights / weights.sum()
        shapes = (amounts / amounts[0])[:, None] ** -_EXPONENTS
        centres = share @ shapes
        shapes = shapes - centres
        means = values @ share
        spread = share @ shapes**2
        slopes = ((values - means[:, None]) * share) @ shapes / spread
        # The error that each exponent takes away; one with which the curve would fall takes away none.
        explained = np.where(slopes < 0, slopes**2 * spread, 0.0)
        best = explained.argmax(axis=1)
        gap = np.maximum(-slopes[np.arange(len(values)), best], 0.0)
        return Powers(float(amounts[0]), float(amounts[-1]), means + gap * centres[best], gap, _EXPONENTS[best])


FITS: dict[str, Fit] = {fit.name: fit for fit in (Monotone(), PowerLaw())}


def fit(name: str) -> Fit:
    """The family of that name. Raises UserError with the nearest known name."""
    if name not in FITS:
        raise UserError(f"unknown fit '{name}'", remedy=did_you_mean(name, FITS))
    return FITS[name]
