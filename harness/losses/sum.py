"""Several losses at once, each with a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import (
    BaseModel,
    Field,
    GetJsonSchemaHandler,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from harness._lazy import lazy
from harness.errors import UserError, did_you_mean
from harness.losses.loss import Loss, LossSettings, Target
from harness.losses.spec import loss_settings
from harness.plugins import Settings, plugin, plugins
from harness.validation import Fault, failure

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = lazy("torch")


class Term(Settings):
    """A loss of a sum: written ``NAME`` or ``{name: NAME, weight: W, **settings}``, held with all its settings."""

    name: str
    weight: float = Field(default=1.0, gt=0)
    settings: SerializeAsAny[LossSettings]

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, value: Any) -> Any:
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, dict):
            return given
        own = {key: given[key] for key in ("name", "weight") if key in given}
        return {**own, "settings": {key: item for key, item in given.items() if key not in own}}

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in plugins(Loss):
            raise failure([Fault((), f"unknown loss '{name}'", did_you_mean(name, plugins(Loss)))])
        return name

    @field_validator("settings", mode="before")
    @classmethod
    def _of_the_loss(cls, given: Any, info: ValidationInfo) -> LossSettings:
        # Where the name is wrong, nobody knows which settings are right.
        return loss_settings(info.data["name"], given) if "name" in info.data else LossSettings()

    @model_serializer(mode="wrap")
    def _written(self, handler: SerializerFunctionWrapHandler) -> Any:
        held = handler(self)
        flat = {**{key: held[key] for key in ("name", "weight") if key in held}, **held.get("settings", {})}
        return flat if len(flat) > 1 else self.name

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """As it is written; the settings of its loss are not spelt out."""
        mapping = {"name": {"type": "string"}, "weight": {"type": "number", "exclusiveMinimum": 0, "default": 1}}
        return {"anyOf": [{"type": "string"}, {"type": "object", "properties": mapping, "required": ["name"]}]}

    def loss(self, temperature: float) -> Loss:
        """The loss; `temperature` holds where its settings name none."""
        return plugin(Loss, self.name)(self.settings, temperature)


class SumSettings(LossSettings):
    """Which losses, each with its own settings beside its weight."""

    of: tuple[Term, ...] = Field(
        description="losses, each a name or {name: NAME, weight: 1, ...settings}", json_schema_extra={"minItems": 1}
    )

    @field_validator("of")
    @classmethod
    def _some(cls, terms: tuple[Term, ...]) -> tuple[Term, ...]:
        # Not by min_length, which also complains where the only terms are wrong ones.
        if not terms:
            raise ValueError("a sum must name at least one loss")
        return terms


class Sum(Loss):
    """The weighted sum of losses over the same lists. Its temperature holds for the terms that name none."""

    name = "sum"
    summary = "weighted sum of other losses, such as kl and 0.1 infonce with in-batch negatives"
    source = "as in Tamber et al., arXiv 2502.19712"
    formula = "sum_i w_i loss_i"
    role = "both"
    shifts = False
    settings: SumSettings

    def __init__(self, settings: SumSettings, temperature: float = 1.0) -> None:
        super().__init__(settings, temperature)
        self.terms = [(term.weight, term.loss(self.temperature)) for term in settings.of]

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(need for _, loss in self.terms for need in loss.needed))

    @property
    def encoder(self) -> str | None:
        """Raises UserError where its terms name different ones."""
        names = {loss.encoder for _, loss in self.terms} - {None}
        if len(names) > 1:
            raise UserError(
                f"the terms of a sum name {len(names)} encoders",
                key="of",
                remedy="name one and the same in all of them",
            )
        return names.pop() if names else None

    @property
    def in_batch(self) -> bool:
        return any(loss.in_batch for _, loss in self.terms)

    @classmethod
    def parts(cls, settings: BaseModel) -> tuple[tuple[tuple[str | int, ...], type[Loss]], ...]:
        assert isinstance(settings, SumSettings)
        return tuple(
            (("of", place, *path), part)
            for place, term in enumerate(settings.of)
            for path, part in plugin(Loss, term.name).parts(term.settings)
        )

    def __call__(self, scores: Tensor, target: Target) -> Tensor:

        own = scores[:, : target.mask.shape[1]]
        return torch.stack(
            [weight * loss(scores if loss.in_batch else own, target) for weight, loss in self.terms]
        ).sum()
