"""The kinds of values that sweep files use in several places: one or many, counts, budgets, model names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from harness.errors import did_you_mean
from harness.models import BUNDLED
from harness.plugins import Settings
from harness.validation import Fault, checked, failure

T = TypeVar("T")
_COMMAS = re.compile(r"\s*\d+(\s*,\s*\d+)+\s*,?\s*")


def listed(value: Any) -> Any:
    """A single value as the list that holds it."""
    return value if isinstance(value, (list, tuple)) else [value]


def _itself(value: Any) -> Any:
    return value


def distinct(values: Iterable[T], *, mark: Callable[[T], Any] = _itself) -> tuple[T, ...]:
    """`values` without those that were there before; those of equal `mark` are the same."""
    found: dict[str, T] = {}
    for value in values:
        found.setdefault(json.dumps(mark(value), sort_keys=True, default=str), value)
    return tuple(found.values())


def _not_empty(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise failure([Fault((), "must name at least one")])
    return values


Many = Annotated[tuple[T, ...], BeforeValidator(listed), AfterValidator(distinct), AfterValidator(_not_empty)]
"""One value or a list of them; what is named twice counts once."""


class BudgetRange(Settings):
    """Budgets from one number to another in even steps, on a log or a linear scale."""

    start: PositiveInt = Field(alias="from", description="the smallest budget")
    stop: PositiveInt = Field(alias="to", description="the largest budget")
    steps: int = Field(ge=2, le=1000, description="how many budgets, both ends included")
    scale: Literal["log", "linear"] = Field(default="log", description="even ratios (log) or even differences (linear)")

    @model_validator(mode="after")
    def _rising(self) -> BudgetRange:
        if self.stop <= self.start:
            raise failure([Fault(("to",), f"must be larger than 'from' ({self.start})")])
        return self

    def numbers(self) -> list[int]:
        """The budgets, rounded to whole queries."""
        parts = [step / (self.steps - 1) for step in range(self.steps)]
        if self.scale == "log":
            return [round(self.start * (self.stop / self.start) ** part) for part in parts]
        return [round(self.start + (self.stop - self.start) * part) for part in parts]


def _no_commas(value: Any) -> None:
    """Raises ValidationError for ``50,100``, which YAML reads as text."""
    if isinstance(value, str) and _COMMAS.fullmatch(value):
        numbers = ", ".join(part.strip() for part in value.split(","))
        raise failure([Fault((), f"must be a list, not {value!r}", f"write [{numbers}]")])


def _budgets(value: Any) -> Any:
    _no_commas(value)
    return checked(BudgetRange, value).numbers() if isinstance(value, dict) else listed(value)


def _rising(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


Budgets = Annotated[
    tuple[PositiveInt, ...], BeforeValidator(_budgets), AfterValidator(_rising), AfterValidator(_not_empty)
]
"""Numbers of labelled queries, sorted, each once."""


def _counted(value: Any) -> Any:
    """A count as the numbers from 0; counts that are none are left for the list to refuse."""
    _no_commas(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= 10_000:
            raise failure(
                [
                    Fault(
                        (),
                        f"must be a count from 1 to 10000, or a list of numbers, not {value}",
                        f"for number {value} itself write [{value}]",
                    )
                ]
            )
        return range(value)
    return listed(value)


Numbers = Annotated[
    tuple[NonNegativeInt, ...], BeforeValidator(_counted), AfterValidator(distinct), AfterValidator(_not_empty)
]
"""A count n, which means 0 to n - 1, or the list of numbers itself."""


def _model(name: str) -> str:
    short = name.removeprefix("bundled:")
    if short != name and short not in BUNDLED:
        raise failure([Fault((), f"there is no bundled model '{name}'", did_you_mean(short, BUNDLED))])
    return name


ModelName = Annotated[str, Field(min_length=1), AfterValidator(_model)]
"""``bundled:NAME``, a folder relative to the sweep file, or a Hugging Face id."""
