"""ir_metadata's schema, as far as it says what a field holds.

Breuer, Keller and Schaer, SIGIR 2022, schema 0.1. It is published as checklists, not as a file
(https://www.ir-metadata.org/metadata/overview, source github.com/irgroup/ir_metadata); they are restated here. All
fields may be absent, and a run may say more than they list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

START, END = "# ir_metadata.start", "# ir_metadata.end"
"""Lines around the header of an annotated run file; each line between them starts with ``# ``."""
SECTIONS = ("platform", "research goal", "implementation", "method", "actor", "data")
"""PRIMAD, in its order."""


class _IrPart(BaseModel):
    """A mapping of the schema: fields by their names on disk, others allowed, scalars taken as they are."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class IrCpu(_IrPart):
    """platform, hardware, cpu."""

    model: str | None = None
    architecture: str | None = None
    operation_mode: str | None = Field(default=None, alias="operation mode")
    number_of_cores: int | None = Field(default=None, alias="number of cores")


class IrGpu(_IrPart):
    """platform, hardware, gpu."""

    architecture: str | None = None
    number_of_cores: int | None = Field(default=None, alias="number of cores")
    ram: str | None = None


class IrHardware(_IrPart):
    """platform, hardware; sizes as text: '32 GB'."""

    cpu: IrCpu | None = None
    gpu: IrGpu | None = None
    ram: str | None = None


class IrOperatingSystem(_IrPart):
    """platform, operating system."""

    kernel: str | None = None
    distribution: str | None = None


class IrSoftware(_IrPart):
    """platform, software: libraries by programming language, and retrieval toolkits, each as name==version."""

    libraries: dict[str, list[str]] | None = None
    retrieval_toolkit: list[str] | None = Field(default=None, alias="retrieval toolkit")


class IrPlatform(_IrPart):
    """Hardware, operating system, software."""

    hardware: IrHardware | None = None
    operating_system: IrOperatingSystem | None = Field(default=None, alias="operating system")
    software: IrSoftware | None = None


class IrExecutable(_IrPart):
    """implementation, executable: the command that made the run."""

    cmd: str | None = None


class IrSource(_IrPart):
    """implementation, source."""

    lang: list[str] | None = None
    repository: str | None = None
    commit: str | None = None


class IrImplementation(_IrPart):
    """What was run, and where its source is."""

    executable: IrExecutable | None = None
    source: IrSource | None = None


class IrVenue(_IrPart):
    """research goal, venue."""

    name: str | None = None
    year: int | None = None


class IrSignificanceTest(_IrPart):
    """research goal, evaluation, significance test: one of its mappings."""

    name: str
    correction_method: str | None = Field(default=None, alias="correction method")


class IrEvaluation(_IrPart):
    """research goal, evaluation."""

    reported_measures: list[str] | None = Field(default=None, alias="reported measures")
    baseline: list[str] | None = None
    significance_test: list[IrSignificanceTest] | None = Field(default=None, alias="significance test")


class IrResearchGoal(_IrPart):
    """Why the run was made, and how it is judged."""

    venue: IrVenue | None = None
    publication: dict[str, str] | None = None
    evaluation: IrEvaluation | None = None


class IrRetrieval(_IrPart):
    """method, retrieval: one component of a pipeline, with its parameters beside these."""

    name: str
    method: str | None = None
    reranks: str | None = None
    interpolates: list[str] | None = None
    weight: float | None = None


class IrMethod(_IrPart):
    """How queries are answered."""

    automatic: bool | None = None
    score_ties: str | None = Field(default=None, alias="score ties")
    indexing: dict[str, str] | None = None
    retrieval: list[IrRetrieval] | None = None


class IrActor(_IrPart):
    """Who ran it."""

    name: str | None = None
    orcid: str | None = None
    team: str | None = None
    fields: list[str] | None = None
    mail: str | None = None
    role: Literal["experimenter", "reproducer"] | None = None
    degree: str | None = None
    github: str | None = None
    twitter: str | None = None


class IrTestCollection(_IrPart):
    """data, test collection."""

    __test__ = False

    name: str | None = None
    source: str | None = None
    qrels: str | None = None
    topics: str | None = None
    ir_datasets: str | None = None


class IrDataSource(_IrPart):
    """data, training data and other: one of their mappings."""

    name: str
    source: str | None = None


class IrData(_IrPart):
    """What it was run on."""

    test_collection: IrTestCollection | None = Field(default=None, alias="test collection")
    training_data: list[IrDataSource] | None = Field(default=None, alias="training data")
    other: list[IrDataSource] | None = None


class IrMetadata(_IrPart):
    """A whole header."""

    schema_version: str | float = Field(alias="schema-version")
    run_version: str | float | None = Field(default=None, alias="run-version")
    tag: str
    platform: IrPlatform
    research_goal: IrResearchGoal = Field(alias="research goal")
    implementation: IrImplementation
    method: IrMethod
    actor: IrActor
    data: IrData


def conforming(part: type[BaseModel]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A validator for pydantic: the section as it is, refused where `part` says otherwise."""

    def check(section: dict[str, Any]) -> dict[str, Any]:
        part.model_validate(section)
        return section

    return check
