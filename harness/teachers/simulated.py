"""A teacher of chosen quality, made from the human judgments: how good must a teacher be before distilling it pays?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task, Teacher
from harness.plugins import Settings
from harness.stage import canonical, digest
from harness.teachers._calibration import Lists, mix_for
from harness.teachers.judge_confusion import read_confusion
from harness.teachers.simulated_match import Match, agreement_facts, fit_match

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress


class Quality(Settings):
    """The mean quality that the teacher's orders are to have over the pool."""

    metric: Literal["nDCG@10", "tau"] = Field(
        "nDCG@10", description="nDCG@10, or tau: Kendall's tau-b with the judgments"
    )
    value: float = Field(ge=-1, le=1, description="its mean over the pool's queries with a relevant candidate")


class SimulatedSettings(Settings):
    """How good, and which draw of the noise."""

    quality: Quality | None = Field(
        None, description="{metric: nDCG@10 or tau, value: 0.68}; the noise is found that gives it"
    )
    noise: float | None = Field(
        None, ge=0, le=1e6, description="scale of the Gumbel noise on grades, in place of quality; 0 is an oracle"
    )
    match: Match | None = Field(
        None,
        description="{nDCG@10: 0.49, tau: 0.47, first: 0.4}, as `harness labels stats` says of a real teacher: noise "
        "and first_stage_weight are found that give quality and tau with the first stage to within 0.02",
        json_schema_extra={"absent": None},
    )
    judge: str | None = Field(
        None,
        description="a JSON file {grades, matrix} with a real judge's confusion of grades, in place of noise",
        json_schema_extra={"absent": None},
    )
    first_stage_weight: float = Field(
        0.2,
        ge=0,
        description="how much the first candidate is preferred to the last, in grades: teachers lean to what ranks "
        "high",
    )
    seed: int = Field(0, description="another seed makes other mistakes")

    @model_validator(mode="after")
    def _one_of_two(self) -> SimulatedSettings:
        if sum(given is not None for given in (self.quality, self.noise, self.match, self.judge)) != 1:
            raise ValueError(
                "give exactly one of quality, noise, match and judge, as in quality: {metric: nDCG@10, value: 0.68}"
            )
        if self.match is not None and "first_stage_weight" in self.model_fields_set:
            raise ValueError("match finds first_stage_weight itself: leave it out")
        return self


class Simulated(Teacher):
    """Sorts by grade plus a little of the first stage's order plus Gumbel noise: a draw from a Plackett-Luce model.

    The noise of a query and a document is fixed by the seed, whatever its scale; the scale is calibrated on the whole
    pool. So a query has one ranking at all budgets and in all resamples, and a better teacher makes a subset of the
    same mistakes, nearly.
    """

    name = "simulated"
    summary = "simulation: orders by the human judgments with as much noise as gives the wanted quality"
    source = "Plackett, Applied Statistics 1975; Luce 1959"
    teacher_type = "simulated"
    is_free = True
    needs: ClassVar[tuple[str, ...]] = ("gold labels", "pool")
    Settings = SimulatedSettings

    def __init__(self, settings: SimulatedSettings, base: Path = Path()) -> None:
        super().__init__(settings, base)
        self._wanted, self._weight, self._seed = settings.quality, settings.first_stage_weight, settings.seed
        self._match = settings.match
        self._judge = read_confusion(base / settings.judge) if settings.judge is not None else None
        self._mix = None if settings.noise is None else settings.noise / (1 + settings.noise)
        self._mix = 0.0 if self._judge is not None else self._mix
        self._facts: dict[str, Any] = {}

    @property
    def identity(self) -> str:
        # What a judge's file says, not how it is called.
        judge = [canonical(self._judge)] if self._judge is not None else []
        settings = canonical(self.settings)
        return digest([self.name, {key: settings[key] for key in settings if key != "judge"}, *judge])

    def calibrated(self, tasks: Sequence[Task]) -> Simulated:
        """This teacher with the noise that its quality takes. Raises UserError when no noise gives it, with the range
        that is open."""
        counted = [
            task for task in tasks if any((task.gold or {}).get(candidate.id, 0) > 0 for candidate in task.candidates)
        ]
        lists = Lists(counted, self._seed, self._weight)
        fitted = copy(self)
        if self._wanted is not None:
            fitted._mix = _calibrate(lists, self._wanted, len(tasks))
        elif self._match is not None:
            every = Lists(tasks, self._seed, self._weight)
            fitted._weight, fitted._mix = fit_match(lists, every, self._match)
        assert fitted._mix is not None
        facts = _facts(fitted._ordered(counted), fitted._mix)
        agreement = agreement_facts(fitted._ordered(tasks), fitted._mix, self._match, facts["nDCG@10"])
        wanted = {"wanted": canonical(self._wanted if self._match is None else self._match), "pool": len(tasks)}
        fitted._facts = facts | wanted | {"first_stage_weight": round(fitted._weight, 6)} | agreement
        return fitted

    def _ordered(self, tasks: Sequence[Task]) -> Lists:
        """What is sorted: by human grades, or by those that the judge gives."""
        lists = Lists(tasks, self._seed, self._weight)
        if self._judge is None:
            return lists
        return lists.graded(self._judge.drawn(list(tasks), lists.grades.shape[1], self._seed), self._weight)

    def facts(self) -> dict[str, Any]:
        """Once calibrated, ``{"quality": {"nDCG@10", "tau", "noise", "queries", "wanted", "pool", ...}}``: reached over
        `queries` queries; and over the whole pool ``first_stage_tau`` and ``same_first``, with `match` also whether it
        is ``matched``."""
        return {"quality": self._facts} if self._facts else {}

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        if self._mix is None:
            raise ValueError("a simulated teacher with a wanted quality must be calibrated before it is asked")
        for task, order in zip(tasks, self._ordered(tasks).order(self._mix).tolist(), strict=True):
            yield Ranking(task.query, tuple(task.candidates[column].id for column in order[: len(task.candidates)]))


def _calibrate(lists: Lists, wanted: Quality, pool: int) -> float:
    quality = lists.ndcg if wanted.metric == "nDCG@10" else lists.tau
    over = f"over the {len(lists.lengths):,} of {pool:,} queries of the pool that have a relevant candidate"
    low, high = (quality(1.0), quality(0.0)) if len(lists.lengths) else (math.nan, math.nan)
    if math.isnan(high):
        raise UserError(
            f"no {wanted.metric} can be reached {over}",
            key="quality",
            remedy="take more candidates, or more judged queries",
        )
    if not low <= wanted.value <= high:
        # Rounded inwards, so that every value told can be reached.
        told = f"{math.ceil(low * 1000) / 1000:.3f} (noise alone) to {math.floor(high * 1000) / 1000:.3f} (no noise)"
        raise UserError(
            f"a simulated teacher cannot reach {wanted.metric} {wanted.value:g} {over}",
            key="quality.value",
            remedy=f"take {told}",
        )
    return mix_for(quality, wanted.value)


def _facts(lists: Lists, mix: float) -> dict[str, Any]:
    measured = {"nDCG@10": lists.ndcg(mix), "tau": lists.tau(mix)} if len(lists.lengths) else {}
    known = {name: round(value, 6) for name, value in measured.items() if not math.isnan(value)}
    return {
        "nDCG@10": None,
        "tau": None,
        **known,
        "noise": float(f"{mix / (1 - mix):.6g}"),
        "queries": len(lists.lengths),
    }
