"""When failing queries stop the labelling: one that cannot be answered must not stop the others, but where many fail
something else is wrong than the queries."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import Field
from pydantic.config import JsonDict

from harness.errors import UserError
from harness.plugins import Settings
from harness.text import counted

TRANSPORT: JsonDict = {"transport": True}
"""Marks settings that cannot change an answer."""

_FIRST = 20
"""Queries that say something about all: so many failing in a row, the first or later ones, stop the labelling."""
_CHANCE = 3.0
"""Standard deviations by which failures must be above the accepted share before the end is in sight."""


class OnFailure(Settings):
    """What becomes of queries that cannot be answered: the prompt is too long or refused, the provider fails each
    time. Their labels have failed, and the others go on."""

    tolerate: float = Field(
        0.05,
        ge=0,
        le=1,
        description="share of the queries that may fail so; more, or the first 20 all, stop the labelling",
    )


@dataclass(frozen=True)
class QueryFailure:
    """Questions about a query that stay without an answer: their share of all about it, and the last one's message."""

    query: str
    share: float
    message: str
    remedy: str | None = None


class FailureGuard:
    """Counts the queries of one labelling as they are done. `tolerate` is the share of failures that is accepted among
    the `expected` queries; a query counts by the share of its questions that have no answer.

    Of fewer than twenty queries any may fail, unless all do or none is tolerated.
    """

    def __init__(self, tolerate: float, expected: int) -> None:
        self._tolerate, self._expected = tolerate, expected
        self._done = self._failed = self._in_a_row = 0
        self._share = 0.0

    def count(self, failure: QueryFailure | None) -> None:
        """Count a query that was done before, and what failed about it then."""
        self._done += 1
        if failure is not None:
            self._failed, self._share = self._failed + 1, self._share + failure.share

    def settle(self, failure: QueryFailure | None) -> UserError | None:
        """Count a query that was asked now. Returns why no other is to be asked, if so."""
        self.count(failure)
        if failure is None:
            self._in_a_row = 0
            return None
        self._in_a_row = self._in_a_row + 1 if failure.share == 1 else 0
        if self._in_a_row >= min(_FIRST, self._expected):
            return self._hopeless(failure)
        return self._too_many(failure) if self._share > self._accepted else None

    @property
    def _accepted(self) -> float:
        """The most failures that may have been by now."""
        if self._tolerate == 0:
            return 0.0
        if self._expected < _FIRST:
            return math.inf
        most = self._tolerate * self._expected
        if self._done < _FIRST:
            return most
        mean = self._tolerate * self._done
        return min(most, mean + _CHANCE * math.sqrt(mean * (1 - self._tolerate)))

    def _hopeless(self, failure: QueryFailure) -> UserError:
        which = "the query" if self._expected == 1 else f"{counted(self._in_a_row, 'query')} in a row"
        return UserError(
            f"{which} could not be answered, and no other is asked; query '{failure.query}': {failure.message}",
            remedy=failure.remedy,
        )

    def _too_many(self, failure: QueryFailure) -> UserError:
        more = f"{failure.remedy}; " if failure.remedy else ""
        return UserError(
            f"{counted(self._failed, 'query')} of {self._done:,} could not be answered, more than on_failure.tolerate: "
            f"{self._tolerate:g} accepts; the last one, query '{failure.query}': {failure.message}",
            remedy=f"{more}what was answered is kept; a larger on_failure.tolerate of the teacher accepts more",
        )
