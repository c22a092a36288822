"""How soon a list covers the subtopics of a query: metrics of judgments by subtopic, as ndeval computes them."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar, NoReturn

from pydantic import Field

from harness.errors import UserError
from harness.evaluation.measures._judged_run import JudgedRun
from harness.evaluation.measures.measure import CUTOFF, REL, Measure
from harness.plugins import Settings

Covered = Mapping[str, Mapping[str, int]]
"""document id -> subtopic -> grade, of one query"""


class SubtopicMeasure(Measure):
    """A metric of one list over documents that are judged by subtopic."""

    needs: ClassVar[tuple[str, ...]] = ("gold labels by subtopic",)
    bounds: ClassVar[tuple[float, float]] = (0.0, math.inf)

    @abstractmethod
    def of(self, documents: Sequence[str], judged: Covered) -> float:
        """The value for one query; `documents` come best first."""

    def values(self, ranked: JudgedRun) -> NoReturn:
        """Raises UserError: grades alone do not tell subtopics apart."""
        raise UserError(
            f"{self.name} needs judgments by subtopic",
            remedy="use `harness evaluate RUN --qrels FILE` with a file whose lines read: query subtopic document "
            "grade",
        )


class AlphaSettings(Settings):
    """How much less a subtopic is worth that was covered before."""

    alpha: float = Field(default=0.5, ge=0, le=1, description="a subtopic covered n times before gains (1 - alpha)^n")
    rel: int = REL
    cutoff: int | None = CUTOFF


class AlphaNDCG(SubtopicMeasure):
    """alpha-DCG over that of a greedily made ideal list.

    sum over ranks i up to k of g(i) / log2(i + 1), where g(i) is the sum over the subtopics of document i of (1 -
    alpha)^n, n being how many documents before it cover the subtopic. The greedy ideal takes the document that gains
    most next; of equals, as ndeval does, the one with the largest id. The best list is NP-hard to find, so a value can
    pass 1.
    """

    name = "alpha_nDCG"
    summary = "nDCG that rewards subtopics not covered before"
    source = "Clarke et al., SIGIR 2008, doi:10.1145/1390334.1390446; ndeval"
    aliases = ("aNDCG",)
    cutoff_needed: ClassVar[bool] = True
    Settings: ClassVar[type[Settings]] = AlphaSettings

    def __init__(self, settings: AlphaSettings) -> None:
        assert settings.cutoff is not None
        self.alpha, self.rel, self.cutoff = settings.alpha, settings.rel, settings.cutoff

    def of(self, documents: Sequence[str], judged: Covered) -> float:
        covers = {
            document: found
            for document, grades in judged.items()
            if (found := [subtopic for subtopic, grade in grades.items() if grade >= self.rel])
        }
        ideal = self._gained([covers[document] for document in self._ideal(covers)])
        return (
            self._gained([covers.get(document, ()) for document in documents[: self.cutoff]]) / ideal if ideal else 0.0
        )

    def _gained(self, covered: Sequence[Sequence[str]]) -> float:
        seen: Counter[str] = Counter()
        total = 0.0
        for rank, subtopics in enumerate(covered, 1):
            total += self._gain(subtopics, seen) / math.log2(rank + 1)
            seen.update(subtopics)
        return total

    def _gain(self, subtopics: Sequence[str], seen: Counter[str]) -> float:
        return math.fsum((1 - self.alpha) ** seen[subtopic] for subtopic in subtopics)

    def _ideal(self, covers: Mapping[str, Sequence[str]]) -> list[str]:
        left, seen, chosen = set(covers), Counter[str](), list[str]()
        while left and len(chosen) < self.cutoff:
            best = max(left, key=lambda document: (self._gain(covers[document], seen), document))
            left.remove(best)
            seen.update(covers[best])
            chosen.append(best)
        return chosen
