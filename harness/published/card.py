"""The run card: everything that must be known of a published run besides its results.

It follows ir_metadata (Breuer et al., SIGIR 2022, schema 0.1; https://www.ir-metadata.org): platform, research goal,
implementation, method, actor, data. What ir_metadata has no place for stands beside these.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    StringConstraints,
    field_validator,
)

from harness.method import Category
from harness.published import ir_metadata
from harness.published.card_collection import TestCollection
from harness.published.card_costs import AnswerSources, Costs, Energy, Verdicts
from harness.published.card_numerics import NumericsSection
from harness.published.card_plugins import PluginSection
from harness.published.card_section import CardSection, Free, Hash, Line, either

LONGEST_TAG = 160
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=LONGEST_TAG)]


class DataSource(CardSection):
    """Where training queries come from (train, titles, sentences), or any other data."""

    name: Line
    source: Line = ""


class CopiesOnCard(CardSection):
    """What training lists lost because documents of equal text are no negatives of each other."""

    documents: NonNegativeInt
    lists: NonNegativeInt


class Data(CardSection):
    """ir_metadata's data: the test collection, and where training queries came from."""

    absent = frozenset({"copies_left_out"})

    test_collection: TestCollection = Field(alias="test collection")
    training_data: tuple[DataSource, ...] = Field(default=(), alias="training data")
    copies_left_out: dict[Line, CopiesOnCard] = Field(default={}, alias="copies left out")
    """By kind of training; absent on disk where there were none, or nobody counted."""


class MethodSection(CardSection):
    """ir_metadata's method: which way to a retriever this is, and with which settings."""

    name: Line
    category: Category = Field(validation_alias=either("category"))
    sees: tuple[Line, ...]
    settings: Free = Field(default={})
    """Settings of the method as its own model dumps them, losses included."""
    label: Line = ""
    """A name that the sweep file gave this entry, settings left out; empty for the method's own name."""
    automatic: bool = True
    score_ties: Line = Field(default="score descending, then document id descending", alias="score ties")
    retrieval: tuple[Free, ...] = ()


class CardEvaluation(CardSection):
    """What the sweep reports; the first measure leads the board."""

    reported_measures: tuple[Line, ...] = Field(default=(), alias="reported measures")
    baseline: tuple[Line, ...] = ()
    """Names or labels of methods."""


class ResearchGoal(CardSection):
    """ir_metadata's research goal: the sweep and what it asks."""

    sweep: Line
    """File name of the sweep file."""
    question: Annotated[str, StringConstraints(max_length=5000)] = ""
    evaluation: CardEvaluation = CardEvaluation()


class TeacherSection(CardSection):
    """Who labelled."""

    name: Line
    """The sweep file's name for it."""
    kind: Line
    """The plug-in."""
    teacher_type: Literal["real", "placebo", "simulated", "oracle"] = Field(
        validation_alias=either("type"), serialization_alias="type"
    )
    model: Line = ""
    box: Literal["black", "white"] = "black"
    settings: Free = Field(default={})


class TrialOutcome(CardSection):
    """A trial: the values that it set, by dotted name of the setting, and what its retriever scored."""

    settings: Free
    score: float


class TuningSection(CardSection):
    """How settings were chosen: on which split, by which metric, between which trials."""

    split: Line
    metric: Line
    trials: Annotated[tuple[TrialOutcome, ...], Field(min_length=1)]
    chosen: Free
    """What the chosen trial set."""


class CardOutcome(CardSection):
    """What `publish` fills in from the run and its per-query values."""

    queries: NonNegativeInt
    missing: NonNegativeInt
    """Queries for which the run has nothing; they count 0."""
    metrics: dict[Line, float]
    files: dict[Line, Hash]
    """sha256 by file name."""


_CIRCUMSTANCES = {
    "created",
    "platform",
    "implementation",
    "actor",
    "outcome",
    "labels",
    "costs",
    "answers",
    "durations",
    "durations_standalone",
    "energy",
    "numerics",
    "plugins",
    "run_faults",
    "shared_queries",
    "frozen",
}
"""Fields of a card that say when, where and for how much the cell ran."""


class Card(CardSection):
    """The card of one cell. Axes that make no difference to the method are None."""

    absent = frozenset(
        {
            *("answers", "energy", "numerics", "durations_standalone"),
            *("plugins", "run_faults", "shared_queries", "frozen"),
        }
    )

    schema_version: Literal["0.1"] = Field(default="0.1", alias="schema-version")
    card_version: Literal[2] = Field(default=2, alias="card-version")
    """What it is written as; a card of version 1 has been read as one of version 2."""
    tag: Tag
    """The run's id: the name of its folder and the last column of its run file."""
    created: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    platform: Annotated[Free, AfterValidator(ir_metadata.conforming(ir_metadata.IrPlatform))] = Field(default={})
    research_goal: ResearchGoal = Field(alias="research goal")
    implementation: Annotated[Free, AfterValidator(ir_metadata.conforming(ir_metadata.IrImplementation))] = Field(
        default={}
    )
    method: MethodSection
    actor: Annotated[Free, AfterValidator(ir_metadata.conforming(ir_metadata.IrActor))] = Field(
        default={"role": "experimenter"}
    )
    data: Data

    teacher: TeacherSection | None = None
    budget: NonNegativeInt | None = None
    resample: NonNegativeInt | None = None
    seed: NonNegativeInt | None = None
    ranker_loss: Line | None = None
    retriever_loss: Line | None = None
    student: Line | None = None
    """The retriever before training; None for methods without one (BM25)."""
    ranker: Line | None = None
    """What the ranker starts from; None for methods without one."""
    setup: Free = Field(default={})
    """Anything else that tells cells apart and matters to this method: candidates, depth, lengths."""

    tuning: TuningSection | None = None
    """What was chosen on another split; None where every setting was given."""

    costs: Costs = Costs()
    labels: Verdicts | None = None
    answers: AnswerSources | None = None
    """Absent on disk where nothing is known."""
    shared_queries: Annotated[float, Field(ge=0, le=1)] | None = None
    """The part of its training queries that another resample is expected to draw too; absent on disk where it is not
    known, or there are none."""
    frozen: tuple[Hash, ...] = ()
    """Of the claims that were frozen before the run was evaluated; absent on disk where there were none."""
    stages: dict[Line, Hash] = Field(default={})
    """Keys of the stages that made the run; at least ``run`` and ``evaluate``."""
    durations: dict[Line, NonNegativeFloat] = Field(default={})
    """Seconds by kind of stage, as they add up to `costs.seconds`."""
    durations_standalone: dict[Line, NonNegativeFloat] = Field(
        default={}, validation_alias=either("durations_standalone")
    )
    """For the kinds that label, those of `costs.seconds_standalone`; absent on disk where there are none, or they are
    not known."""
    energy: Energy | None = None
    """Absent on disk where nothing could be measured."""
    numerics: NumericsSection | None = None
    """Absent on disk where no model computed, and on cards of earlier versions."""
    plugins: tuple[PluginSection, ...] = ()
    """Absent on disk where all code is of this project."""
    run_faults: tuple[Line, ...] = Field(default=(), alias="run faults")
    """What is odd about the run of a plug-in, one line a kind; absent on disk where nothing is."""
    outcome: CardOutcome | None = None

    @field_validator("card_version", mode="before")
    @classmethod
    def _read_version(cls, value: object) -> object:
        return 2 if value == 1 else value

    @property
    def tells(self) -> frozenset[str]:
        """The costs, the faults of the collection and the like that are known; cards of older versions know fewer."""
        costs = {name for name in Costs.model_fields if getattr(self.costs, name) is not None}
        hashes = ["content hash"] if self.collection.former_content_hash is not None else []
        copies = [f"copies: {kind} {count}" for kind, count in self.data.copies_left_out.items()]
        faults = [f"collection: {warning}" for warning in self.collection.warnings]
        checked = [f"checked: {plugin.kind} {plugin.name}" for plugin in self.plugins if plugin.checked]
        shared = ["shared queries"] if self.shared_queries is not None else []
        frozen = [f"frozen: {mark}" for mark in self.frozen]
        numerics = ["numerics"] if self.numerics is not None else []
        seen = ["seen in training"] if self.collection.seen_in_training is not None else []
        found = self.collection.clusters
        clusters = [f"clusters: {found.by} {found.content}"] if found is not None else []
        told = [*costs, *hashes, *copies, *faults, *checked, *shared, *frozen, *numerics, *seen, *clusters]
        return frozenset(told)

    @property
    def label_counts(self) -> tuple[int, ...]:
        """How the labels came out; the same until failed ones are asked again."""
        return self.labels.counts if self.labels is not None else ()

    @property
    def collection(self) -> TestCollection:
        """The collection and split of the run."""
        return self.data.test_collection

    def identity(self) -> dict[str, JsonValue]:
        """What makes the cell this cell, as plain data: when, where and for how much it ran is left out."""
        told = {"warnings", "former_content_hash", "clusters", "seen_in_training"}
        later: dict[str, Any] = {"test_collection": told, "copies_left_out": True}
        about = self.collection
        former = about.model_copy(update={"content_hash": about.former_content_hash or about.content_hash})
        data = self.data.model_copy(update={"test_collection": former})
        exclude: dict[str, Any] = dict.fromkeys(_CIRCUMSTANCES, True) | {"data": later}
        plain: dict[str, JsonValue] = self.model_copy(update={"data": data}).model_dump(mode="json", exclude=exclude)
        return plain
