"""What is wrong with a collection, counted, with examples: faults that stop it and warnings that stay with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.errors import UserError, UserErrors
from harness.text import plain

EXAMPLES = 5
"""How many examples of one fault are kept."""
CARVED = "training queries made into a dev split, which the source does not have"
UNJUDGED = "queries without a judgment in any split (left out)"
UNJUDGED_TRAIN = "training queries without a relevant document (left out)"
REMOVED = "(removed from"
WHITE_SPACE = "ids that hold white space"
IDENTICAL = "whose id a document has"
FOUND = "that are documents of the collection too (kept, and found)"
_ARRANGED = (CARVED, UNJUDGED, UNJUDGED_TRAIN, REMOVED)
"""What preparing a collection does by design; nothing of it is wrong with what is left."""


@dataclass(frozen=True)
class ImportFault:
    """One kind of fault: how often it was found, and the first few cases."""

    message: str
    count: int
    examples: tuple[str, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether something is wrong with the data, which every reader of a number must know."""
        return not any(part in self.message for part in (*_ARRANGED, WHITE_SPACE, IDENTICAL))

    def __str__(self) -> str:
        shown = ", ".join(self.examples) + (", ..." if self.count > len(self.examples) else "")
        return f"{self.count:,} {self.message}" + (f": {shown}" if self.examples else "")


@dataclass(frozen=True)
class ImportReport:
    """The warnings of a prepared collection, in the order in which they were met; printable."""

    warnings: tuple[ImportFault, ...] = ()

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.warnings)

    def __iter__(self) -> Iterator[ImportFault]:
        return iter(self.warnings)

    def __len__(self) -> int:
        return len(self.warnings)

    def faults(self, longest: int = 300) -> tuple[str, ...]:
        """What is wrong with the data, one line a kind of at most so many letters."""
        return tuple(plain(str(fault))[:longest] for fault in self.warnings if fault.is_wrong)

    def notices(self) -> tuple[str, ...]:
        """What people must know before they use it, one line a kind: what is wrong, how ids are written in runs, and
        what is left out of them."""
        about = (WHITE_SPACE, IDENTICAL)
        told = (fault for fault in self.warnings if fault.is_wrong or any(part in fault.message for part in about))
        remedy = "; drop_identical: true leaves them out, as BEIR does"
        return tuple(plain(f"{fault}{remedy * (FOUND in fault.message)}") for fault in told)

    def to_json(self) -> list[dict[str, Any]]:
        """The warnings as plain JSON."""
        return [asdict(fault) for fault in self.warnings]

    @classmethod
    def from_json(cls, faults: list[dict[str, Any]]) -> ImportReport:
        """What `to_json` made."""
        return cls(tuple(ImportFault(fault["message"], fault["count"], tuple(fault["examples"])) for fault in faults))


@dataclass
class _Tally:
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(example)

    def fault(self, message: str) -> ImportFault:
        return ImportFault(message, self.count, tuple(self.examples))


class Findings:
    """Collects faults while a collection is read; the memory it needs does not grow with their number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._warnings: dict[str, _Tally] = {}
        self._errors: dict[tuple[str, str], _Tally] = {}

    def warn(self, message: str, example: str) -> None:
        """One more case of something that is reported and borne; `message` reads on from a number."""
        self._warnings.setdefault(message, _Tally()).add(example)

    def error(self, message: str, example: str, remedy: str) -> None:
        """One more case of something that makes the collection unusable."""
        self._errors.setdefault((message, remedy), _Tally()).add(example)

    def report(self) -> ImportReport:
        """The warnings. Raises UserErrors with all errors when there are any."""
        if self._errors:
            head = f"collection '{self.name}'"
            errors = ((str(tally.fault(message)), remedy) for (message, remedy), tally in self._errors.items())
            raise UserErrors(
                f"{head} cannot be used",
                errors=tuple(UserError(f"{head}: {text}", remedy=right) for text, right in errors),
            )
        return ImportReport(tuple(tally.fault(message) for message, tally in self._warnings.items()))
