"""The sections of a sweep file that are mappings of their own: students, candidates, losses, evaluation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PlainValidator,
    PositiveInt,
    Tag,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from harness.config.choices import StudentChoice, loss_choice, metric_name, student_choice
from harness.config.qa_section import QASettings
from harness.config.registries import Scope
from harness.config.value_types import Many, ModelName
from harness.errors import did_you_mean
from harness.evaluation.metrics.answer_metrics import DEFAULT, needs_answers, needs_reader
from harness.evaluation.metrics.subtopics import needs_subtopics
from harness.losses.spec import LossChoice
from harness.plugins import Settings
from harness.validation import ErrorCollector, Fault, checked, failure

DENSE = "dense:"


def scope_of(info: ValidationInfo) -> Scope:
    """What the loader gave along."""
    assert isinstance(info.context, Scope), "sweep files are validated by load_sweep"
    return info.context


class StaticStudentChoice(Settings):
    """A student that looks token vectors up and averages them; made from an encoder, trains in seconds on a CPU."""

    static: ModelName = Field(description="the encoder it is distilled from")


def _typed_student(value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    if isinstance(value, dict) and "type" in value:
        return student_choice(value, scope_of(info).registries)
    return handler(value)


if TYPE_CHECKING:
    RetrieverStart = str | StaticStudentChoice | StudentChoice
else:
    RetrieverStart = Annotated[ModelName | StaticStudentChoice, WrapValidator(_typed_student)]
"""A model, or a mapping that says what is made of one."""


class Students(Settings):
    """What is trained."""

    retriever: RetrieverStart = Field(
        default=StaticStudentChoice(static="bundled:minilm-l6"),
        description="bundled:NAME, a folder, a Hugging Face id, {static: ENCODER} for a static-embedding student, or "
        "{type: TYPE, model: MODEL} for one of another type",
    )
    ranker: ModelName = Field(default="bundled:minilm-l6", description="what rankers start from")


def _engine(name: str, info: ValidationInfo) -> str:
    if name.startswith(DENSE):
        return DENSE + checked(_Encoder, {"model": name.removeprefix(DENSE)}).model
    known = scope_of(info).registries.engines
    if name not in known:
        raise failure(
            [Fault((), f"unknown engine '{name}'", did_you_mean(name, known, "For dense search write dense:MODEL"))]
        )
    return name


class _Encoder(Settings):
    model: ModelName


def _engine_settings(value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    """Keys that are no field of `candidates`, as every lexical engine among the engines takes them."""
    if not value:
        return value
    known = scope_of(info).registries.engines
    models = [known[name].Settings for name in info.data.get("engines", known) if name in known]
    keys = {key for model in models for key in model.model_fields}
    collector = ErrorCollector()
    collector.faults += [
        Fault((key,), f"unknown key '{key}'", did_you_mean(key, keys | OWN)) for key in value if key not in keys
    ]
    for model in models if "engines" in info.data else ():
        collector.attempt((), partial(checked, model, {key: item for key, item in value.items() if key in keys}))
    collector.finish()
    return value


class QueryMixture(Settings):
    """One proportion of the sources of training queries at every budget."""

    mix: dict[Literal["train", "titles", "sentences"], Annotated[float, Field(gt=0, le=1)]] = Field(
        description="share of every source; the shares sum to 1"
    )

    @model_validator(mode="after")
    def _whole(self) -> QueryMixture:
        if abs((total := sum(self.mix.values())) - 1) > 1e-9:
            raise failure(
                [Fault(("mix",), f"the shares sum to {total:g}, not to 1", "such as {train: 0.12, sentences: 0.88}")]
            )
        return self


def _form(value: Any) -> str:
    return "mixture" if isinstance(value, (dict, QueryMixture)) else "sources"


QuerySources = Annotated[
    Annotated[Many[Literal["train", "titles", "sentences"]], Tag("sources")] | Annotated[QueryMixture, Tag("mixture")],
    Discriminator(_form),
]


OWN = frozenset({"engine", "depth", "training_queries", "pool"})
"""What `candidates` says itself; everything else goes to the engine."""


class Candidates(Settings):
    """The first stage: which documents the teacher orders, and for which training queries.

    Every other key is a setting of the lexical engine (for bm25s: k1, b).
    """

    engines: Many[Annotated[str, AfterValidator(_engine)]] = Field(
        default=("bm25s",),
        alias="engine",
        description="bm25s, lucene or dense:MODEL; several take turns in filling the list",
    )
    depth: PositiveInt = Field(default=10, description="how many candidates a query gets")
    training_queries: QuerySources = Field(
        default=("train",),
        description="where training queries come from; several are drawn from in this order, or in one proportion at "
        "every budget with {mix: {train: 0.12, sentences: 0.88}}",
    )
    pool: PositiveInt = Field(default=10_000, description="most training queries that are prepared")
    engine_settings: Annotated[dict[str, Any], AfterValidator(_engine_settings)] = Field(
        default={}, description="settings of the lexical engine; in the file they are keys of `candidates` itself"
    )

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of training queries in their order."""
        given = self.training_queries
        return tuple(given.mix) if isinstance(given, QueryMixture) else given

    @property
    def shares(self) -> tuple[tuple[str, float], ...] | None:
        """The mixture of sources; None where they are drawn from one after another."""
        given = self.training_queries
        return tuple(given.mix.items()) if isinstance(given, QueryMixture) else None

    @model_validator(mode="before")
    @classmethod
    def _gather_settings(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        settings = {key: item for key, item in value.items() if key not in OWN}
        return {key: item for key, item in value.items() if key in OWN} | {"engine_settings": settings}


def _ranker_loss(value: Any, info: ValidationInfo) -> LossChoice:
    return loss_choice(value, "ranker", scope_of(info).registries)


def _retriever_loss(value: Any, info: ValidationInfo) -> LossChoice:
    return loss_choice(value, "retriever", scope_of(info).registries)


class Losses(Settings):
    """Losses for every method that has one of the kind and names none itself."""

    ranker: Many[Annotated[LossChoice, PlainValidator(_ranker_loss)]] = Field(
        default=(), description="for settings called ranker_loss"
    )
    retriever: Many[Annotated[LossChoice, PlainValidator(_retriever_loss)]] = Field(
        default=(), description="for settings called retriever_loss"
    )


def _metric(value: str, info: ValidationInfo) -> str:
    return metric_name(value, scope_of(info).registries)


MetricName = Annotated[str, AfterValidator(_metric)]
"""A metric in its own spelling."""


def _baseline(value: str | None, info: ValidationInfo) -> str | None:
    known = scope_of(info).methods
    if value is not None and value not in known:
        raise failure([Fault((), f"'{value}' is not among the methods of this sweep", did_you_mean(value, known))])
    return value


class EvaluationSettings(Settings):
    """What the retrievers are judged on."""

    split: str = Field(default="test", description="split whose queries and judgments count")
    depth: PositiveInt = Field(default=100, description="how many documents a run holds per query")
    metrics: Many[MetricName] = Field(
        default=("nDCG@10", "R@100", "RR@10"),
        description="metrics as ir_measures names them; the first leads the board",
    )
    baseline: Annotated[str | None, AfterValidator(_baseline)] = Field(
        default=None,
        description="method (name or label) that the others are compared with; zero-shot where the sweep has it",
    )
    cluster: Annotated[str, Field(min_length=1)] | None = Field(
        default=None,
        description="queries that are not independent: passage (they share a relevant document), or a field of "
        "metadata in queries.jsonl; by default `cluster`, where queries have it. No part of any key",
    )
    answers: QASettings | None = Field(
        default=None, description="a reader answers the queries from what each run found"
    )
    trace: bool = Field(
        default=True,
        description="measure where knowledge is lost between teacher, ranker and retriever (harness trace)",
    )
    labels: bool = Field(
        default=True,
        description="publish beside each run the labels that taught it; no part of any key",
    )

    @property
    def ranking(self) -> tuple[str, ...]:
        """Those of `metrics` that judged documents are enough for."""

        return tuple(name for name in self.metrics if not needs_answers(name))

    @property
    def reported(self) -> tuple[str, ...]:
        """All metrics in their order; with `answers`, the usual ones of short answers follow unless `metrics` names
        some."""

        if self.answers is None or len(self.ranking) < len(self.metrics):
            return self.metrics
        return (*self.metrics, *(name for name in DEFAULT if self.answers.reader is not None or not needs_reader(name)))

    @model_validator(mode="after")
    def _answerable(self) -> EvaluationSettings:
        if unknown := next(filter(needs_subtopics, self.metrics), None):
            remedy = "score a published run with `harness evaluate RUN --qrels FILE`"
            raise failure(
                [Fault(("metrics",), f"'{unknown}' needs judgments by subtopic, which no collection has", remedy)]
            )
        reads = self.answers is not None and self.answers.reader is not None
        lacking = [
            name
            for name in self.metrics
            if needs_answers(name) and (self.answers is None or (needs_reader(name) and not reads))
        ]
        if lacking:
            raise failure(
                [
                    Fault(
                        ("metrics",),
                        f"'{lacking[0]}' needs a reader's answers",
                        "add `answers: {reader: NAME}` beside `metrics`",
                    )
                ]
            )
        return self
