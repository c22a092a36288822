"""What the parts of a card have in common, and what older cards called some of their keys."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

Line = Annotated[str, StringConstraints(max_length=300)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8,128}$")]
Free = dict[str, JsonValue]
"""A section that may hold anything that is plain data."""
_VERSION_1 = {
    "category": "group",
    "type": "standing",
    "usd_standalone": "usd_alone",
    "usd_incurred": "usd_here",
    "seconds_standalone": "seconds_alone",
    "durations_standalone": "durations_alone",
}
"""Keys of cards, which are written in version 2, and what version 1 called the same; both are read."""


def either(key: str) -> AliasChoices:
    """A key of version 2, or what version 1 called it."""
    return AliasChoices(key, _VERSION_1[key])


class CardSection(BaseModel):
    """Base of the parts: unknown keys are errors, numbers are finite, keys on disk may hold spaces as ir_metadata's
    do."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True
    )

    absent: ClassVar[frozenset[str]] = frozenset()
    """Fields that are absent on disk where they hold their default: what nobody knows, or what is not there."""

    @model_serializer(mode="wrap")
    def _without_absent(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        defaults = _defaults(type(self))
        keys = {
            key for name, default in defaults.items() if getattr(self, name) == default.value for key in default.keys
        }
        return {key: value for key, value in whole(self).items() if key not in keys}


class _Default(NamedTuple):
    """What a field that may be absent holds then, and the keys that it may have on disk."""

    value: Any
    keys: tuple[str | None, ...]


@cache
def _defaults(section: type[CardSection]) -> dict[str, _Default]:
    """Of the fields that are absent where they hold their default; defaults are never changed, as sections are
    frozen."""
    fields = section.model_fields
    return {name: _Default(fields[name].get_default(), (name, fields[name].alias)) for name in section.absent}
