"""Index refresh: candidates found anew by the retriever in training, for methods whose papers re-embed their index as
they go.

A training with refreshes is a chain of stages: train for some epochs, embed the corpus, search, have the new candidates
scored, go on from there. So each part is cached and shared like any stage. Each part has a learning-rate schedule and
an optimiser of its own, where Atlas, REPLUG and ANCE keep one schedule across refreshes; and each refresh costs reader
tokens for the candidates that are new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Self

from pydantic import Field, model_validator

from harness.losses.spec import LossChoice
from harness.method import MethodInputs
from harness.stage import Stage
from harness.training.student_settings import StudentSettings


class RefreshSettings(StudentSettings):
    """How the retriever is trained, and how often its candidates are found anew."""

    refresh: int | None = Field(
        None,
        ge=1,
        description="epochs between two searches for candidates with the retriever so far; left out: the shared ones "
        "stay",
    )

    @model_validator(mode="after")
    def _documents_learn(self) -> Self:
        if self.refresh and self.frozen_documents:
            raise ValueError(
                "refresh embeds the documents anew, and frozen_documents keeps them as they are: give one of the two"
            )
        return self


def refreshed(
    inputs: MethodInputs, lists_of: Callable[[MethodInputs], Stage], settings: RefreshSettings, loss: LossChoice
) -> Stage:
    """The retriever trained on `lists_of` the inputs, whose candidates and retriever are those of each part of the
    training."""
    first, *others = parts(settings.epochs, settings.refresh)
    model = inputs.train_retriever(lists_of(inputs), loss, _for(settings, first))
    for epochs in others:
        part = mined(replace(inputs, retriever=model))
        model = part.train_retriever(lists_of(part), loss, _for(settings, epochs))
    return model


def parts(epochs: int, refresh: int | None) -> list[int]:
    """Epochs of each part of a training that is refreshed every `refresh` epochs."""
    step = refresh or epochs
    return [min(step, epochs - start) for start in range(0, epochs, step)]


def mined(inputs: MethodInputs) -> MethodInputs:
    """The same inputs with the documents nearest to each training query, as the retriever embeds both, for
    candidates."""
    return replace(inputs, candidates=inputs.search(inputs.retriever, inputs.pool, inputs.list_depth))


def _for(settings: RefreshSettings, epochs: int) -> RefreshSettings:
    return settings.model_copy(update={"epochs": epochs})
