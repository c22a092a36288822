"""What a teacher is. Black-box: only an order comes back. White-box: also likelihoods."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

from harness.device import Resources
from harness.errors import UserError
from harness.plugins import Plugin, Settings

if TYPE_CHECKING:
    from harness.labelling.labels.ranking import Ranking
    from harness.ledger.call_ledger import CallLedger
    from harness.ledger.calls import Call
    from harness.numerics.numerics_class import Numerics
    from harness.progress import Progress


GIVES = ("order", "likelihoods", "attention", "cross-attention", "text")
"""All that methods may need of a teacher; whatever else they need comes from the collection. `text`: it writes."""


class Candidate(NamedTuple):
    """A document shown to the teacher."""

    id: str
    text: str


@dataclass(frozen=True)
class Task:
    """One query to label: its candidates in first-stage order, best first.

    >>> import harness
    >>> from harness.labelling.labels.teacher import Candidate
    >>> task = harness.Task("q1", "neural ranking", (Candidate("d1", "on cats"), Candidate("d2", "on rankers")))
    >>> [candidate.id for candidate in task.candidates]
    ['d1', 'd2']
    """

    query: str
    text: str
    candidates: tuple[Candidate, ...]
    gold: dict[str, int] | None = None
    """Grades by document id; given only to teachers that declare the need 'gold labels'."""


@dataclass(frozen=True)
class Cost:
    """What is still to be paid for some tasks: what the ledger already holds is subtracted."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    exact: bool = True
    """Whether calls and input tokens are counted; otherwise they are estimated. Output tokens are the most that may
    come."""
    priced: bool = True
    """Whether the price is known; otherwise `usd` says nothing."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
            self.exact and other.exact,
            self.priced and other.priced,
        )


class Teacher(Plugin):
    """Orders candidate lists. Instances are made from settings; heavy models load on first use.

    >>> import harness
    >>> class Shortest(harness.Teacher):
    ...     name, summary, identity = "shortest", "short documents first", "shortest 1"
    ...
    ...     def label(self, tasks, ledger, progress):
    ...         for task in tasks:
    ...             ids = [one.id for one in sorted(task.candidates, key=lambda one: len(one.text))]
    ...             yield harness.Ranking(task.query, tuple(ids))
    >>> from harness.labelling.labels.teacher import Candidate
    >>> task = harness.Task("q1", "neural ranking", (Candidate("d1", "on many cats"), Candidate("d2", "on rankers")))
    >>> [ranking.ranked for ranking in Shortest(harness.Settings()).label([task], None, None)]
    [('d2', 'd1')]
    """

    entry_point_group: ClassVar[str] = "harness.teachers"
    box: ClassVar[str] = "black"
    """'black' or 'white'."""
    gives: ClassVar[tuple[str, ...]] = ("order",)
    """Some of `GIVES`: a sweep offers it to methods that need no more of a teacher than this."""
    teacher_type: ClassVar[str] = "real"
    """'real', 'placebo' (shuffled, first-stage order), 'simulated' or 'oracle' (sees the answers)."""
    is_free: ClassVar[bool] = False
    """Whether it answers at once and without any call: it may then be asked of more queries than the budget has, to
    measure how far a model follows it on lists that it did not learn. No label of these is learnt."""
    former_names: ClassVar[Mapping[str, str]] = {**Plugin.former_names, "standing": "teacher_type"}

    computed_in: Numerics | None = None
    """In which numerics its model computes, where that is one in this process; its identity holds them."""
    _billed_as: Teacher | None = None

    def __init__(self, settings: Settings, base: Path = Path()) -> None:
        """`settings` are checked already; relative paths in them start from `base`, the sweep file's folder."""
        self.settings = settings

    def unready(self) -> UserError | None:
        """What keeps it from being asked now, such as a key that is not set; plans tell it beforehand. None where
        nothing is known."""
        return None

    @property
    def resources(self) -> Resources:
        """What asking it takes of this machine; one that waits for a service takes no core."""
        return Resources()

    @property
    def billed_as(self) -> Teacher:
        """The sweep file's teacher that this one was made from, under whose name its cost is counted; itself where it
        is one."""
        return self._billed_as or self

    def derived_from(self, teacher: Teacher) -> Self:
        """This teacher, billed as `teacher` is."""
        self._billed_as = teacher.billed_as
        return self

    @property
    @abstractmethod
    def identity(self) -> str:
        """Everything that can change an answer (model content, prompt, sampling), and nothing else."""

    @property
    def asks_as(self) -> str:
        """The same for teachers whose calls are the same, whatever they make of the answers; a plan counts these
        once."""
        return self.identity

    def calibrated(self, tasks: Sequence[Task]) -> Teacher:
        """The teacher that is asked in this one's place; called before `label` where the need 'pool' is declared.

        `tasks` are all queries of the pool in its own order, whatever the budget, with grades and candidates but
        without the documents' texts: so a query gets the same ranking in every budget and resample.
        """
        return self

    def provenance(self) -> dict[str, Any]:
        """Who published what it gives again, as plain data for the card of a run; nothing for a teacher that answers
        itself."""
        return {}

    def details(self) -> dict[str, Any]:
        """What people must know of it beside its settings, as plain data for the card of its labels: `weights`, the
        hash of its model or what else tells it from others, and its `prompt`; nothing by default."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What is to stand beside the labels in their summary.json, by key; nothing by default."""
        return {}

    @abstractmethod
    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        """A ranking for every task, in the order of `tasks`; pays only for what the ledger does not hold. Every task
        has candidates.

        The order must not depend on which calls the ledger already holds. Raises UserError when the teacher cannot
        answer at all.
        """

    def calls_of(self, tasks: Sequence[Task], labels: Mapping[str, Ranking]) -> Iterator[Call]:
        """The calls that brought `labels` of `tasks`, by query, for teachers whose labels hold all that a call brought:
        labels that others published then need not be asked for. None by default."""
        return iter(())

    def estimate(self, tasks: Sequence[Task], ledger: CallLedger) -> Cost:
        """What labelling `tasks` would still cost; nothing by default."""
        return Cost()

    def guess(self, queries: int, depth: int) -> Cost:
        """What labelling so many queries would cost at most, before their texts are known; nothing by default."""
        return Cost()
