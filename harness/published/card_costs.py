"""What a run cost and how its labels came out: the parts of a card that say how often, how much and how long."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt

from harness.published.card_section import CardSection, Line, either


class LabelsUsed(CardSection):
    """How many labels the cell rests on."""

    teacher: NonNegativeInt = 0
    """Orders that teachers were asked for, whatever came of them."""
    written: NonNegativeInt = 0
    """Queries that teachers were asked to write."""
    gold: NonNegativeInt = 0
    """Training queries whose gold documents training saw."""

    @property
    def total(self) -> int:
        return self.teacher + self.written + self.gold


class Costs(CardSection):
    """What the cell cost. `usd_standalone` counts every label it uses at its price; `usd_incurred` what this sweep paid
    for them."""

    absent = frozenset({"seconds_standalone", "labels_used"})

    calls: NonNegativeInt = 0
    input_tokens: NonNegativeInt = 0
    output_tokens: NonNegativeInt = 0
    usd_standalone: NonNegativeFloat = Field(default=0.0, validation_alias=either("usd_standalone"))
    usd_incurred: NonNegativeFloat = Field(default=0.0, validation_alias=either("usd_incurred"))
    train_seconds: NonNegativeFloat = 0.0
    seconds: NonNegativeFloat = 0.0
    """All stages behind the cell, shared ones included, as long as each took when it was made; one whose labels stood
    in the ledger already took next to nothing."""
    seconds_standalone: NonNegativeFloat | None = Field(default=None, validation_alias=either("seconds_standalone"))
    """The same with labelling that finds nothing in the ledger: what a call took, and as many at once as when it was
    made. None where that is not known, also on older cards; absent on disk then, as all that is not known."""
    labels_used: LabelsUsed | None = None
    """None on older cards."""

    @property
    def seconds_best(self) -> float:
        """`seconds_standalone` where it is known, otherwise `seconds`."""
        return self.seconds if self.seconds_standalone is None else self.seconds_standalone


class OrderPresented(CardSection):
    """How far the teacher's orders follow the one in which it was shown the candidates."""

    queries: NonNegativeInt
    """Over which the mean is: those of `reordered`, or all where there are none."""
    reordered: NonNegativeInt
    """Queries that were shown in another order than the first stage's: only there it is not merit."""
    tau: float = Field(ge=-1, le=1)
    """Mean Kendall's tau of both orders."""
    deviation: NonNegativeFloat
    """Standard deviation of that mean, did the order not matter."""


def pooled(parts: Sequence[OrderPresented]) -> OrderPresented | None:
    """Several sets of labels as one, those that were shown in another order where there are any; None for none."""
    parts = [one for one in parts if one.reordered] or [one for one in parts if one.queries]
    if not parts:
        return None
    queries = sum(one.queries for one in parts)
    return OrderPresented(
        queries=queries,
        reordered=sum(one.reordered for one in parts),
        tau=sum(one.tau * one.queries for one in parts) / queries,
        deviation=math.hypot(*(one.deviation * one.queries for one in parts)) / queries,
    )


class Verdicts(CardSection):
    """How many labels came out in which form, and why those that are not ok are not."""

    absent = frozenset({"prompts", "parameters", "order_presented"})

    ok: NonNegativeInt = 0
    partial: NonNegativeInt = 0
    repaired: NonNegativeInt = 0
    failed: NonNegativeInt = 0
    reasons: dict[Line, NonNegativeInt] = Field(default={})
    prompts: dict[Line, NonNegativeInt] = Field(default={})
    """How many queries and passages there were, and were cut; how many calls told the tokens of their prompt, and of
    how many prompts the server had read far less than it was given. Absent on disk where nothing is known of it."""
    parameters: dict[Line, Line] = Field(default={})
    """What became of parameters that the teacher's server does not take; absent on disk where it took all."""

    order_presented: OrderPresented | None = None
    """None where that is not known, also on older cards; absent on disk then."""

    @classmethod
    def of(cls, summaries: Sequence[Mapping[str, Any]]) -> Self:
        """The sum over what label stages say of their labels; those from before prompts were counted say less."""
        verdicts, reasons, prompts = Counter[str](), Counter[str](), Counter[str]()
        parameters: dict[str, str] = {}
        for summary in summaries:
            verdicts.update(summary["verdicts"])
            reasons.update(summary["reasons"])
            prompts.update(summary.get("prompts", {}))
            parameters |= summary.get("parameters", {})
        orders = [OrderPresented(**summary["order_presented"]) for summary in summaries if "order_presented" in summary]
        return cls(
            **verdicts,
            reasons=dict(reasons),
            prompts=dict(prompts),
            parameters=parameters,
            order_presented=pooled(orders),
        )

    @property
    def counts(self) -> tuple[int, ...]:
        """What tells labels from those that were asked again."""
        return (self.ok, self.partial, self.repaired, self.failed, *(self.reasons[key] for key in sorted(self.reasons)))

    @property
    def total(self) -> int:
        return self.ok + self.partial + self.repaired + self.failed


class AnswerSources(CardSection):
    """Who answered for the labels, as the servers say, and what is not known of the answers' price."""

    served: dict[Line, NonNegativeInt] = Field(default={})
    """Answers by the name that the server gives to the model. Several: it moved behind the name that was asked for."""
    fingerprints: dict[Line, NonNegativeInt] = Field(default={})
    """Answers by `system_fingerprint`."""
    estimated: NonNegativeInt = 0
    """Answers whose tokens the server did not count."""
    priced: bool = True
    """False where the price is not known: USD are missing then, not 0."""


class Energy(CardSection):
    """What the machine used while the stages behind the cell ran, other programs on it included; only where it can be
    measured."""

    joules: dict[Literal["cpu", "ram", "gpu"], NonNegativeFloat]
    by: Line
    """What measured it, with its version."""
    stages_measured: NonNegativeInt = Field(alias="stages measured")
    stages: NonNegativeInt
    """How many stages there are; where fewer were measured, the cell used more."""
