"""What a method is: a way to get a retriever, or at least a run, from a budget of labelled queries."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, runtime_checkable

from harness.collections.sample import QuerySubset
from harness.labelling.labels.label_stage import Labels
from harness.plugins import Plugin, Settings
from harness.retrieval.search_stages import DenseSearch, Embed

if TYPE_CHECKING:
    from pathlib import Path

    from harness.collections.collection import Collection
    from harness.labelling.labels.teacher import Teacher
    from harness.models import ModelFiles
    from harness.stage import Stage

Category = Literal["ours", "baseline", "reference", "control"]
Axis = Literal["teacher", "budget", "resample", "seed"]


@dataclass(frozen=True)
class MethodInputs:
    """Everything the harness prepared for one cell. Methods of one sweep get the same candidates and the same training queries.

    Axes that the method does not use are None.
    """

    collection: Collection
    split: str
    depth: int
    """How many documents a run holds per query."""
    pool: Stage
    """All training queries (collections/pool.py)."""
    candidates: Stage
    """A run with the first-stage top k of every query of the pool."""
    list_depth: int
    """k: how many candidates a training list holds."""
    retriever: ModelFiles | Stage
    """The student before training: a sentence-transformers folder."""
    ranker: ModelFiles
    """What rankers start from unless a method says otherwise."""
    max_length: int
    """Tokens of a document that students read."""
    base: Path
    """Folder that relative paths of the sweep file start from."""
    teacher: Teacher | None = None
    budget: int | None = None
    resample: int | None = None
    seed: int | None = None

    def labels(self) -> Stage:
        """The teacher's rankings of the cell's labelled queries."""

        assert self.teacher is not None, "the method must list 'teacher' among its axes"
        return Labels(
            teacher=self.teacher, subset=self.subset(), candidates=self.candidates, corpus=self.collection.corpus, depth=self.list_depth
        )

    def subset(self, size: int | None = None) -> QuerySubset:
        """The cell's labelled queries, or the first `size` of the same resample (never fewer than the budget)."""
        assert self.resample is not None, "the method must list 'resample' among its axes"
        return QuerySubset(self.pool, self.resample, max(self.budget or 0, size or 0))


class Method(Plugin):
    """A way to get a run from a budget; made with its settings, asked for the last stage of its part of the graph."""

    entry_point_group: ClassVar[str] = "harness.methods"
    category: ClassVar[Category]
    sees: ClassVar[tuple[str, ...]]
    """What it may see, for the board: order, likelihoods, attention, gold labels, answers, nothing."""
    axes: ClassVar[frozenset[Axis]] = frozenset({"teacher", "budget", "resample", "seed"})
    """Which axes make a difference to it; cells that differ in others are one cell."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def run(self, inputs: MethodInputs) -> Stage:
        """The stage whose artefact holds ``run.trec.gz`` for the evaluated split."""


@runtime_checkable
class TwoSided(Protocol):
    """A retriever whose queries may go through another model than its documents."""

    @property
    def documents(self) -> ModelFiles | Stage:
        """What embeds the documents."""
        ...


def document_model(model: ModelFiles | Stage) -> ModelFiles | Stage:
    """What embeds the documents for the retriever `model`: itself, unless it says otherwise."""
    return model.documents if isinstance(model, TwoSided) else model


class RetrieverMethod(Method):
    """A method that ends in a retriever; searching with it is the same for all."""

    @abstractmethod
    def retriever(self, inputs: MethodInputs) -> ModelFiles | Stage:
        """The stage whose artefact is a folder that ``SentenceTransformer(path)`` loads."""

    def run(self, inputs: MethodInputs) -> Stage:
        return self.search(inputs, self.retriever(inputs))

    def search(self, inputs: MethodInputs, model: ModelFiles | Stage) -> Stage:
        """The run of `model` on the evaluated split; the same way for every retriever of the method, so that they can be chosen from."""

        corpus = Embed(model=document_model(model), texts=inputs.collection.corpus, max_length=inputs.max_length)
        return DenseSearch(
            model=model,
            corpus=corpus,
            queries=inputs.collection.queries(inputs.split),
            ids=inputs.collection.corpus,
            depth=inputs.depth,
        )
