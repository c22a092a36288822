"""A loss as settings name it: content for a stage's key, and the way to the loss itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from harness.errors import UserError, did_you_mean
from harness.losses.loss import Loss, LossSettings
from harness.plugins import plugin, plugins

LossChoice = str | dict[str, Any]
"""A loss as sweep files and settings say it: by name, or ``{name: NAME, **settings}`` with what differs from the defaults."""


@dataclass(frozen=True)
class LossSpec:
    """A loss by name with its settings, defaults filled in; a stage field, equal exactly when the loss is."""

    name: str
    settings: LossSettings

    @classmethod
    def of(cls, spec: str | Mapping[str, Any]) -> LossSpec:
        """``NAME`` or ``{name: NAME, **settings}``. Raises UserError on an unknown loss (with the nearest name) or wrong settings."""
        given = {"name": spec} if isinstance(spec, str) else dict(spec)
        name = str(given.pop("name", ""))
        plugin(Loss, name)
        try:
            return cls(name, loss_settings(name, given))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"wrong setting of the loss '{name}': {first['msg']}", key=key, remedy=f"see: harness show losses {name}"
            ) from error

    def loss(self, temperature: float = 1.0) -> Loss:
        """The loss; `temperature` holds where the settings name none."""
        return plugin(Loss, self.name)(self.settings, temperature)

    @property
    def source_classes(self) -> tuple[type[Loss], ...]:
        """The classes behind the name, for the stages that hold it."""
        kind = plugin(Loss, self.name)
        return kind, *(part for _, part in kind.parts(self.settings))

    @property
    def needs(self) -> tuple[str, ...]:
        """What the lists must carry for it."""
        return self.loss().needed

    def __str__(self) -> str:
        return " + ".join(part.name for _, part in plugin(Loss, self.name).parts(self.settings))


def loss_settings(name: str, given: Mapping[str, Any]) -> LossSettings:
    """The settings of the loss `name`. Raises ValidationError on an unknown loss and on wrong settings, with the key of each."""
    if name not in plugins(Loss):
        raise _failure([(("name",), f"unknown loss '{name}'; {did_you_mean(name, plugins(Loss))}")])
    model = plugin(Loss, name).Settings
    if unknown := [key for key in given if key not in model.model_fields]:
        raise _failure(((key,), f"unknown key '{key}'; {did_you_mean(key, model.model_fields)}") for key in unknown)
    settings = model.model_validate(given)
    assert isinstance(settings, LossSettings), f"{name} must take its settings from LossSettings"
    return settings


def _failure(faults: Iterable[tuple[tuple[str, ...], str]]) -> ValidationError:
    """Paths and messages as the error that pydantic passes on with the path of the validated field before theirs."""
    return ValidationError.from_exception_data(
        "loss",
        [InitErrorDetails(type=PydanticCustomError("loss", "{told}", {"told": told}), loc=path, input=None) for path, told in faults],
    )
