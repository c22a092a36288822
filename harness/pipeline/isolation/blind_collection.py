"""A collection as plug-ins see it: without what their runs are judged by."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.collections.collection import Judgments
from harness.collections.prepared import PreparedCollection
from harness.config.sweep_file import SweepFile
from harness.pipeline.outcome.stage_fault import Refused


def hidden_splits(sweep: SweepFile) -> frozenset[str]:
    """Whose judgments no method may see: those that its runs are rated by, and those of the test split unless settings
    are chosen on it."""
    return frozenset({sweep.evaluate.split, *({"test"} - {sweep.tune.split if sweep.tune else ""})})


class BlindCollection(PreparedCollection):
    """The same collection; whoever asks for judgments, answers or metadata of one of the `hidden` splits is refused:
    a query's cluster may be the very passage that answers it."""

    def __init__(self, folder: Path, name: str, drop_identical: bool, hidden: Iterable[str]) -> None:
        super().__init__(folder, name, drop_identical)
        self._hidden = tuple(sorted(hidden))

    def __reduce__(self) -> tuple[object, ...]:
        return BlindCollection, (self.folder, self.name, self.drop_identical, self._hidden)

    def judgments(self, split: str) -> Judgments:
        self._check(split, "judgments")
        return super().judgments(split)

    def answers(self, split: str) -> dict[str, tuple[str, ...]]:
        self._check(split, "answers")
        return super().answers(split)

    def metadata(self, split: str) -> dict[str, dict[str, str]]:
        self._check(split, "metadata")
        return super().metadata(split)

    def _check(self, split: str, what: str) -> None:
        if split in self._hidden:
            raise Refused(f"it reads the {what} of the split '{split}', which no method may see")
