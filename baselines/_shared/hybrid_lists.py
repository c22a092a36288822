"""Hybrid training lists of RocketQAv2: with negatives as they were found, and with those that a ranker holds for
relevant taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from harness.stage import Context, Stage
from harness.training_lists.training_list import ListsBuilt, TrainingList, read_lists


@dataclass(frozen=True, eq=False, kw_only=True)
class HybridLists(Stage):
    """Every list as it is; behind it, where that differs and has a negative left, its denoised copy. Scores are left
    out of both."""

    kind: ClassVar[str] = "hybrid-lists"

    lists: Stage
    """Gold documents first, with a ranker's scores."""

    @property
    def label(self) -> str:
        return self.lists.label

    def run(self, out: Path, context: Context) -> None:
        scored = read_lists(context.path(self.lists))
        plain = [replace(one, scores=None) for one in scored]
        both = [
            found
            for one, kept in zip(plain, map(denoised, scored), strict=True)
            for found in ([one, kept] if kept else [one])
        ]
        ListsBuilt(tuple(both), {}).write(out)


def denoised(one: TrainingList) -> TrainingList | None:
    """The list without negatives that score as high as its lowest gold document; None where that changes nothing or
    leaves none."""
    assert one.scores is not None, "the lists must carry a ranker's scores"
    pairs = list(zip(one.documents, one.scores, strict=True))
    lowest = min(score for _, score in pairs[: one.ordered])
    documents = tuple(
        document for place, (document, score) in enumerate(pairs) if place < one.ordered or score < lowest
    )
    return replace(one, documents=documents, scores=None) if one.ordered < len(documents) < len(pairs) else None
