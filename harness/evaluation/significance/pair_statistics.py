"""One comparison of a family: its size, what it is uncertain by, and all that may be said of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from harness.evaluation.exact_sums import Array
from harness.evaluation.significance.comparison_result import (
    Bounds,
    Comparison,
    Equivalence,
    TheseRuns,
    Verdict,
)
from harness.evaluation.significance.corrections import correct_distinct
from harness.evaluation.significance.method_difference import MeanDifference
from harness.evaluation.significance.paired_tests import TestResult
from harness.evaluation.significance.power import detectable, detectable_shift, queries_needed
from harness.evaluation.significance.test_spec import HOLM, TestSpec

T = "t"
"""The test that knows of runs."""


@dataclass(frozen=True)
class PairedFamily:
    """Comparisons side by side: what the test asked for says of each, what t over queries and runs does, and the keys
    of those that are one and the same."""

    found: Sequence[TestResult]
    differences: Sequence[MeanDifference]
    keys: Sequence[Hashable]
    asked: TestSpec

    @property
    def size(self) -> int:
        """How many different comparisons there are."""
        return len(set(self.keys))

    def p(self) -> list[float | None]:
        """Of each: by t of methods, None where nothing is known of them; by any other test of the runs as they are."""
        if self.asked.test != T:
            return [one.p for one in self.found]
        return [None if one.is_single else one.p(self.asked.side) for one in self.differences]

    def adjusted(self, p: Sequence[float | None], correction: str) -> list[float | None]:
        """`p` adjusted over all that have one."""
        places = [place for place, one in enumerate(p) if one is not None]
        known = np.array([one for one in p if one is not None])
        keys = [self.keys[place] for place in places]
        found = dict(zip(places, correct_distinct(known, correction, keys).tolist() if places else [], strict=True))
        return [found.get(place) for place in range(len(p))]

    def interval(self, place: int) -> Bounds:
        """That of the test."""
        by_t = self.asked.test == T and self.asked.interval in (None, T)
        return self.differences[place].interval(self.asked.level) if by_t else self.found[place].interval

    def margins(self) -> list[dict[str, Equivalence]]:
        """What was asked of margins, by key of `Comparison`."""
        asked = self.asked
        tests = {
            "equivalence": (asked.margin, MeanDifference.p_within),
            "noninferiority": (asked.noninferior, lambda one, margin: one.p_above(-margin)),
            "superiority_by_margin": (asked.superior, MeanDifference.p_above),
        }
        answer: list[dict[str, Equivalence]] = [{} for _ in self.differences]
        for name, (margin, test) in tests.items():
            if margin is None:
                continue
            p = [None if one.is_single else test(one, margin) for one in self.differences]
            adjusted = self.adjusted(p, asked.correction or HOLM)
            for known, one, raw, corrected in zip(answer, self.differences, p, adjusted, strict=True):
                if raw is not None and corrected is not None:
                    known[name] = Equivalence(p=raw, p_adjusted=corrected, interval=one.interval(1 - 2 * asked.alpha))
        return answer

    def detectable(self, place: int, comparisons: int) -> float | None:
        """The least true difference that is shown in a family of so many, runs counted."""
        one, asked = self.differences[place], self.asked
        if one.count < 2 or one.error == 0 or one.is_single:
            return None
        shift = detectable_shift(float(f"{one.freedom:.4g}"), asked.power, asked.alpha / comparisons, asked.side)
        return shift * one.error if np.isfinite(shift) else None


def verdict(difference: float, interval: Bounds, adjusted: float | None, alpha: float) -> Verdict:
    """What a comparison allows to say of b against a: never anything beside an interval that holds 0."""
    if adjusted is None or adjusted >= alpha or (interval is not None and interval[0] <= 0 <= interval[1]):
        return "inconclusive"
    return "better" if difference > 0 else "worse"


def all_verdicts(first: Verdict, margins: dict[str, Equivalence], alpha: float) -> list[Verdict]:
    """`first` where it says anything, then what is shown of margins."""
    names: dict[str, Verdict] = {
        "superiority_by_margin": "superior",
        "equivalence": "equivalent",
        "noninferiority": "noninferior",
    }
    shown = [names[name] for name in names if name in margins and margins[name]["p_adjusted"] < alpha]
    return [*([first] if first != "inconclusive" else []), *shown]


def comparison(
    family: PairedFamily,
    place: int,
    names: tuple[str, str, str],
    p: tuple[float | None, float | None],
    margins: dict[str, Equivalence],
    these_runs: tuple[float, float] | None,
    deviation: float,
) -> Comparison:
    """The comparison of `names` (metric, a, b) with its `p` (own and adjusted); `deviation` is that of the differences
    over queries, `these_runs` the p of the sign-flip test where methods have several runs."""
    asked, found, spread = family.asked, family.found[place], family.differences[place]
    of, a, b = names
    n, interval = spread.count, family.interval(place)
    effect = detectable(n, asked.power, asked.alpha, asked.side)
    size = found.effect_size
    first = verdict(found.difference, interval, p[1], asked.alpha)
    verdicts = all_verdicts(first, margins, asked.alpha)
    row = Comparison(
        metric=of,
        a=a,
        b=b,
        difference=found.difference,
        interval=interval,
        effect_size=size,
        p=p[0],
        p_adjusted=p[1],
        wins=found.wins,
        ties=found.ties,
        losses=found.losses,
        superiority=found.superiority,
        detectable=None if effect is None or deviation == 0 else effect * deviation,
        queries_needed=None if size is None else queries_needed(size, asked.power, asked.alpha, asked.side),
        detectable_runs=family.detectable(place, 1),
        detectable_family=family.detectable(place, family.size),
        scope="methods" if these_runs is not None and asked.test == T and not spread.is_single else "runs",
        verdict=verdicts[0] if verdicts else "inconclusive",
        verdicts=verdicts,
    )
    if these_runs is not None:
        said = verdict(found.difference, None, these_runs[1], asked.alpha)
        row["with_these_runs"] = TheseRuns(p=these_runs[0], p_adjusted=these_runs[1], verdict=said)
    return cast("Comparison", {**row, **margins})


def deviations(differences: Array) -> list[float]:
    """Standard deviation of each column; 0 with a single query."""
    return differences.std(axis=0, ddof=1).tolist() if len(differences) > 1 else [0.0] * differences.shape[1]
