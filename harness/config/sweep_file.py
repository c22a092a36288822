"""The model of a sweep file: what it may say, and what comes of it once it has been checked."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    PlainValidator,
    PositiveFloat,
    PositiveInt,
    PrivateAttr,
    ValidationInfo,
    field_validator,
)

from harness.config.choices import CollectionChoice, Shared, TeacherChoice, collection_choice, teacher_choice
from harness.config.claims.claims_section import ClaimsChoice
from harness.config.method_entries import MethodChoice, method_choices
from harness.config.parts import Candidates, EvaluationSettings, Losses, Students, scope_of
from harness.config.registries import SweepSource
from harness.config.tuning import Tuning, tuning
from harness.config.value_types import Budgets, Many, Numbers
from harness.numerics.numerics_class import NumericsChoice
from harness.plugins import Settings
from harness.validation import ErrorCollector, Fault, failure, value_text


def _collection(value: Any, info: ValidationInfo) -> CollectionChoice:
    return collection_choice(value, scope_of(info))


def _teachers(value: Any, info: ValidationInfo) -> dict[str, TeacherChoice]:
    if not isinstance(value, dict):
        raise failure([Fault((), f"must be a mapping of names to teachers, not {value_text(value)}")])
    collector, registries = ErrorCollector(), scope_of(info).registries
    found = {
        name: collector.attempt((name,), partial(teacher_choice, item, registries)) for name, item in value.items()
    }
    collector.finish()
    return {name: teacher for name, teacher in found.items() if teacher is not None}


def _methods(value: Any, info: ValidationInfo) -> tuple[MethodChoice, ...]:
    losses: Losses = info.data.get("losses", Losses())
    scope = scope_of(info)
    teachers, budgets = (None if scope.misspells(key) else info.data.get(key) for key in ("teachers", "budgets"))
    shared = Shared(teachers, {"ranker": losses.ranker, "retriever": losses.retriever}, budgets)
    return method_choices(value, scope, shared)


class SweepFile(Settings):
    """A sweep: which teachers, losses, methods and numbers of labels are compared, on which collections."""

    name: str = Field(
        default="", validate_default=True, description="what the sweep is called; the name of its file by default"
    )
    description: str = Field(default="", description="what the sweep asks")
    extends: str | None = Field(default=None, description="a sweep file to start from, relative to this one")
    definitions: dict[str, Any] = Field(
        default={}, description="values with a name; $NAME stands for them anywhere else"
    )
    collections: Many[Annotated[CollectionChoice, PlainValidator(_collection)]] = Field(
        description="semanlink, beir/scifact, irds:ID, {folder: PATH}; several are an axis"
    )
    students: Students = Field(default=Students(), description="what is trained")
    candidates: Candidates = Field(default=Candidates(), description="the first stage and the training queries")
    teachers: Annotated[dict[str, TeacherChoice], PlainValidator(_teachers)] = Field(
        default={}, description="teachers by names of your choice"
    )
    losses: Losses = Field(default=Losses(), description="losses for all methods that name none themselves")
    budgets: Budgets = Field(
        default=(), description="numbers of labelled training queries: a list, or {from, to, steps, scale: log|linear}"
    )
    resamples: Numbers = Field(default=(0,), description="how many draws of the training queries, or their numbers")
    seeds: Numbers = Field(default=(0,), description="how many random initialisations, or their numbers")
    methods: Annotated[tuple[MethodChoice, ...], PlainValidator(_methods)] = Field(
        description="names, or {method: NAME, ...settings}; a list for a setting is an axis"
    )
    evaluate: EvaluationSettings = Field(default=EvaluationSettings(), description="what the retrievers are judged on")
    tune: Annotated[Tuning | None, PlainValidator(tuning)] = Field(
        default=None,
        description="settings that every trained method chooses for itself on another split, all with as many trials",
    )
    claims: ClaimsChoice | None = Field(
        default=None, description="what the runs are to show: hypotheses, or the file of claims that names this sweep"
    )
    max_length: PositiveInt = Field(default=256, description="tokens of a document that students read")
    numerics: NumericsChoice = Field(
        default="auto",
        description="device and precision of models, in the keys of all that computes; auto is what is best on the "
        "machine that plans",
    )
    max_cost: NonNegativeFloat | None = Field(
        default=None, description="most USD that LLM calls of the whole sweep may cost, in all its runs and processes"
    )
    keep: Literal["all", "last", "none"] = Field(
        default="all",
        description="which trained models stay once their cells are finished: all, the last training of each cell, or "
        "none; no part of any key",
    )

    plugins: Many[str] = Field(
        default=(), description="Python files with plug-ins of your own, beside those of installed packages"
    )
    timeout: PositiveFloat | None = Field(
        default=None, description="most seconds that a stage in which a plug-in works may take; no part of any key"
    )

    _source: SweepSource = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """Keeps where the sweep came from."""
        self._source = context.source

    @field_validator("name")
    @classmethod
    def _named(cls, name: str, info: ValidationInfo) -> str:
        return name or scope_of(info).source.path.stem

    @property
    def source(self) -> SweepSource:
        """The file, and a hash of its content after `extends`, overrides and definitions."""
        return self._source

    @property
    def baseline(self) -> str | None:
        """Label of the method that the others are compared with."""
        wanted = self.evaluate.baseline or "zero-shot"
        fitting = [choice.label for choice in self.methods if wanted in (choice.label, choice.plugin.name)]
        return wanted if wanted in fitting else next(iter(fitting), None)
