"""A task on its way through the questions about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.labelling.labels.failure_guard import QueryFailure
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task
from harness.labelling.prompting.prompter import RankingProcedure, Request
from harness.labelling.strategies.strategy import ParsedResponse
from harness.llm.backend import RequestFailed


@dataclass
class TaskState:
    """A task on its way: the requests of its present round, and the replies that are there."""

    task: Task
    session: RankingProcedure
    requests: list[Request] = field(default_factory=list)
    replies: dict[int, ParsedResponse] = field(default_factory=dict)
    ranking: Ranking | None = None
    asked: int = 0
    """Requests of all rounds so far."""
    failures: list[RequestFailed] = field(default_factory=list)
    """Why some of them have no answer."""

    @property
    def failure(self) -> QueryFailure | None:
        """What failed about the query, where something did."""
        if not self.failures:
            return None
        last = self.failures[-1]
        return QueryFailure(self.task.query, len(self.failures) / self.asked, last.message, last.remedy)

    def first(self) -> list[Request]:
        """The first round of questions; none where the task needs none."""
        self.advance(None)
        return self.requests

    def advance(self, replies: list[ParsedResponse] | None) -> None:
        """Start the session, or give it the replies of a whole round."""
        try:
            self.requests = next(self.session) if replies is None else self.session.send(replies)
            self.replies = {}
            self.asked += len(self.requests)
        except StopIteration as end:
            self.ranking = end.value
