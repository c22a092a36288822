"""A teacher that only has to answer: what is asked once stands in the ledger and is never asked or paid for again."""

from __future__ import annotations

import json
import math
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, create_model

from harness.errors import UserError
from harness.labelling.labels.failure_guard import TRANSPORT, FailureGuard, OnFailure, QueryFailure
from harness.labelling.labels.plugin_error import error_words
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.ledger.calls import Call, Usage, call_key
from harness.ledger.given_up import GivenUp
from harness.ledger.reservations import wait_for_claim
from harness.masking import masked
from harness.source_hash import source_hash
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.call_ledger import CallLedger
    from harness.progress import Progress


class LedgerTeacher(Teacher):
    """A teacher of a plug-in: a subclass writes `ask`, and everything around it is done here.

    Every distinct task is one call of the ledger, under a key of who is asked (name, settings and the plug-in's code)
    and of what the task holds. A task that stands there is not asked again, in no budget, resample or later sweep.
    What `ask` raises is the end of that query alone: its label has failed, with the exception, file and line, and too
    many of these stop the labelling (`on_failure: {tolerate: 0.05}`, which every such teacher takes). A `UserError`
    says that the teacher cannot be asked at all, and stops at once.

    >>> import harness, tempfile, pathlib
    >>> from harness.labelling.labels.teacher import Candidate
    >>> from harness.ledger.ledger import Ledger
    >>> from harness.progress import silent
    >>> class Shortest(harness.LedgerTeacher):
    ...     name, summary = "shortest", "short documents first"
    ...
    ...     def ask(self, task):
    ...         return [one.id for one in sorted(task.candidates, key=lambda one: len(one.text))]
    >>> task = harness.Task("q1", "neural ranking", (Candidate("d1", "on many cats"), Candidate("d2", "on rankers")))
    >>> ledger = Ledger(pathlib.Path(tempfile.mkdtemp()) / "ledger.sqlite")
    >>> [ranking.ranked for ranking in Shortest(harness.Settings()).label([task, task], ledger, silent)]
    [('d2', 'd1'), ('d2', 'd1')]
    >>> ledger.paid.calls
    1
    """

    version: ClassVar[int] = 0
    """0: with every edit of the plug-in all is asked anew. Another number stands for the code, so that answers which
    cost money last until you raise it, since what is asked has changed."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "on_failure" not in cls.Settings.model_fields:
            field = Field(
                OnFailure(),
                description="how many queries may stay without an answer",
                json_schema_extra=TRANSPORT,
            )
            cls.Settings = create_model(
                cls.Settings.__name__,
                __base__=cls.Settings,
                __doc__=cls.Settings.__doc__,
                __module__=cls.__module__,
                on_failure=(OnFailure, field),
            )

    @property
    def identity(self) -> str:
        return digest([self.name, self.version or source_hash(type(self)), self.settings])

    @abstractmethod
    def ask(self, task: Task) -> list[str]:
        """Ids of candidates, best first. What it leaves out is the unordered tail: the verdict is ``partial``, of none
        at all ``failed``.

        Must depend on the task and the settings only.
        """

    def cost(self, task: Task, answer: list[str]) -> Cost:
        """What asking `task` took: tokens and USD, as a provider counts them; nothing by default."""
        return Cost()

    def most_usd(self, task: Task) -> float | None:
        """The most USD that asking `task` may cost, which is reserved before it is asked; None where nobody knows.

        A subclass that says what an answer took (`cost`) says this too, or it is not asked under a cost limit: what is
        known only after a call cannot be kept below one.
        """
        return 0.0 if type(self).cost is LedgerTeacher.cost else None

    def label(self, tasks: Sequence[Task], ledger: CallLedger, progress: Progress) -> Iterator[Ranking]:
        guard = FailureGuard(getattr(self.settings, "on_failure", OnFailure()).tolerate, len(tasks))
        given_up: list[str] = []
        for done, task in enumerate(tasks, 1):
            answer, is_new = self._answer(task, ledger)
            failure = None if isinstance(answer, str) else QueryFailure(task.query, 1.0, answer.response)
            if not is_new:
                guard.count(failure)
            else:
                given_up += [] if isinstance(answer, str) else [answer.key]
                if (stop := guard.settle(failure)) is not None:
                    ledger.withdraw_given_up(given_up)
                    raise stop
            yield _ranking(task, answer)
            progress(done, len(tasks), "queries")

    def estimate(self, tasks: Sequence[Task], ledger: CallLedger) -> Cost:
        by_key = {self._key(task): task for task in tasks if task.candidates}
        lacking = by_key.keys() - ledger.given_up(by_key)
        most = [self.most_usd(by_key[key]) for key in lacking - ledger.held(lacking)]
        known = [usd for usd in most if usd is not None]
        return Cost(calls=len(most), usd=math.fsum(known), priced=self._is_free or len(known) == len(most) > 0)

    def guess(self, queries: int, depth: int) -> Cost:
        return Cost(calls=queries, exact=False, priced=self._is_free)

    @property
    def _is_free(self) -> bool:
        kind = type(self)
        return kind.cost is LedgerTeacher.cost and kind.most_usd is LedgerTeacher.most_usd

    def _key(self, task: Task) -> str:
        return call_key(self.identity, _request(task))

    def _answer(self, task: Task, ledger: CallLedger) -> tuple[str | GivenUp, bool]:
        """The places of the candidates as the ledger has them, or why there are none, and whether that was asked
        now."""
        key = self._key(task)
        if (found := ledger.given_up([key]).get(key)) is not None:
            return found, False
        if (cached := ledger.get(key)) is not None:
            return cached.response, False
        most = self.most_usd(task)
        if most is None and ledger.left() < math.inf:
            raise UserError(
                f"the teacher '{self.name}' says what a call costs only after it, so the cost limit cannot be kept",
                remedy="write most_usd(task) in its class, the most USD that asking may cost, or leave the limit out",
            )
        claim = wait_for_claim(ledger, key, most or 0.0, self.name)
        if claim.given_up is not None:
            return claim.given_up, False
        if claim.response is not None:
            return claim.response.response, False
        try:
            return self._paid(task, key, most, ledger), True
        except BaseException as error:
            # What it says in words of the harness (no key, no such model) is about all queries.
            if not isinstance(error, Exception) or isinstance(error, UserError):
                ledger.release(key, unconfirmed=True)
                raise
            gives_up = GivenUp(key, "no answer", error_words(type(self), error))
            ledger.release(key, unconfirmed=True, gives_up=gives_up)
            return gives_up, True

    def _paid(self, task: Task, key: str, most: float | None, ledger: CallLedger) -> str | GivenUp:
        start = time.monotonic()
        answer = self.ask(task)
        seconds, cost, fault = time.monotonic() - start, self.cost(task, answer), self._fault(task, answer)
        places = {candidate.id: place for place, candidate in enumerate(task.candidates)}
        call = Call(
            key,
            self.name,
            json.dumps(_request(task), ensure_ascii=False),
            json.dumps([places[id] for id in answer]) if fault is None else masked(json.dumps(answer, default=str)),
            input_tokens=cost.input_tokens,
            output_tokens=cost.output_tokens,
            usd=cost.usd,
            seconds=seconds,
        )
        overrun = 0.0 if most is None else max(0.0, cost.usd - most)
        if fault is None:
            return ledger.put(call, overrun).response
        gives_up = GivenUp(key, "no answer", masked(fault), Usage.of([call]))
        ledger.put_miss(call, "no answer", overrun, gives_up=gives_up)
        return gives_up

    def _fault(self, task: Task, answer: list[str]) -> str | None:
        """Why an answer is no order of candidates, where it is none."""
        known = {candidate.id for candidate in task.candidates}
        unknown = next((id for id in answer if id not in known), None)
        twice = next((id for id, times in Counter(answer).items() if times > 1), None)
        if unknown is None and twice is None:
            return None
        named = f"'{unknown}', which is no candidate" if unknown is not None else f"'{twice}' more than once"
        return (
            f"the teacher '{self.name}' named {named} of query '{task.query}'; `ask` returns ids of the task's "
            "candidates, each once"
        )


def _request(task: Task) -> list[object]:
    """All that the task holds, as plain JSON."""
    candidates = [[candidate.id, candidate.text] for candidate in task.candidates]
    return [task.query, task.text, candidates, *([task.gold] if task.gold is not None else [])]


def _ranking(task: Task, answer: str | GivenUp) -> Ranking:
    ids = [candidate.id for candidate in task.candidates]
    if isinstance(answer, GivenUp):
        return Ranking(task.query, (), tuple(ids), "failed", answer.kind, answer.response)
    ranked = tuple(ids[place] for place in json.loads(answer))
    unranked = tuple(id for id in ids if id not in set(ranked))
    if not ranked:
        return Ranking(task.query, (), unranked, "failed", "empty", answer)
    return Ranking(task.query, ranked, unranked, "partial" if unranked else "ok", "missing" if unranked else "", answer)
