"""What a reader's answers are held against: those without any passage, and those from the passages that the judgments
name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.collections.collection import Judgments, Texts
from harness.method import Axis, Category, Method, MethodInputs
from harness.retrieval.run import FILE, Run
from harness.stage import Context, Stage

NOTHING = "no-document"
"""Stands for an empty list, which a TREC run cannot hold; lengthened where a collection has such a document."""


@dataclass(frozen=True, eq=False)
class NoPassages(Stage):
    """A run that finds nothing: one document a query that the collection does not have."""

    queries: Texts
    corpus: Texts
    kind: ClassVar[str] = "no-passages"

    def run(self, out: Path, context: Context) -> None:
        ids, name = self.corpus.ids, NOTHING
        while name in ids:
            name += "-"
        Run(self.kind, {query: {name: 1.0} for query in self.queries.ids}).write(out / FILE)


@dataclass(frozen=True, eq=False)
class GoldPassages(Stage):
    """A run of the relevant documents, the highest grade first."""

    judgments: Judgments
    depth: int
    kind: ClassVar[str] = "gold-passages"

    def run(self, out: Path, context: Context) -> None:
        gold = gold_run(self.kind, self.judgments)
        cut = {query: {id: found[id] for id in gold.top(query, self.depth)} for query, found in gold.scores.items()}
        Run(self.kind, cut).write(out / FILE)


def gold_run(name: str, judgments: Judgments) -> Run:
    """All relevant documents of every query, the highest grade first, without its own where that is left out."""
    qrels = judgments.qrels
    run = Run(
        name,
        {query: {id: float(grade) for id, grade in grades.items() if grade > 0} for query, grades in qrels.items()},
    )
    return run.without_identical() if judgments.drop_identical else run


class _Reference(Method):
    category: ClassVar[Category] = "reference"
    axes: ClassVar[frozenset[Axis]] = frozenset()


class ClosedBook(_Reference):
    """The reader without retrieval; it has no metrics of documents. Made for sweeps with a reader, not to be listed
    among methods."""

    name = "closed-book"
    summary = "the reader without any passage: what it knows by heart"
    source = "Roberts et al., arXiv 2002.08910"
    sees = ("nothing",)

    def run(self, inputs: MethodInputs) -> Stage:
        return NoPassages(queries=inputs.collection.queries(inputs.split), corpus=inputs.collection.corpus)


class GoldPassage(_Reference):
    """The reader with the judged passages: the most that retrieval can give it."""

    name = "gold-passage"
    summary = "the reader with the passages that the judgments name"
    sees = ("gold labels",)

    def run(self, inputs: MethodInputs) -> Stage:
        return GoldPassages(judgments=inputs.collection.judgments(inputs.split), depth=inputs.depth)
