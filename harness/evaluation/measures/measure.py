"""What a metric is: from the places of judged documents to one value a query."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field

from harness.evaluation.exact_sums import Array
from harness.evaluation.measures._judged_run import JudgedRun
from harness.plugins import Plugin, Settings

CUTOFF = Field(default=None, ge=1, description="looks at the first k documents of a list only; written @k")
REL = Field(default=1, ge=1, description="the lowest grade that counts as relevant")
JUDGED_ONLY = Field(
    default=False, description="condensed list: unjudged documents are taken out before ranks are counted"
)


UNIT = (0.0, 1.0)
"""Bounds of most metrics."""


class Binary(Settings):
    """Parameters of a metric that tells relevant from not relevant."""

    rel: int = REL
    judged_only: bool = JUDGED_ONLY


class BinaryAt(Binary):
    """The same with a cutoff, which may be left out."""

    cutoff: int | None = CUTOFF


class Measure(Plugin):
    """A metric by name. `Settings` holds its parameters, in the order in which they are written."""

    entry_point_group: ClassVar[str] = "harness.metrics"
    needs: ClassVar[tuple[str, ...]] = ("gold labels",)
    aliases: ClassVar[tuple[str, ...]] = ()
    cutoff_needed: ClassVar[bool] = False
    """True where the metric means nothing without a cutoff."""
    always: ClassVar[tuple[str, ...]] = ()
    """Parameters that are written out even at their default, because ir_measures has no default for them."""
    bounds: ClassVar[tuple[float, float] | None] = None
    """The least and the largest value of a query, None where they are not known: results that claim others are
    refused."""

    @abstractmethod
    def __init__(self, settings: Settings) -> None:
        """`settings` are of the class's own `Settings`."""

    @abstractmethod
    def values(self, ranked: JudgedRun) -> Array:
        """Value (n,) for each query; 0 for one without a list or without a relevant document."""
