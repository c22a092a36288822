"""The section ``evaluate.answers`` of a sweep file: who answers from what a run found."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainValidator, PositiveInt, ValidationInfo

from harness.config.choices import TeacherChoice, teacher_choice
from harness.config.registries import Scope
from harness.errors import did_you_mean
from harness.plugins import Settings
from harness.validation import Fault, failure


def _reader(value: Any, info: ValidationInfo) -> str | TeacherChoice | None:
    assert isinstance(info.context, Scope), "sweep files are validated by load_sweep"
    if value is None or isinstance(value, dict):
        return None if value is None else teacher_choice(value, info.context.registries)
    if value not in info.context.teachers:
        remedy = did_you_mean(str(value), info.context.teachers, "A reader of its own is {kind: KIND, model: MODEL}")
        raise failure([Fault((), f"'{value}' is none of the teachers of this sweep", remedy)])
    return str(value)


class QASettings(Settings):
    """A reader answers each question from the first passages of every run; its answers are scored beside the run."""

    reader: Annotated[str | TeacherChoice | None, PlainValidator(_reader)] = Field(
        default=None,
        description="one of the sweep's teachers by name, or {kind: KIND, ...}; none: only AnswerHit is computed",
    )
    passages: PositiveInt = Field(default=5, description="how many passages of a run the reader is shown")
    prompt: str | None = Field(
        default=None, description="a .yaml file whose text holds {passages} and {query}; ours by default"
    )
    closed_book_prompt: str | None = Field(
        default=None, description="a .yaml file whose text holds {query}; ours by default"
    )
    references: bool = Field(default=True, description="also a row without passages and one with the judged passages")
