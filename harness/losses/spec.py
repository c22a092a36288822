"""A loss as settings name it: content for a stage's key, and the way to the loss itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from harness.errors import UserError
from harness.losses.base import Loss, LossSettings
from harness.plugins import plugin


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
        try:
            settings = plugin(Loss, name).Settings(**given)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise UserError(
                f"wrong setting of the loss '{name}': {first['msg']}", key=key, remedy=f"see: harness show losses {name}"
            ) from error
        assert isinstance(settings, LossSettings), f"{name} must take its settings from LossSettings"
        return cls(name, settings)

    def loss(self, temperature: float = 1.0) -> Loss:
        """The loss; `temperature` holds where the settings name none."""
        return plugin(Loss, self.name)(self.settings, temperature)


def loss_from(spec: str | Mapping[str, Any], temperature: float = 1.0) -> Loss:
    """The loss that a sweep file names. Raises UserError like `LossSpec.of`."""
    return LossSpec.of(spec).loss(temperature)
