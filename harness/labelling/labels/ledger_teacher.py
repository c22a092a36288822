"""A teacher that only has to answer: what is asked once stands in the ledger and is never asked or paid for again."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from harness.errors import UserError
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Cost, Task, Teacher
from harness.ledger.calls import Call, call_key
from harness.ledger.reservations import wait_for_claim
from harness.source_hash import source_hash
from harness.stage import digest

if TYPE_CHECKING:
    from harness.ledger.ledger import Ledger
    from harness.progress import Progress


class LedgerTeacher(Teacher):
    """A teacher of a plug-in: a subclass writes `ask`, and everything around it is done here.

    Every distinct task is one call of the ledger, under a key of who is asked (name, settings and the plug-in's code)
    and of what the task holds. A task that stands there is not asked again, in no budget, resample or later sweep.

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
        """What asking `task` took: tokens and USD, as a provider counts them; nothing by default.

        Where a subclass says it, plans tell that the price is not known beforehand, and no call is made once
        `--max-cost` is spent.
        """
        return Cost()

    def label(self, tasks: Sequence[Task], ledger: Ledger, progress: Progress) -> Iterator[Ranking]:
        for done, task in enumerate(tasks, 1):
            yield _ranking(task, self._response(task, ledger))
            progress(done, len(tasks), "queries")

    def estimate(self, tasks: Sequence[Task], ledger: Ledger) -> Cost:
        keys = {self._key(task) for task in tasks if task.candidates}
        return Cost(calls=len(keys - ledger.held(keys)), priced=self._is_free)

    def guess(self, queries: int, depth: int) -> Cost:
        return Cost(calls=queries, exact=False, priced=self._is_free)

    @property
    def _is_free(self) -> bool:
        return type(self).cost is LedgerTeacher.cost

    def _key(self, task: Task) -> str:
        return call_key(self.identity, _request(task))

    def _response(self, task: Task, ledger: Ledger) -> str:
        """The places of the candidates as the ledger has them, which is asked and paid first where it has none."""
        key = self._key(task)
        if (cached := ledger.get(key)) is not None:
            return cached.response
        # What a call costs is known after it.
        claim = wait_for_claim(ledger, key, 0.0 if self._is_free else None, self.name)
        if claim.response is not None:
            return claim.response.response
        try:
            return self._paid(task, key, ledger)
        except BaseException:
            ledger.release(key, unconfirmed=True)
            raise

    def _paid(self, task: Task, key: str, ledger: Ledger) -> str:
        start = time.monotonic()
        answer = self.ask(task)
        seconds, cost = time.monotonic() - start, self.cost(task, answer)
        response = json.dumps(self._places(task, answer))
        call = Call(
            key,
            self.name,
            json.dumps(_request(task), ensure_ascii=False),
            response,
            input_tokens=cost.input_tokens,
            output_tokens=cost.output_tokens,
            usd=cost.usd,
            seconds=seconds,
        )
        return ledger.put(call, overrun=cost.usd).response

    def _places(self, task: Task, answer: list[str]) -> list[int]:
        places = {candidate.id: place for place, candidate in enumerate(task.candidates)}
        unknown = next((id for id in answer if id not in places), None)
        twice = next((id for id, times in Counter(answer).items() if times > 1), None)
        if unknown is not None or twice is not None:
            fault = f"'{unknown}', which is no candidate" if unknown is not None else f"'{twice}' more than once"
            raise UserError(
                f"the teacher '{self.name}' named {fault} of query '{task.query}'",
                remedy="let `ask` return ids of the task's candidates, each once",
            )
        return [places[id] for id in answer]


def _request(task: Task) -> list[object]:
    """All that the task holds, as plain JSON."""
    candidates = [[candidate.id, candidate.text] for candidate in task.candidates]
    return [task.query, task.text, candidates, *([task.gold] if task.gold is not None else [])]


def _ranking(task: Task, response: str) -> Ranking:
    ids = [candidate.id for candidate in task.candidates]
    ranked = tuple(ids[place] for place in json.loads(response))
    unranked = tuple(id for id in ids if id not in set(ranked))
    if not ranked:
        return Ranking(task.query, (), unranked, "failed", "empty", response)
    return Ranking(
        task.query, ranked, unranked, "partial" if unranked else "ok", "missing" if unranked else "", response
    )
