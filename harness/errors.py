"""Errors that are the user's to mend: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass
class UserError(Exception):
    """Bad usage or bad input; the command line prints it without a traceback and exits with 2.

    `key` is a dotted path inside `file` (``methods.2.retriever_loss``), `line` counts from 1, `remedy` says what would
    be right. `what` names the thing that is wrong (``the loss 'kl'``) where it comes from no file.

    >>> import harness
    >>> where = {"file": "sweep.yaml", "line": 3, "key": "budgets"}
    >>> print(harness.UserError("must be greater than 0", **where, remedy="for example 100"))
    sweep.yaml:3: budgets: must be greater than 0
      for example 100
    """

    message: str
    file: str | Path | None = None
    line: int | None = None
    key: str | None = None
    remedy: str | None = None
    what: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        head = ": ".join(part for part in (place or self.what, self.key, self.message) if part)
        return f"{head}\n  {self.remedy}" if self.remedy else head

    @property
    def summary(self) -> str:
        """One line for places that know the file: the thing, the key, what is wrong."""
        return ": ".join(part for part in (self.what, self.key, self.message) if part)

    @property
    def parts(self) -> tuple[UserError, ...]:
        """The single faults: itself, or those it stands for."""
        return (self,)


@dataclass
class UserErrors(UserError):
    """Several faults of one input, shown together."""

    errors: tuple[UserError, ...] = ()

    @classmethod
    def of(cls, errors: Sequence[UserError]) -> UserErrors:
        """At least one fault. Where it is the only one, all its fields are told; of several the message is one line
        about all."""
        if len(errors) == 1:
            one = errors[0]
            return cls(one.message, one.file, one.line, one.key, one.remedy, one.what, (one,))
        message = "; ".join(": ".join(part for part in (one.key, one.message) if part) for one in errors)
        return cls(message, file=errors[0].file, what=errors[0].what, errors=tuple(errors))

    @property
    def parts(self) -> tuple[UserError, ...]:
        return tuple(part for error in self.errors for part in error.parts)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def did_you_mean(name: str, known: Iterable[str], further: str = "") -> str:
    """A sentence that suggests the nearest of the `known` names, or lists them when none is near; `further` is one that
    follows it."""
    known = sorted(known)
    sentence = nearest(name, known) or f"known: {', '.join(known) or 'none'}"
    return f"{sentence.removesuffix('?')}{'?' if sentence.endswith('?') else '.'} {further}" if further else sentence


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A sentence that suggests the nearest of the `known` names; None when none is near."""
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None
