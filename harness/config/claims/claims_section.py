"""`claims` of a sweep file: which runs are meant, and what is claimed of them, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PositiveInt, Tag, model_validator

from harness.config.value_types import Many
from harness.errors import did_you_mean
from harness.plugins import Settings
from harness.validation import Fault, failure

Name = Annotated[str, Field(min_length=1, max_length=60)]


class RunChoice(Settings):
    """The runs of one configuration on each collection: everything that is left out may be anything."""

    method: Name = Field(description="name or label of the method")
    teacher: Name | None = Field(default=None, description="the sweep's name for the teacher")
    budget: PositiveInt | None = Field(default=None, description="labelled training queries")
    ranker_loss: str | None = Field(default=None, description="as boards show it")
    retriever_loss: str | None = Field(default=None, description="as boards show it")
    student: str | None = Field(default=None, description="the retriever before training, as boards show it")
    settings: dict[str, Any] = Field(default={}, description="settings of the method, by dotted name")


class Rivals(Settings):
    """Several rivals, and whether all of them must be beaten or any one."""

    all: Many[Name] | None = Field(default=None, description="every one of them (intersection-union: the largest p)")
    any: Many[Name] | None = Field(default=None, description="at least one of them (Holm over them)")

    @model_validator(mode="after")
    def _one_of_two(self) -> Rivals:
        if (self.all is None) == (self.any is None):
            raise failure([Fault((), "give exactly one of all and any", "such as {all: [no-llm, shuffled]}")])
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The rivals in their order."""
        return self.all or self.any or ()


def _form(value: Any) -> str:
    return "several" if isinstance(value, (dict, Rivals)) else "list"


class Hypothesis(Settings):
    """One claim that can be false."""

    statement: str = Field(default="", max_length=300, description="what is claimed, in words")
    kind: Literal["superior", "non-inferior", "equivalent"] = Field(
        default="superior", description="better; not worse by the margin; not different by the margin"
    )
    run: Name = Field(description="one of `runs`")
    rivals: Annotated[Annotated[Many[Name], Tag("list")] | Annotated[Rivals, Tag("several")], Discriminator(_form)] = (
        Field(alias="than", description="names out of `runs` (all of them), {all: [...]} or {any: [...]}")
    )
    margin: Annotated[float, Field(gt=0)] | None = Field(default=None, description="the section's where left out")
    sides: Literal[1, 2] | None = Field(
        default=None, description="of a test of superiority: 2 where left out, 1 for a check"
    )
    check: bool = Field(default=False, description="whether a collection can tell at all; a check is no claim")
    after: Many[Name] | None = Field(
        default=None, description="tested on a collection only where these were shown there (fixed order)"
    )
    instead_of: Name | None = Field(default=None, description="tested on a collection only where this was not shown")
    requires: Many[Name] | None = Field(default=None, description="undecided unless these hold")
    collections: Many[Name] | None = Field(default=None, description="collections that it is about; all where left out")
    queries: Literal["of this kind", "these"] = Field(
        default="of this kind", description="'these': about these training queries, whatever resamples share"
    )
    on: PositiveInt | None = Field(default=None, description="collections that must show it; all where left out")
    including: Many[Name] | None = Field(default=None, description="collections that must be among them")
    pooled: bool = Field(default=True, description="whether the pooled line must show it too")
    reversed_on: PositiveInt | None = Field(
        default=None, description="collections that show the opposite and make it fail; 2, or 1 of one"
    )

    @property
    def several(self) -> Rivals:
        """The rivals with what is asked of them."""
        return self.rivals if isinstance(self.rivals, Rivals) else Rivals(all=self.rivals)

    @property
    def tails(self) -> int:
        """Of its test."""
        return self.sides or (1 if self.check or self.kind != "superior" else 2)


class ClaimsSection(Settings):
    """Hypotheses on runs of one sweep, or of several."""

    metric: str = Field(default="nDCG@10", description="the metric of all hypotheses")
    alpha: float = Field(default=0.05, gt=0, lt=0.5, description="of every hypothesis, over all its collections")
    margin: Annotated[float, Field(gt=0)] = Field(default=0.02, description="a difference that would matter")
    runs: dict[Name, RunChoice] = Field(min_length=1, description="runs by names of your choice")
    hypotheses: dict[Name, Hypothesis] = Field(min_length=1, description="hypotheses by names of your choice")

    @model_validator(mode="after")
    def _known(self) -> ClaimsSection:
        if faults := list(self._faults()):
            raise failure(faults)
        return self

    def _faults(self) -> Iterator[Fault]:
        before: list[str] = []
        for name, one in self.hypotheses.items():
            path = ("hypotheses", name)
            for key, wanted, known, what in (
                ("run", (one.run,), self.runs, "runs"),
                ("than", one.several.names, self.runs, "runs"),
                ("after", one.after or (), before, "hypotheses before it"),
                ("instead_of", (one.instead_of,) if one.instead_of else (), before, "hypotheses before it"),
                ("requires", one.requires or (), before, "hypotheses before it"),
            ):
                for unknown in (item for item in wanted if item not in known):
                    yield Fault((*path, key), f"'{unknown}' is none of the {what}", did_you_mean(unknown, known))
            if one.run in one.several.names:
                yield Fault((*path, "than"), f"'{one.run}' would be compared with itself")
            if one.check and one.kind != "superior":
                yield Fault((*path, "kind"), "a check asks whether one is better", "let it be superior")
            before.append(name)

    def margin_of(self, hypothesis: Hypothesis) -> float:
        """What counts as a difference that matters for `hypothesis`."""
        return hypothesis.margin or self.margin


def _place(value: Any) -> str:
    return "file" if isinstance(value, str) else "section"


ClaimsChoice = Annotated[
    Annotated[str, Field(min_length=1), Tag("file")] | Annotated[ClaimsSection, Tag("section")], Discriminator(_place)
]
"""The section itself, or the file that holds it."""


class ClaimsFile(ClaimsSection):
    """A file of claims over several sweeps."""

    description: str = Field(default="", description="what is claimed, in a sentence")
    sweeps: Many[Name] = Field(description="sweep files that make the runs, relative to this one")
