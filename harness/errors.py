"""Errors that are the user's to mend: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass
class UserError(Exception):
    """Bad usage or bad input; the command line prints it without a traceback and exits with 2.

    `key` is a dotted path inside `file` (``methods.2.retriever_loss``), `line` counts from 1, `remedy` says what would be right.

    >>> import harness
    >>> print(harness.UserError("must be greater than 0", file="sweep.yaml", line=3, key="budgets", remedy="for example 100"))
    sweep.yaml:3: budgets: must be greater than 0
      for example 100
    """

    message: str
    file: str | Path | None = None
    line: int | None = None
    key: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        head = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{head}\n  {self.remedy}" if self.remedy else head


@dataclass
class UserErrors(UserError):
    """Several faults of one input, shown together."""

    errors: tuple[UserError, ...] = ()

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that suggests the nearest of the `known` names, or lists them when none is near."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known) or 'none'}"
