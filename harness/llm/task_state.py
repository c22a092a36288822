"""A task on its way through the questions about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import Task
from harness.labelling.prompting.prompter import RankingProcedure, Request
from harness.labelling.strategies.strategy import ParsedResponse


@dataclass
class TaskState:
    """A task on its way: the requests of its present round, and the replies that are there."""

    task: Task
    session: RankingProcedure
    requests: list[Request] = field(default_factory=list)
    replies: dict[int, ParsedResponse] = field(default_factory=dict)
    ranking: Ranking | None = None

    def advance(self, replies: list[ParsedResponse] | None) -> None:
        """Start the session, or give it the replies of a whole round."""
        try:
            self.requests = next(self.session) if replies is None else self.session.send(replies)
            self.replies = {}
        except StopIteration as end:
            self.ranking = end.value
