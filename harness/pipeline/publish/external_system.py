"""What people tell of a system that was made elsewhere, and the card that its runs get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from harness.errors import UserError, did_you_mean
from harness.method import Category
from harness.published.card import Card, CardEvaluation, Data, MethodSection, ResearchGoal, TeacherSection
from harness.published.card_collection import TestCollection
from harness.published.card_costs import AnswerSources, Costs
from harness.published.result_folder import slug
from harness.text import plain
from harness.validation import validated

SWEEP = "external"
"""What a card says in place of the sweep file."""
_LONGEST_NAME = 100


@dataclass(frozen=True)
class ExternalSystem:
    """What is told of systems whose runs are added; None and empty are not known."""

    kind: str = "external"
    sees: tuple[str, ...] = ()
    budget: int | None = None
    teacher: str = ""
    usd: float | None = None
    url: str = ""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Category):
            remedy = did_you_mean(self.kind, get_args(Category))
            raise UserError(f"'{self.kind}' is no kind of a row", key="--kind", remedy=remedy)

    def card(self, name: str, mark: str, about: TestCollection, metrics: Sequence[str]) -> Card:
        """The card of its run called `name`. Raises UserErrors where what was told does not fit on one."""
        teacher = TeacherSection(name=self.teacher, kind=SWEEP, teacher_type="real") if self.teacher else None
        unpriced = self.usd is None and teacher is not None
        fields = {
            "tag": f"{slug(name)[:_LONGEST_NAME]}-{mark}",
            "research goal": ResearchGoal(sweep=SWEEP, evaluation=CardEvaluation(reported_measures=tuple(metrics))),
            "implementation": {"source": {"repository": self.url}} if self.url else {},
            "method": MethodSection(name=name, category=self.kind, sees=self.sees or ("not told",)),
            "data": Data(test_collection=about),
            "teacher": teacher,
            "budget": self.budget,
            "costs": Costs(usd_standalone=self.usd or 0.0, usd_incurred=self.usd or 0.0),
            "answers": AnswerSources(priced=False) if unpriced else None,
        }
        return validated(Card, fields, what=f"what is told of '{plain(name)}'")
