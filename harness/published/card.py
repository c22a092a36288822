"""The run card: everything that must be known of a published run besides its results.

It follows ir_metadata (Breuer et al., SIGIR 2022, schema 0.1; https://www.ir-metadata.org): platform, research goal, implementation,
method, actor, data. What ir_metadata has no place for stands beside these.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeFloat,
    NonNegativeInt,
    SerializerFunctionWrapHandler,
    StringConstraints,
    field_validator,
    model_serializer,
)

from harness.method import Category
from harness.published import ir_metadata

Line = Annotated[str, StringConstraints(max_length=300)]
LONGEST_TAG = 160
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=LONGEST_TAG)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,128}$")]
Free = dict[str, JsonValue]
"""A section that may hold anything that is plain data."""
_VERSION_1 = {
    "category": "group",
    "type": "standing",
    "usd_standalone": "usd_alone",
    "usd_incurred": "usd_here",
    "seconds_standalone": "seconds_alone",
    "durations_standalone": "durations_alone",
}
"""Keys of cards, which are written in version 2, and what version 1 called the same; both are read."""


def _either(key: str) -> AliasChoices:
    return AliasChoices(key, _VERSION_1[key])


class CardSection(BaseModel):
    """Base of the parts: unknown keys are errors, numbers are finite, keys on disk may hold spaces as ir_metadata's do."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True)


class TestCollection(CardSection):
    """What the run was evaluated on."""

    __test__ = False

    name: Line
    split: Line
    content_hash: Hash = Field(alias="content hash")
    source: Line = ""


class DataSource(CardSection):
    """Where training queries come from (train, titles, sentences), or any other data."""

    name: Line
    source: Line = ""


class Data(CardSection):
    """ir_metadata's data: the test collection, and where training queries came from."""

    test_collection: TestCollection = Field(alias="test collection")
    training_data: tuple[DataSource, ...] = Field(default=(), alias="training data")


class MethodSection(CardSection):
    """ir_metadata's method: which way to a retriever this is, and with which settings."""

    name: Line
    category: Category = Field(validation_alias=_either("category"))
    sees: tuple[Line, ...]
    settings: Free = {}
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
    teacher_type: Literal["real", "placebo", "simulated", "oracle"] = Field(validation_alias=_either("type"), serialization_alias="type")
    model: Line = ""
    box: Literal["black", "white"] = "black"
    settings: Free = {}


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


class LabelsUsed(CardSection):
    """How many labels the cell rests on."""

    teacher: NonNegativeInt = 0
    """Orders that teachers were asked for, whatever came of them."""
    written: NonNegativeInt = 0
    """Queries that teachers were asked to write."""
    gold: NonNegativeInt = 0
    """Training queries whose gold documents training saw."""

    @property
    def total(self) -> int:
        return self.teacher + self.written + self.gold


class Costs(CardSection):
    """What the cell cost. `usd_standalone` counts every label it uses at its price; `usd_incurred` what this sweep paid for them."""

    calls: NonNegativeInt = 0
    input_tokens: NonNegativeInt = 0
    output_tokens: NonNegativeInt = 0
    usd_standalone: NonNegativeFloat = Field(default=0.0, validation_alias=_either("usd_standalone"))
    usd_incurred: NonNegativeFloat = Field(default=0.0, validation_alias=_either("usd_incurred"))
    train_seconds: NonNegativeFloat = 0.0
    seconds: NonNegativeFloat = 0.0
    """All stages behind the cell, shared ones included, as long as each took when it was made; one whose labels stood in the ledger
    already took next to nothing."""
    seconds_standalone: NonNegativeFloat | None = Field(default=None, validation_alias=_either("seconds_standalone"))
    """The same with labelling that finds nothing in the ledger: what a call took, and as many at once as when it was made. None where
    that is not known, also on older cards; absent on disk then, as all that is not known."""
    labels_used: LabelsUsed | None = None
    """None on older cards."""

    @model_serializer(mode="wrap")
    def _without_unknown(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value is not None}

    @property
    def seconds_best(self) -> float:
        """`seconds_standalone` where it is known, otherwise `seconds`."""
        return self.seconds if self.seconds_standalone is None else self.seconds_standalone


class Verdicts(CardSection):
    """How many labels came out in which form, and why those that are not ok are not."""

    ok: NonNegativeInt = 0
    partial: NonNegativeInt = 0
    repaired: NonNegativeInt = 0
    failed: NonNegativeInt = 0
    reasons: dict[Line, NonNegativeInt] = {}

    @property
    def total(self) -> int:
        return self.ok + self.partial + self.repaired + self.failed


class Energy(CardSection):
    """What the machine used while the stages behind the cell ran, other programs on it included; only where it can be measured."""

    joules: dict[Literal["cpu", "ram", "gpu"], NonNegativeFloat]
    by: Line
    """What measured it, with its version."""
    stages_measured: NonNegativeInt = Field(alias="stages measured")
    stages: NonNegativeInt
    """How many stages there are; where fewer were measured, the cell used more."""


class CardOutcome(CardSection):
    """What `publish` fills in from the run and its per-query values."""

    queries: NonNegativeInt
    missing: NonNegativeInt
    """Queries for which the run has nothing; they count 0."""
    metrics: dict[Line, float]
    files: dict[Line, Hash]
    """sha256 by file name."""


class Card(CardSection):
    """The card of one cell. Axes that make no difference to the method are None."""

    schema_version: Literal["0.1"] = Field(default="0.1", alias="schema-version")
    card_version: Literal[2] = Field(default=2, alias="card-version")
    """What it is written as; a card of version 1 has been read as one of version 2."""
    tag: Tag
    """The run's id: the name of its folder and the last column of its run file."""
    created: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    platform: Annotated[Free, AfterValidator(ir_metadata.conforming(ir_metadata.IrPlatform))] = {}
    research_goal: ResearchGoal = Field(alias="research goal")
    implementation: Annotated[Free, AfterValidator(ir_metadata.conforming(ir_metadata.IrImplementation))] = {}
    method: MethodSection
    actor: Annotated[Free, AfterValidator(ir_metadata.conforming(ir_metadata.IrActor))] = {"role": "experimenter"}
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
    setup: Free = {}
    """Anything else that tells cells apart and matters to this method: candidates, depth, lengths."""

    tuning: TuningSection | None = None
    """What was chosen on another split; None where every setting was given."""

    costs: Costs = Costs()
    labels: Verdicts | None = None
    stages: dict[Line, Hash] = {}
    """Keys of the stages that made the run; at least ``run`` and ``evaluate``."""
    durations: dict[Line, NonNegativeFloat] = {}
    """Seconds by kind of stage, as they add up to `costs.seconds`."""
    durations_standalone: dict[Line, NonNegativeFloat] = Field(default={}, validation_alias=_either("durations_standalone"))
    """For the kinds that label, those of `costs.seconds_standalone`; absent on disk where there are none, or they are not known."""
    energy: Energy | None = None
    """Absent on disk where nothing could be measured."""
    outcome: CardOutcome | None = None

    @model_serializer(mode="wrap")
    def _without_absent(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if value or name not in ("energy", "durations_standalone")}

    @field_validator("card_version", mode="before")
    @classmethod
    def _read_version(cls, value: object) -> object:
        return 2 if value == 1 else value

    @property
    def tells(self) -> frozenset[str]:
        """The costs that are known; cards of older versions know fewer."""
        return frozenset(name for name in Costs.model_fields if getattr(self.costs, name) is not None)

    @property
    def collection(self) -> TestCollection:
        """The collection and split of the run."""
        return self.data.test_collection

    def identity(self) -> dict[str, JsonValue]:
        """What makes the cell this cell, as plain data: when, where and for how much it ran is left out."""
        left_out = {
            "created",
            "platform",
            "implementation",
            "actor",
            "costs",
            "durations",
            "durations_standalone",
            "energy",
            "outcome",
            "labels",
        }
        plain: dict[str, JsonValue] = self.model_dump(mode="json", exclude=left_out)
        return plain
