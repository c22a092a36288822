"""What a run cost and how its labels came out: the parts of a card that say how often, how much and how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, SerializerFunctionWrapHandler, model_serializer

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

    @model_serializer(mode="wrap")
    def _without_unknown(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value is not None}

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

    ok: NonNegativeInt = 0
    partial: NonNegativeInt = 0
    repaired: NonNegativeInt = 0
    failed: NonNegativeInt = 0
    reasons: dict[Line, NonNegativeInt] = Field(default={})
    order_presented: OrderPresented | None = None
    """None where that is not known, also on older cards; absent on disk then."""

    @model_serializer(mode="wrap")
    def _without_unknown(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value is not None}

    @property
    def counts(self) -> tuple[int, ...]:
        """What tells labels from those that were asked again."""
        return (self.ok, self.partial, self.repaired, self.failed, *(self.reasons[key] for key in sorted(self.reasons)))

    @property
    def total(self) -> int:
        return self.ok + self.partial + self.repaired + self.failed


class Energy(CardSection):
    """What the machine used while the stages behind the cell ran, other programs on it included; only where it can be
    measured."""

    joules: dict[Literal["cpu", "ram", "gpu"], NonNegativeFloat]
    by: Line
    """What measured it, with its version."""
    stages_measured: NonNegativeInt = Field(alias="stages measured")
    stages: NonNegativeInt
    """How many stages there are; where fewer were measured, the cell used more."""
