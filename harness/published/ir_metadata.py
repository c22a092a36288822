"""ir_metadata's schema, as far as it says what a field holds.

Breuer, Keller and Schaer, SIGIR 2022, schema 0.1. It is published as checklists, not as a file (https://www.ir-metadata.org/metadata/overview,
source github.com/irgroup/ir_metadata); they are restated here. All fields may be absent, and a run may say more than they list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

START, END = "# ir_metadata.start", "# ir_metadata.end"
"""Lines around the header of an annotated run file; each line between them starts with ``# ``."""
SECTIONS = ("platform", "research goal", "implementation", "method", "actor", "data")
"""PRIMAD, in its order."""


class _Part(BaseModel):
    """A mapping of the schema: fields by their names on disk, others allowed, scalars taken as they are."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Cpu(_Part):
    """platform, hardware, cpu."""

    model: str | None = None
    architecture: str | None = None
    operation_mode: str | None = Field(default=None, alias="operation mode")
    number_of_cores: int | None = Field(default=None, alias="number of cores")


class Gpu(_Part):
    """platform, hardware, gpu."""

    architecture: str | None = None
    number_of_cores: int | None = Field(default=None, alias="number of cores")
    ram: str | None = None


class Hardware(_Part):
    """platform, hardware; sizes as text: '32 GB'."""

    cpu: Cpu | None = None
    gpu: Gpu | None = None
    ram: str | None = None


class OperatingSystem(_Part):
    """platform, operating system."""

    kernel: str | None = None
    distribution: str | None = None


class Software(_Part):
    """platform, software: libraries by programming language, and retrieval toolkits, each as name==version."""

    libraries: dict[str, list[str]] | None = None
    retrieval_toolkit: list[str] | None = Field(default=None, alias="retrieval toolkit")


class Platform(_Part):
    """Hardware, operating system, software."""

    hardware: Hardware | None = None
    operating_system: OperatingSystem | None = Field(default=None, alias="operating system")
    software: Software | None = None


class Executable(_Part):
    """implementation, executable: the command that made the run."""

    cmd: str | None = None


class Source(_Part):
    """implementation, source."""

    lang: list[str] | None = None
    repository: str | None = None
    commit: str | None = None


class Implementation(_Part):
    """What was run, and where its source is."""

    executable: Executable | None = None
    source: Source | None = None


class Venue(_Part):
    """research goal, venue."""

    name: str | None = None
    year: int | None = None


class SignificanceTest(_Part):
    """research goal, evaluation, significance test: one of its mappings."""

    name: str
    correction_method: str | None = Field(default=None, alias="correction method")


class Evaluation(_Part):
    """research goal, evaluation."""

    reported_measures: list[str] | None = Field(default=None, alias="reported measures")
    baseline: list[str] | None = None
    significance_test: list[SignificanceTest] | None = Field(default=None, alias="significance test")


class ResearchGoal(_Part):
    """Why the run was made, and how it is judged."""

    venue: Venue | None = None
    publication: dict[str, str] | None = None
    evaluation: Evaluation | None = None


class Retrieval(_Part):
    """method, retrieval: one component of a pipeline, with its parameters beside these."""

    name: str
    method: str | None = None
    reranks: str | None = None
    interpolates: list[str] | None = None
    weight: float | None = None


class Method(_Part):
    """How queries are answered."""

    automatic: bool | None = None
    score_ties: str | None = Field(default=None, alias="score ties")
    indexing: dict[str, str] | None = None
    retrieval: list[Retrieval] | None = None


class Actor(_Part):
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


class TestCollection(_Part):
    """data, test collection."""

    __test__ = False

    name: str | None = None
    source: str | None = None
    qrels: str | None = None
    topics: str | None = None
    ir_datasets: str | None = None


class DataSource(_Part):
    """data, training data and other: one of their mappings."""

    name: str
    source: str | None = None


class Data(_Part):
    """What it was run on."""

    test_collection: TestCollection | None = Field(default=None, alias="test collection")
    training_data: list[DataSource] | None = Field(default=None, alias="training data")
    other: list[DataSource] | None = None


class IrMetadata(_Part):
    """A whole header."""

    schema_version: str | float = Field(alias="schema-version")
    run_version: str | float | None = Field(default=None, alias="run-version")
    tag: str
    platform: Platform
    research_goal: ResearchGoal = Field(alias="research goal")
    implementation: Implementation
    method: Method
    actor: Actor
    data: Data


def conforming(part: type[BaseModel]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A validator for pydantic: the section as it is, refused where `part` says otherwise."""

    def check(section: dict[str, Any]) -> dict[str, Any]:
        part.model_validate(section)
        return section

    return check
