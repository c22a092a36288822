"""What a reader answered, and whether it was given a passage to answer from: metrics of short answers, not of judged
documents."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple, NoReturn

from pydantic import Field

from harness.errors import UserError
from harness.evaluation.measures._em_f1 import exact_match, token_f1
from harness.evaluation.measures._judged_run import JudgedRun
from harness.evaluation.measures.measure import UNIT, Measure
from harness.plugins import Settings


class AnswerCase(NamedTuple):
    """A question that was answered."""

    golds: tuple[str, ...]
    answer: str = ""
    """The reader's short answer; empty where it gave none."""
    hit: int | None = None
    """Rank, from 1, of the first passage that holds a gold answer; None where none does."""


class AnswerMeasure(Measure):
    """A metric of one answered question."""

    needs: ClassVar[tuple[str, ...]] = ("answers",)
    bounds: ClassVar[tuple[float, float]] = UNIT
    reads: ClassVar[bool] = True
    """Whether it needs a reader, beside gold answers."""

    def __init__(self, settings: Settings) -> None:
        """Most have no parameters."""

    @abstractmethod
    def of(self, case: AnswerCase) -> float:
        """The value for one question."""

    def values(self, ranked: JudgedRun) -> NoReturn:
        """Raises UserError: judged documents do not say what was answered."""
        raise UserError(
            f"{self.name} needs short answers, not judged documents",
            remedy="use `harness answer RUN`, or the section evaluate.answers of a sweep file",
        )


class ExactMatch(AnswerMeasure):
    name = "EM"
    summary = "the reader's answer equals a gold answer after normalisation"
    source = "SQuAD v1.1, arXiv 1606.05250"
    aliases = ("ExactMatch",)

    def of(self, case: AnswerCase) -> float:
        return exact_match(case.answer, case.golds)


class TokenF1(AnswerMeasure):
    """Not `F1`, which is that of judged documents."""

    name = "TokenF1"
    summary = "F1 of the words of the reader's answer and the gold answer nearest to it"
    source = "SQuAD v1.1, arXiv 1606.05250"
    aliases = ("AnswerF1",)

    def of(self, case: AnswerCase) -> float:
        return token_f1(case.answer, case.golds)


class HitSettings(Settings):
    """How far down is looked."""

    cutoff: int | None = Field(
        default=None, ge=1, description="looks at the first k documents of a list only; written @k"
    )


class AnswerHit(AnswerMeasure):
    """DPR calls its mean the top-k accuracy."""

    name = "AnswerHit"
    summary = "one of the first k passages holds a gold answer"
    source = "DPR, arXiv 2004.04906"
    cutoff_needed: ClassVar[bool] = True
    reads: ClassVar[bool] = False
    Settings: ClassVar[type[Settings]] = HitSettings

    def __init__(self, settings: HitSettings) -> None:
        assert settings.cutoff is not None
        self.cutoff = settings.cutoff

    def of(self, case: AnswerCase) -> float:
        return float(case.hit is not None and case.hit <= self.cutoff)
