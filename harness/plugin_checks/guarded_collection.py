"""A collection that raises when a method reaches for what it must not see."""

from __future__ import annotations

from pathlib import Path

from harness.collections.collection import Judgments
from harness.collections.prepared import PreparedCollection
from harness.plugin_checks.check import Broken


class GuardedCollection(PreparedCollection):
    """The same collection; the judgments, answers and metadata of its test split raise Broken ``test-data``, all
    answers ``needs`` where undeclared.

    The texts of the test queries may be read: the pool of training queries is kept apart from them.
    """

    def __init__(self, folder: Path, name: str, answers: bool) -> None:
        super().__init__(folder, name)
        self._may_answer = answers

    def __reduce__(self) -> tuple[object, ...]:
        return GuardedCollection, (self.folder, self.name, self._may_answer)

    def judgments(self, split: str) -> Judgments:
        if split == "test":
            raise Broken("it reads the judgments of the test split", "test-data")
        return super().judgments(split)

    def answers(self, split: str) -> dict[str, tuple[str, ...]]:
        if split == "test":
            raise Broken("it reads the answers of the test split", "test-data")
        if not self._may_answer:
            raise Broken("it reads short answers, which are not among its needs", "needs")
        return super().answers(split)

    def metadata(self, split: str) -> dict[str, dict[str, str]]:
        if split == "test":
            raise Broken("it reads the metadata of the test queries", "test-data")
        return super().metadata(split)
