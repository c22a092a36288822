"""Labels from answers: candidates of training queries scored by a language model that is given the short answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Collection
from harness.collections.crops import HUMAN
from harness.errors import UserError
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.teacher import Task
from harness.stage import digest
from harness.teachers.likelihood.answer_likelihood import AnswerTask


@dataclass(frozen=True)
class Answers:
    """The first short answer of every training query that has one, by query id; `identity` is a content hash."""

    identity: str
    first: Mapping[str, str] = field(compare=False, repr=False)

    @classmethod
    def of(cls, collection: Collection) -> Answers:
        """Those of the human training queries. Raises UserError when there are none."""
        found = collection.answers(HUMAN) if HUMAN in collection.splits else {}
        first = {query: answers[0] for query, answers in found.items() if answers}
        if not first:
            raise UserError(
                f"the training queries of collection '{collection.name}' have no short answers",
                key="collections",
                remedy="take a collection with answers (metadata.answers in queries.jsonl), or leave this method out",
            )
        return cls(digest(first), first)


@dataclass(frozen=True, eq=False, kw_only=True)
class AnswerLabels(Labels):
    """Labels by a teacher that is told the short answer of each query. Queries without one come out as failed; they
    cost nothing."""

    kind: ClassVar[str] = "answer-labels"

    answers: Answers

    def tasks(self, pool: Path, candidates: Path) -> list[Task]:
        return [
            AnswerTask(**vars(task), answer=self.answers.first.get(task.query, ""))
            for task in super().tasks(pool, candidates)
        ]
