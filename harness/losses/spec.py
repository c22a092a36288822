"""A loss as settings name it: content for a stage's key, and the way to the loss itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import did_you_mean
from harness.losses.loss import Loss, LossSettings
from harness.plugins import Settings, plugin, plugins
from harness.validation import Fault, checked, failure, validated

LossChoice = str | dict[str, Any]
"""A loss as sweep files and settings say it: by name, or ``{name: NAME, **settings}`` with what differs from the
defaults."""


@dataclass(frozen=True)
class LossSpec:
    """A loss by name with its settings, defaults filled in; a stage field, equal exactly when the loss is."""

    name: str
    settings: LossSettings

    @classmethod
    def of(cls, spec: str | Mapping[str, Any]) -> LossSpec:
        """``NAME`` or ``{name: NAME, **settings}``. Raises UserError on an unknown loss (with the nearest name) or
        wrong settings."""
        given = {"name": spec} if isinstance(spec, str) else dict(spec)
        name = str(given.pop("name", ""))
        kind = plugin(Loss, name)
        settings = validated(kind.Settings, given, what=f"the loss '{name}'", show=f"harness show losses {name}")
        return cls(name, _as_loss_settings(name, settings))

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

    @property
    def encoder(self) -> str | None:
        """The model whose embeddings it needs, by name."""
        return self.loss().encoder

    def __str__(self) -> str:
        return " + ".join(part.name for _, part in plugin(Loss, self.name).parts(self.settings))


def loss_settings(name: str, given: Mapping[str, Any]) -> LossSettings:
    """The settings of the loss `name`. Raises ValidationError on an unknown loss and on wrong settings, with the key of
    each."""
    if name not in plugins(Loss):
        raise failure([Fault((), f"unknown loss '{name}'", did_you_mean(name, plugins(Loss)))])
    return _as_loss_settings(name, checked(plugin(Loss, name).Settings, given))


def _as_loss_settings(name: str, settings: Settings) -> LossSettings:
    assert isinstance(settings, LossSettings), f"{name} must take its settings from LossSettings"
    return settings
