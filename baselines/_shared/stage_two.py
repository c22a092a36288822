"""Stage 2 of Intermediate Distillation: a ranker scores lists, the retriever learns its scores."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from baselines._shared.refresh import mined
from harness.losses.spec import LossChoice
from harness.method import MethodInputs
from harness.models import ModelFiles
from harness.plugins import Settings
from harness.retrieval.search_stages import Interleave
from harness.stage import Stage
from harness.training.student_settings import RankerSettings, StudentSettings

PROJECTION = RankerSettings(architecture="projection", epochs=5, max_length=128)
"""Chosen on dev splits, with the defaults below (configs/tune-method.yaml)."""


class StageTwoSettings(StudentSettings):
    """How the retriever learns from the ranker."""

    retriever_loss: LossChoice = Field(
        {"name": "kl", "temperature": 0.1, "teacher_temperature": 2.0},
        description="loss of stage 2: the ranker's scores in",
    )
    student_candidates: int = Field(
        20,
        ge=0,
        description="how many documents a list of stage 2 holds beside the candidates, out of what the student itself "
        "finds before it is trained",
        json_schema_extra={"absent": 0},
    )


def train_on_ranker(
    inputs: MethodInputs,
    ranker: ModelFiles | Stage,
    queries: int | None,
    settings: StageTwoSettings,
    how: Settings | None = None,
) -> Stage:
    """The retriever trained on the scores of `ranker` over the lists of `queries` queries (the labelled ones where
    None). `how` says how a ranker reads that no stage trained."""
    longer = _with_student_candidates(inputs, settings.student_candidates)
    lists = longer.score_with(ranker, inputs.subset(queries), how)
    return inputs.train_retriever(lists, settings.retriever_loss, settings)


def _with_student_candidates(inputs: MethodInputs, more: int) -> MethodInputs:
    if not more:
        return inputs
    depth = inputs.list_depth + more
    found = mined(replace(inputs, list_depth=depth)).candidates
    return replace(inputs, candidates=Interleave(runs=(inputs.candidates, found), depth=depth), list_depth=depth)
