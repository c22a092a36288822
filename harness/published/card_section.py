"""What the parts of a card have in common, and what older cards called some of their keys."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

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
        fields = type(self).model_fields
        names = [name for name in self.absent if getattr(self, name) == fields[name].get_default()]
        keys = {key for name in names for key in (name, fields[name].alias)}
        return {key: value for key, value in whole(self).items() if key not in keys}
