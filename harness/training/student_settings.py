"""How methods have students trained, as sweep files say it; methods with more to set inherit from these."""

from __future__ import annotations

from functools import cache
from typing import Literal, Self, TypeVar

from pydantic import Field, model_validator

from harness.plugins import Settings
from harness.students.lora import LoRA
from harness.training.early_stopping import EarlyStopping

M = TypeVar("M", bound=Settings)


class StudentSettings(Settings):
    """How the retriever is trained."""

    epochs: int = Field(3, ge=1, description="passes over the training lists")
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="peak; left out: 3e-3 for a static student, 2e-5 for a transformer, 2e-4 for one with LoRA",
    )
    batch: int = Field(16, ge=1, description="lists a step")
    lora: LoRA | None = Field(None, description="train low-rank adapters, merged in the end; left out: all weights")
    stop: EarlyStopping | None = Field(
        None, description="end early, with the weights that held-out queries like best; left out: never"
    )
    frozen_documents: bool = Field(
        False,
        description="only the query encoder learns; documents keep the start model's embeddings, and no corpus is "
        "encoded again",
    )


class RankerSettings(Settings):
    """The ranker between the teacher and the retriever."""

    architecture: Literal["bi-encoder", "cross-encoder", "projection"] = Field(
        "bi-encoder",
        description="how a query is scored with a document; projection: a bi-encoder that stays as it is, under a "
        "linear projection that learns",
    )
    start: str | None = Field(None, description="the model it starts from; the sweep's ranker when left out")
    warmup_queries: int = Field(
        0, ge=0, description="train it first without labels on this many titles against bodies; 0: not at all"
    )
    epochs: int = Field(2, ge=1, description="passes over the labelled lists")
    learning_rate: float | None = Field(
        None, gt=0, description="peak; left out: 2e-5, 2e-4 with LoRA, 3e-4 for a projection"
    )
    batch: int = Field(16, ge=1, description="lists a step")
    frozen_layers: int = Field(
        0, ge=0, description="above 0, the embeddings and this many lower layers stay as they are"
    )
    lora: LoRA | None = Field(None, description="train low-rank adapters, merged in the end; left out: all weights")
    stop: EarlyStopping | None = Field(
        None, description="end early, with the weights that held-out queries like best; left out: never"
    )
    max_length: int = Field(64, ge=8, description="tokens that the ranker reads")

    @model_validator(mode="after")
    def _layers_learn(self) -> Self:
        idle = [name for name in ("warmup_queries", "frozen_layers", "lora") if getattr(self, name)]
        if self.architecture == "projection" and idle:
            raise ValueError(f"no layer of a projection learns: leave out {' and '.join(idle)}")
        return self


def settings_as(model: type[M], *given: Settings | None) -> M:
    """A `model` with those of its fields that the `given` settings have by the same name, the last before the first;
    defaults else."""
    names = {name: getattr(one, name) for one in given for name in _common_fields(model, type(one))}  # type: ignore[arg-type]  # classes hash
    return model(**names)


@cache
def _common_fields(model: type[Settings], given: type[Settings] | type[None]) -> tuple[str, ...]:
    """Names of the fields of `model` that values of the class `given` have, too."""
    fields = given.model_fields if issubclass(given, Settings) else {}
    return tuple(name for name in model.model_fields if name in fields or hasattr(given, name))
