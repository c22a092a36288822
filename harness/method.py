"""What a method is: a way to get a retriever, or at least a run, from a budget of labelled queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

from harness.collections.sample import QuerySubset
from harness.errors import UserError
from harness.labelling.labels.label_stage import Labels
from harness.labelling.labels.ranking import Ranking
from harness.labelling.labels.teacher import GIVES
from harness.losses.spec import LossChoice, LossSpec
from harness.models import ModelFiles
from harness.plugins import Plugin, Settings
from harness.retrieval.search_stages import DenseSearch, Embed
from harness.retrieval.student_stages import StudentIndex, StudentSearch
from harness.retrieval.student_type import student_type_of
from harness.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from harness.collections.collection import Collection, Texts
    from harness.labelling.labels.teacher import Teacher

Category = Literal["ours", "baseline", "reference", "control", "external"]
Axis = Literal["teacher", "budget", "resample", "seed"]
Edit = Callable[[Ranking], Ranking]
"""What changes a teacher's ranking before it is learnt: a frozen dataclass with ``__call__``, whose fields are part of
the key."""


@dataclass(frozen=True)
class MethodInputs(ABC):
    """Everything the harness prepared for one cell. Methods of one sweep get the same candidates and the same training
    queries.

    Axes that the method does not use are None. What the helpers return are stages: nothing runs before the whole graph
    is known. Where a helper takes `settings`, it reads those fields that it knows by name (epochs, learning_rate,
    batch, lora, stop and, of a ranker, architecture, start, warmup_queries, frozen_layers, max_length); any settings
    model will do, and what it lacks, or all where it is None, has the defaults of `StudentSettings` and
    `RankerSettings` (harness/training/student_settings.py).

    >>> import harness
    >>> cells = harness.Workspace("workspace").plan("configs/smoke.yaml").cells
    >>> inputs = next(cell.inputs for cell in cells if cell.cell.teacher)
    >>> inputs.collection.name, inputs.budget, inputs.seed, inputs.labels().label
    ('semanlink-arxiv', 20, 0, 'shuffled, 20 queries, resample 0')
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
    """The student before training: a sentence-transformers folder, or what its type of student starts from."""
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
            teacher=self.teacher,
            subset=self.subset(),
            candidates=self.candidates,
            corpus=self.collection.corpus,
            depth=self.list_depth,
        )

    def subset(self, size: int | None = None) -> QuerySubset:
        """The cell's labelled queries, or the first `size` of the same resample (never fewer than the budget)."""
        assert self.resample is not None, "the method must list 'resample' among its axes"
        return QuerySubset(self.pool, self.resample, max(self.budget or 0, size or 0))

    def loss(self, choice: LossChoice) -> LossSpec:
        """A loss as sweep files say it, ``NAME`` or ``{name: NAME, **settings}``, as a field of stages."""
        return LossSpec.of(choice)

    def search(self, model: ModelFiles | Stage, queries: Texts | Stage, depth: int) -> Stage:
        """A run: the first `depth` documents for each of `queries` (or of a pool) as the retriever `model` finds them,
        in the way of its type of student."""
        corpus, student = self.collection.corpus, student_type_of(model)
        if student is None:
            embedded = Embed(model=document_model(model), texts=corpus, max_length=self.max_length)
            return DenseSearch(model=model, corpus=embedded, queries=queries, ids=corpus, depth=depth)
        index = StudentIndex(student=student, model=model, texts=corpus, max_length=self.max_length)
        return StudentSearch(index=index, queries=queries, depth=depth)

    def encoder(self, use: str) -> ModelFiles | Stage:
        """`retriever`, for what takes one embedding a text (`use` says in words what that is). Raises UserError where
        its type of student has none."""
        student = student_type_of(self.retriever)
        if student is not None:
            raise UserError(
                f"{use} takes a student with one embedding a text, and one of the type '{student.name}' has none",
                remedy="leave it out, or take a student of the type bi-encoder",
            )
        return self.retriever

    @abstractmethod
    def teacher_lists(self, edit: Edit | None = None) -> Stage:
        """Training lists in the teacher's order, each ranking changed by `edit` first. An edit may drop documents, and
        add none."""

    @abstractmethod
    def gold_lists(self, most_positives: int | None = None) -> Stage:
        """Training lists from gold judgments: at most so many gold documents (half the list where None), then other
        candidates."""

    @abstractmethod
    def untrained_ranker(self, settings: Settings | None = None) -> ModelFiles | Stage:
        """What the ranker is before any label: the model of `start`, warmed up on titles where `warmup_queries` says
        so."""

    @abstractmethod
    def train_ranker(self, lists: Stage, loss: LossChoice, settings: Settings | None = None) -> Stage:
        """A ranker trained on `lists`."""

    @abstractmethod
    def score_with(
        self, ranker: ModelFiles | Stage, subset: QuerySubset | None = None, settings: Settings | None = None
    ) -> Stage:
        """Training lists of the candidates of `subset` (the labelled queries where None) in the order of `ranker`, with
        its scores.

        `settings` say how a ranker reads that no stage trained.
        """

    @abstractmethod
    def score_lists(self, ranker: ModelFiles | Stage, lists: Stage, settings: Settings | None = None) -> Stage:
        """`lists` in the order that they have, with the scores of `ranker`."""

    @abstractmethod
    def train_retriever(self, lists: Stage, loss: LossChoice, settings: Settings | None = None) -> Stage:
        """The retriever trained on `lists`: what a `RetrieverMethod` returns."""


class Method(Plugin):
    """A way to get a run from a budget; made with its settings, asked for the last stage of its part of the graph.

    A class says its `name`, `summary`, `category` and `needs`; `sees`, `axes` and `Settings` follow from them unless it
    says them, too.

    >>> import harness
    >>> class Candidates(harness.Method):
    ...     name, summary, category = "candidates", "the first stage's candidates as they are", "reference"
    ...
    ...     def run(self, inputs: harness.MethodInputs) -> harness.Stage:
    ...         return inputs.candidates
    >>> cell = harness.Workspace("workspace").plan("configs/smoke.yaml").cells[0]
    >>> Candidates(harness.Settings()).run(cell.inputs).kind
    'lexical-search'
    """

    entry_point_group: ClassVar[str] = "harness.methods"
    former_names: ClassVar[Mapping[str, str]] = {**Plugin.former_names, "standing": "category"}
    category: ClassVar[Category]
    """'ours', 'baseline', 'reference' (trains nothing of ours) or 'control' (must not win)."""
    sees: ClassVar[tuple[str, ...]]
    """What it may see, for the board: what it needs, or 'nothing'."""
    axes: ClassVar[frozenset[Axis]]
    """Which axes make a difference to it; cells that differ in others are one cell. All four where a teacher gives what
    it needs, all but the teacher where it needs something else, none where it needs nothing."""
    _derived: ClassVar[frozenset[str]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        derived: dict[str, Any] = {"sees": cls.needs or ("nothing",), "axes": _axes_of(cls.needs)}
        cls._derived = frozenset(name for name in derived if not _declares(cls, name))
        for name in cls._derived:
            setattr(cls, name, derived[name])

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def run(self, inputs: MethodInputs) -> Stage:
        """The stage whose artefact holds ``run.trec.gz`` for the evaluated split."""


def _declares(kind: type, attribute: str) -> bool:
    """Whether the class or a base says it; what was derived for a base followed from that one's needs."""
    return any(attribute in vars(base) and attribute not in vars(base).get("_derived", ()) for base in kind.__mro__)


def _axes_of(needs: tuple[str, ...]) -> frozenset[Axis]:
    if not needs:
        return frozenset()
    own: frozenset[Axis] = frozenset({"budget", "resample", "seed"})
    return own | {"teacher"} if set(needs) & set(GIVES) else own


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
    """A method that ends in a retriever; searching with it is the same for all.

    >>> import harness
    >>> class Untrained(harness.RetrieverMethod):
    ...     name, summary, category = "untrained", "the student before training", "reference"
    ...
    ...     def retriever(self, inputs: harness.MethodInputs) -> harness.Stage:
    ...         return inputs.retriever
    >>> cell = harness.Workspace("workspace").plan("configs/smoke.yaml").cells[0]
    >>> run = Untrained(harness.Settings()).run(cell.inputs)
    >>> run.kind, [stage.kind for stage in run.inputs()]
    ('dense-search', ['static-student', 'embed'])
    """

    @abstractmethod
    def retriever(self, inputs: MethodInputs) -> ModelFiles | Stage:
        """The stage whose artefact is a folder that ``SentenceTransformer(path)`` loads, or one of another type of
        student, which the stage names as its `student_type`."""

    def run(self, inputs: MethodInputs) -> Stage:
        model = self.retriever(inputs)
        if not isinstance(model, (Stage, ModelFiles)):
            raise TypeError(f"retriever() of {type(self).__name__} returned {model!r}, where a stage or a model is due")
        return self.search(inputs, model)

    def search(self, inputs: MethodInputs, model: ModelFiles | Stage) -> Stage:
        """The run of `model` on the evaluated split; the same way for every retriever of the method, so that they can
        be chosen from."""

        return inputs.search(model, inputs.collection.queries(inputs.split), inputs.depth)
